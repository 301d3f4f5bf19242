"""Workspaces and the keys that open them."""

from enlarger.accounts.accounts import Accounts, Caller, Key, Workspace

__all__ = ["Accounts", "Caller", "Key", "Workspace"]
