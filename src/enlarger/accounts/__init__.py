"""Workspaces and the keys that open them."""

from enlarger.accounts.accounts import Accounts, Caller, Key, Workspace, open_accounts

__all__ = ["Accounts", "Caller", "Key", "Workspace", "open_accounts"]
