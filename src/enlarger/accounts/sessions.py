"""Sessions: what a member's browser has instead of the password."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import sqlalchemy as sa

from enlarger.accounts.members import member_of
from enlarger.accounts.secret import digest_of
from enlarger.accounts.tables import MEMBERS, SESSIONS, WORKSPACES
from enlarger.accounts.values import Caller, KeyTerms, Member, Workspace
from enlarger.database import now_ms, write
from enlarger.errors import BadKey

TOKEN_BYTES = 32
NO_SESSION = "The session has ended; sign in again."


class Sessions:
    """The sessions of all members. Nothing is cached: one that was ended opens nothing any more."""

    def __init__(self, engine: sa.Engine, pepper: bytes, clock_ms: Callable[[], int] = now_ms) -> None:
        """
        pepper  secret of the installation that the digests of tokens are made with.
        """
        self._engine = engine
        self._pepper = pepper
        self._clock_ms = clock_ms

    def begin(self, member: Member, lifetime_ms: int) -> tuple[str, int]:
        """A new session: its token, which is not kept, and when it ends."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._clock_ms()
        with write(self._engine) as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.expires_ms <= now))
            connection.execute(
                SESSIONS.insert().values(
                    digest=self._digest(token),
                    member_id=member.id,
                    created_ms=now,
                    expires_ms=now + lifetime_ms,
                )
            )
        return token, now + lifetime_ms

    def caller(self, token: str) -> Caller:
        """Who has this token. Raises BadKey once the session has expired or was ended."""
        is_it = SESSIONS.c.digest == self._digest(token), SESSIONS.c.expires_ms > self._clock_ms()
        sessions = sa.select(SESSIONS.c.member_id).where(*is_it)
        return self._caller(MEMBERS.c.id.in_(sessions), NO_SESSION)

    def caller_for(self, member: Member) -> Caller:
        """A member as a caller, where another has proven who it is. Raises BadKey if it is gone."""
        return self._caller(MEMBERS.c.id == member.id, NO_SESSION)

    def end(self, token: str) -> None:
        """End a session; one that has ended already stays so."""
        with write(self._engine) as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.digest == self._digest(token)))

    def _caller(self, who: sa.ColumnElement[bool], refusal: str) -> Caller:
        query = (
            sa.select(
                *MEMBERS.c,
                WORKSPACES.c.name.label("workspace_name"),
                WORKSPACES.c.max_jobs,
                WORKSPACES.c.created_ms.label("workspace_created_ms"),
            )
            .join(WORKSPACES, WORKSPACES.c.id == MEMBERS.c.workspace_id)
            .where(who)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise BadKey(refusal)
        workspace = Workspace(row.workspace_id, row.workspace_name, row.max_jobs, row.workspace_created_ms)
        return Caller(workspace, row.id, KeyTerms(), member_of(row))

    def _digest(self, token: str) -> str:
        # Apart from the digests of keys, which are made with the same pepper.
        return digest_of(f"session:{token}", self._pepper)
