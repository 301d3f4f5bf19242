"""Workspaces, the keys that open them, and what each key may do."""

from enlarger.accounts.accounts import Accounts, open_accounts
from enlarger.accounts.values import Caller, Key, KeyTerms, Priority, Workspace

__all__ = ["Accounts", "Caller", "Key", "KeyTerms", "Priority", "Workspace", "open_accounts"]
