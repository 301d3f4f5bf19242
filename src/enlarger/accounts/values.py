"""Workspaces, keys and callers as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from enlarger.accounts.roles import KEY_ACTS, ROLE_ACTS, Act, Role
from enlarger.errors import BadParameter, NotAllowed

NAME_MAX = 100


class Priority(StrEnum):
    """How soon a key's jobs have their turn among all that wait; nobody ever waits for ever."""

    HIGH = "high"
    """Four times as many turns as a normal one."""
    NORMAL = "normal"
    LOW = "low"
    """A quarter of the turns of a normal one: for work that nobody waits for."""


@dataclass(frozen=True)
class Workspace:
    """Owns keys, credit, jobs and pictures; nothing passes from one to another."""

    id: str
    name: str
    max_jobs: int | None
    """Jobs under way at once; None is the installation's own limit."""
    created_ms: int


@dataclass(frozen=True, kw_only=True)
class KeyTerms:
    """What a key may do."""

    name: str = ""
    """For people, at most 100 characters."""
    is_test: bool = False
    """Real work that bills nothing and is marked in the usage."""
    models: tuple[str, ...] | None = None
    """Public models that it may use; None is all."""
    priority: Priority = Priority.NORMAL
    cap_micros: int | None = None
    """Micro-credits that it may spend in all; None is no limit of its own."""
    expires_ms: int | None = None
    """When it stops to open, in milliseconds since 1970; None is never."""

    def __post_init__(self) -> None:
        if len(self.name) > NAME_MAX:
            raise BadParameter(
                f"name has {len(self.name)} characters; it must have at most {NAME_MAX}", param="name"
            )
        if self.cap_micros is not None and self.cap_micros < 0:
            raise BadParameter("cap must be 0 or more", param="cap")


@dataclass(frozen=True)
class Key:
    """A key as lists show it."""

    id: str
    workspace_id: str
    prefix: str
    last_four: str
    terms: KeyTerms
    spent_micros: int
    """Spent, or set aside for jobs under way."""
    last_used_ms: int | None
    """To the minute."""
    created_ms: int
    created_by: str
    revoked_ms: int | None
    revoked_by: str | None


@dataclass(frozen=True)
class Member:
    """A person in a workspace. The same person in another workspace is another member."""

    id: str
    workspace_id: str
    email: str
    """In lower case."""
    role: Role
    has_password: bool
    """Who has none signs on elsewhere."""
    created_ms: int


@dataclass(frozen=True)
class Caller:
    """Who sent a request, proven by a key or by a member's session."""

    workspace: Workspace
    key_id: str
    """Of the key; the member's id where there is no key. Jobs and usage name it."""
    terms: KeyTerms
    member: Member | None = None
    """Whose session it is; None for a key."""

    @property
    def name(self) -> str:
        """Who it is, in lists of who did what."""
        return self.key_id if self.member is None else self.member.email

    def check_may(self, act: Act) -> None:
        """Raises NotAllowed, naming the act, if keys or the member's role are not for it."""
        acts = KEY_ACTS if self.member is None else ROLE_ACTS[self.member.role]
        if act in acts:
            return
        if self.member is None:
            raise NotAllowed(f"a key may not {act}; sign in as a member")
        raise NotAllowed(f"a {self.member.role} may not {act}; ask an owner of the workspace")

    def check_may_use(self, model: str) -> None:
        """Raises NotAllowed, naming the model, if the key is not for it."""
        if self.terms.models is not None and model not in self.terms.models:
            allowed = ", ".join(self.terms.models) or "none"
            raise NotAllowed(f"this key may not use model {model!r}; it may use: {allowed}", param="model")
