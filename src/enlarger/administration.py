"""What people do with a workspace beside making pictures: usage, keys, members, sessions.

The counterpart of `service`: the same for every door, and nothing here knows how it is asked.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import sqlalchemy as sa

from enlarger.accounts import Accounts, Act, Caller, Key, KeyTerms, Member, Role
from enlarger.accounts.passwords import draw_password
from enlarger.database.threads import in_thread
from enlarger.errors import BadKey, BadParameter, NotAllowed
from enlarger.ledger import moves, usage
from enlarger.ledger.moves import MovePage
from enlarger.ledger.usage import LIMIT_DEFAULT, Bucket, Page, Rollup, UsageFilter
from enlarger.limits.limiter import Limiter

HASHES_AT_ONCE = 2
"""Passwords that are checked at once: each takes 64 MiB, and somebody else may be waiting for them."""
WRONG = "The e-mail address or the password is wrong."


class Administration:
    """The use cases of members and of whoever reads usage; one instance in the API process.

    Every call raises NotAllowed where keys or the caller's role are not for it, and NotFound for
    what is another workspace's.
    """

    def __init__(self, engine: sa.Engine, accounts: Accounts, *, limiter: Limiter, session_ms: int) -> None:
        """
        session_ms  how long a session lives.
        """
        self._engine = engine
        self._accounts = accounts
        self._limiter = limiter
        self._session_ms = session_ms
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)

    @property
    def session_s(self) -> int:
        """How long a session lives, in seconds."""
        return self._session_ms // 1000

    async def usage(
        self,
        caller: Caller,
        where: UsageFilter,
        *,
        limit: int = LIMIT_DEFAULT,
        starting_after: str | None = None,
        ending_before: str | None = None,
    ) -> Page:
        """The workspace's usage records, those that ended last first; see `ledger.usage.page`."""
        caller.check_may(Act.READ)

        def read() -> Page:
            with self._engine.connect() as connection:
                return usage.page(
                    connection,
                    caller.workspace.id,
                    where,
                    limit=limit,
                    starting_after=starting_after,
                    ending_before=ending_before,
                )

        return await in_thread(read)

    async def usage_rollups(self, caller: Caller, where: UsageFilter, bucket: Bucket) -> list[Rollup]:
        """The workspace's usage in sums by model and hour or day."""
        caller.check_may(Act.READ)

        def read() -> list[Rollup]:
            with self._engine.connect() as connection:
                return usage.rollups(connection, caller.workspace.id, where, bucket)

        return await in_thread(read)

    async def usage_csv(self, caller: Caller, where: UsageFilter) -> Iterator[str]:
        """The workspace's usage as CSV, piece by piece; to be read in a thread.

        The first records are read already: what goes wrong at once is an error, and no broken file.
        """
        caller.check_may(Act.READ)
        pieces = usage.export_csv(self._engine, caller.workspace.id, where)
        first = await in_thread(lambda: list(itertools.islice(pieces, 2)))
        return itertools.chain(first, pieces)

    async def moves(
        self, caller: Caller, *, limit: int = 20, starting_after: int | None = None
    ) -> MovePage:
        """What happened to the workspace's credit, the latest first; see `ledger.moves.page`."""
        caller.check_may(Act.INSPECT)

        def read() -> MovePage:
            with self._engine.connect() as connection:
                return moves.page(
                    connection, caller.workspace.id, limit=limit, starting_after=starting_after
                )

        return await in_thread(read)

    async def keys(self, caller: Caller) -> list[Key]:
        """Every key of the workspace, revoked ones too; the oldest first."""
        caller.check_may(Act.INSPECT)
        return await in_thread(lambda: self._accounts.keys.list(caller.workspace.id))

    async def create_key(self, caller: Caller, terms: KeyTerms) -> tuple[Key, str]:
        """A new key of the caller's, and its secret, which is not kept."""
        caller.check_may(Act.KEEP_OWN_KEYS)
        return await in_thread(
            lambda: self._accounts.keys.create(caller.workspace.id, terms, by=caller.name)
        )

    async def revoke_key(self, caller: Caller, key_id: str) -> Key:
        """Close a key; the next request with it is refused."""

        def revoke() -> Key:
            self._check_may_change(caller, key_id)
            self._accounts.keys.revoke(key_id, caller.workspace.id, by=caller.name)
            return self._accounts.keys.get(key_id, caller.workspace.id)

        return await in_thread(revoke)

    async def rotate_key(self, caller: Caller, key_id: str, overlap_ms: int) -> tuple[Key, str]:
        """A key on the terms of an old one, and its secret; see `Keys.rotate`."""

        def rotate() -> tuple[Key, str]:
            self._check_may_change(caller, key_id)
            return self._accounts.keys.rotate(
                key_id, caller.workspace.id, overlap_ms=overlap_ms, by=caller.name
            )

        return await in_thread(rotate)

    async def members(self, caller: Caller) -> list[Member]:
        """The members of the workspace, the oldest first."""
        caller.check_may(Act.INSPECT)
        return await in_thread(lambda: self._accounts.members.list(caller.workspace.id))

    async def add_member(
        self, caller: Caller, email: str, role: Role, password: str | None
    ) -> tuple[Member, str | None]:
        """A new member, and the password that was drawn where none was given. See `Members.add`."""
        caller.check_may(Act.KEEP_MEMBERS)
        drawn = draw_password() if password is None else None
        async with self._hashing:
            member = await in_thread(
                lambda: self._accounts.members.add(caller.workspace.id, email, role, password or drawn)
            )
        return member, drawn

    async def change_role(self, caller: Caller, member_id: str, role: Role) -> Member:
        """Give a member another role. Raises BadParameter for the last owner."""
        caller.check_may(Act.KEEP_MEMBERS)
        return await in_thread(
            lambda: self._accounts.members.change_role(member_id, caller.workspace.id, role)
        )

    async def remove_member(self, caller: Caller, member_id: str) -> int:
        """Take a member out, and revoke the keys that the member made; returns how many."""
        caller.check_may(Act.KEEP_MEMBERS)
        return await in_thread(
            lambda: self._accounts.members.remove(member_id, caller.workspace.id, by=caller.name)
        )

    async def sign_in(
        self, host: str, email: str, password: str, workspace: str | None
    ) -> tuple[Caller, str, int]:
        """A session for who knows a member's password: the member, the token, when it ends.

        host       address that the attempt comes from; attempts are counted by it and by `email`.
        workspace  name or id, for who is a member of several.

        Raises BadKey, which does not say what was wrong; RateLimited; BadParameter, for who knew
        the password, where the workspace must be named.
        """
        await self._limiter.count_sign_in(host, email.strip().lower())
        async with self._hashing:
            found = await in_thread(lambda: self._accounts.members.who(email, password))

        def begin() -> tuple[Caller, str, int]:
            caller = self._chosen(found, workspace)
            assert caller.member is not None  # noqa: S101 (it was made of one)
            token, expires_ms = self._accounts.sessions.begin(caller.member, self._session_ms)
            return caller, token, expires_ms

        return await in_thread(begin)

    async def session(self, token: str) -> Caller:
        """Who has this session. Raises BadKey, RateLimited."""
        caller = await in_thread(lambda: self._accounts.sessions.caller(token))
        await self._limiter.count_key(caller.key_id)
        return caller

    async def signed_on(self, email: str, workspace: str | None) -> Caller:
        """The member whom a proxy that is believed has let in. Raises NotAllowed, RateLimited.

        workspace  name or id; the one where this was a member first, if None.
        """

        def find() -> Caller:
            found = self._accounts.members.memberships(email)
            if not found:
                raise NotAllowed(f"{email[:60]} is no member here; an owner adds members")
            return self._chosen(found if workspace else found[:1], workspace)

        caller = await in_thread(find)
        await self._limiter.count_key(caller.key_id)
        return caller

    async def sign_out(self, token: str) -> None:
        """End a session."""
        await in_thread(lambda: self._accounts.sessions.end(token))

    async def change_password(self, caller: Caller, host: str, current: str, new: str) -> tuple[str, int]:
        """Another password for the caller; every session ends, and a new one begins.

        Returns its token and when it ends. Raises BadKey if `current` is wrong, RateLimited.
        """
        member = caller.member
        if member is None:
            raise NotAllowed("a key has no password; sign in as a member")
        await self._limiter.count_sign_in(host, member.email)
        async with self._hashing:
            found = await in_thread(lambda: self._accounts.members.who(member.email, current))
            if member.id not in [one.id for one in found]:
                raise BadKey(WRONG, param="current")
            await in_thread(
                lambda: self._accounts.members.set_password(member.id, member.workspace_id, new)
            )
        return await in_thread(lambda: self._accounts.sessions.begin(member, self._session_ms))

    def _chosen(self, found: list[Member], workspace: str | None) -> Caller:
        callers = [self._accounts.sessions.caller_for(member) for member in found]
        if workspace is not None:
            callers = [
                caller for caller in callers if workspace in (caller.workspace.id, caller.workspace.name)
            ]
        if not callers:
            raise BadKey(WRONG)
        if len(callers) > 1:
            names = ", ".join(caller.workspace.name for caller in callers)
            raise BadParameter(f"workspace is missing; name one of: {names}", param="workspace")
        return callers[0]

    def _check_may_change(self, caller: Caller, key_id: str) -> None:
        caller.check_may(Act.KEEP_OWN_KEYS)
        key = self._accounts.keys.get(key_id, caller.workspace.id)
        if key.created_by != caller.name:
            caller.check_may(Act.KEEP_KEYS)
