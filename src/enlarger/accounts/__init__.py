"""Workspaces, the keys and members that open them, and what each may do."""

from enlarger.accounts.accounts import Accounts, open_accounts
from enlarger.accounts.roles import Act, Role
from enlarger.accounts.values import Caller, Key, KeyTerms, Member, Priority, Workspace

__all__ = [
    "Accounts",
    "Act",
    "Caller",
    "Key",
    "KeyTerms",
    "Member",
    "Priority",
    "Role",
    "Workspace",
    "open_accounts",
]
