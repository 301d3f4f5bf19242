"""Who may do what in a workspace: one table, and nothing else decides."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a member is in a workspace."""

    OWNER = "owner"
    """Everything that can be done in the workspace; credit and prices are the operator's."""
    MEMBER = "member"
    """Makes jobs, and keys for it that are the member's own."""
    VIEWER = "viewer"
    """Sees everything, changes nothing."""


class Act(StrEnum):
    """What there is to do; its text is how a refusal names it."""

    READ = "read jobs, results, prices, the balance and the usage"
    RUN = "make and cancel jobs"
    INSPECT = "see keys, members and the books"
    KEEP_OWN_KEYS = "make keys, and change those it made"
    KEEP_KEYS = "change the keys of others"
    KEEP_MEMBERS = "change members"


KEY_ACTS = frozenset({Act.READ, Act.RUN})
"""What a key may: a program that makes pictures needs no more, and a leaked key can make no other."""
ROLE_ACTS: Mapping[Role, frozenset[Act]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Act.READ, Act.INSPECT}),
        Role.MEMBER: frozenset({Act.READ, Act.INSPECT, Act.RUN, Act.KEEP_OWN_KEYS}),
        Role.OWNER: frozenset(Act),
    }
)
