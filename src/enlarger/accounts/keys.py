"""Keys: what opens a workspace, how far, and until when."""

from __future__ import annotations

import dataclasses
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from enlarger.accounts.secret import LIVE_PREFIX, TEST_PREFIX, digest_of, is_well_formed, make_secret
from enlarger.accounts.tables import KEYS, WORKSPACES
from enlarger.accounts.values import Caller, Key, KeyTerms, Priority, Workspace
from enlarger.database import now_ms, write
from enlarger.errors import BadKey, NotFound, SpendCapReached
from enlarger.money import dollars

BOOTSTRAP_KEY_ID = "key_bootstrap"
ID_BYTES = 12
LAST_USED_STEP_MS = 60_000
"""`last_used_ms` is to the minute, so that a busy key is not written with every request."""


class Keys:
    """The keys of the installation. Every call is one short transaction.

    Nothing is cached: a key that is revoked, or has expired, opens nothing from the next request on.
    """

    def __init__(self, engine: sa.Engine, pepper: bytes, clock_ms: Callable[[], int] = now_ms) -> None:
        """
        pepper  secret of the installation that the digests are made with.
        """
        self._engine = engine
        self._pepper = pepper
        self._clock_ms = clock_ms

    def authenticate(self, secret: str, key_id: str | None = None) -> Caller:
        """The caller whose key has this secret.

        key_id  where the client sends one, it must be this key's.

        Raises BadKey, which never repeats the secret and does not say what was wrong with it.
        """
        digest = digest_of(secret, self._pepper)
        now = self._clock_ms()
        is_alive = sa.or_(KEYS.c.expires_ms.is_(None), KEYS.c.expires_ms > now)
        query = (
            sa.select(
                *KEYS.c,
                WORKSPACES.c.name.label("workspace_name"),
                WORKSPACES.c.max_jobs,
                WORKSPACES.c.created_ms.label("workspace_created_ms"),
            )
            .join(WORKSPACES, WORKSPACES.c.id == KEYS.c.workspace_id)
            .where(KEYS.c.digest == digest, KEYS.c.revoked_ms.is_(None), is_alive)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or not hmac.compare_digest(row.digest, digest):
            raise BadKey
        if key_id is not None and not hmac.compare_digest(key_id.encode(), row.id.encode()):
            raise BadKey
        if row.last_used_ms is None or row.last_used_ms < now - LAST_USED_STEP_MS:
            self._mark_used(row.id, now)
        workspace = Workspace(row.workspace_id, row.workspace_name, row.max_jobs, row.workspace_created_ms)
        return Caller(workspace, row.id, _terms(row))

    def create(self, workspace_id: str, terms: KeyTerms, *, by: str = "") -> tuple[Key, str]:
        """A new key and its secret, which is not kept.

        by  who makes it, for the list.
        """
        with write(self._engine) as connection:
            secret, key_id = self.insert(connection, workspace_id, terms, by=by)
        return self.get(key_id), secret

    def get(self, key_id: str, workspace_id: str | None = None) -> Key:
        """Raises NotFound, also for a key of another workspace than `workspace_id`."""
        query = _keys().where(KEYS.c.id == key_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or workspace_id not in (None, row.workspace_id):
            raise NotFound(f"there is no key {key_id}", param="key")
        return _key(row)

    def list(self, workspace_id: str | None = None) -> list[Key]:
        """Every key of a workspace, or of all, revoked ones too; the oldest first."""
        query = _keys().order_by(KEYS.c.created_ms, KEYS.c.id)
        if workspace_id is not None:
            query = query.where(KEYS.c.workspace_id == workspace_id)
        with self._engine.connect() as connection:
            return [_key(row) for row in connection.execute(query)]

    def revoke(self, key_id: str, workspace_id: str | None = None, *, by: str = "") -> None:
        """Close a key; the next request with it is refused. Raises NotFound as `get`."""
        self.get(key_id, workspace_id)
        with write(self._engine) as connection:
            connection.execute(
                KEYS.update()
                .where(KEYS.c.id == key_id, KEYS.c.revoked_ms.is_(None))
                .values(revoked_ms=self._clock_ms(), revoked_by=by)
            )

    def rotate(
        self, key_id: str, workspace_id: str | None = None, *, overlap_ms: int = 0, by: str = ""
    ) -> tuple[Key, str]:
        """A new key on the terms of an old one, and its secret; the two count what they spend together.

        overlap_ms  how long the old one opens still; 0 closes it at once.

        Raises NotFound as `get`, and for a key that is revoked, has expired or was rotated before.
        """
        now = self._clock_ms()
        with write(self._engine) as connection:
            # Locked: whoever revokes or rotates it at the same time comes before this or after it.
            query = sa.select(KEYS).where(KEYS.c.id == key_id).with_for_update()
            row = connection.execute(query).one_or_none()
            if row is None or workspace_id not in (None, row.workspace_id):
                raise NotFound(f"there is no key {key_id}", param="key")
            if row.revoked_ms is not None or (row.expires_ms is not None and row.expires_ms <= now):
                raise NotFound(f"key {key_id} is closed already", param="key")
            if row.successor_id is not None:
                raise NotFound(f"key {key_id} was rotated into {row.successor_id} already", param="key")
            budget_id = row.budget_id or key_id
            secret, new_id = self.insert(
                connection, row.workspace_id, _terms(row), by=by, budget_id=budget_id
            )
            until = now + overlap_ms if row.expires_ms is None else min(row.expires_ms, now + overlap_ms)
            closing: dict[str, Any] = (
                {"expires_ms": until} if overlap_ms > 0 else {"revoked_ms": now, "revoked_by": by}
            )
            connection.execute(
                KEYS.update().where(KEYS.c.id == key_id).values(successor_id=new_id, **closing)
            )
        return self.get(new_id), secret

    def replace(self, connection: sa.Connection, workspace_id: str, key_id: str, secret: str) -> None:
        """Make `secret` open as key `key_id`, in the caller's transaction, unless it is a key already."""
        digest = digest_of(secret, self._pepper)
        if connection.scalar(sa.select(KEYS.c.id).where(KEYS.c.digest == digest)) is not None:
            # Under this id or another; if it was revoked, it stays so.
            return
        connection.execute(KEYS.delete().where(KEYS.c.id == key_id))
        self.insert(connection, workspace_id, KeyTerms(name="bootstrap"), secret=secret, key_id=key_id)

    def insert(
        self,
        connection: sa.Connection,
        workspace_id: str,
        terms: KeyTerms,
        *,
        by: str = "",
        secret: str | None = None,
        key_id: str | None = None,
        budget_id: str | None = None,
    ) -> tuple[str, str]:
        """As `create`, in the caller's transaction; returns the secret and the id.

        budget_id  the key in whose row it counts what it spends; None is its own.
        """
        prefix = TEST_PREFIX if terms.is_test else LIVE_PREFIX
        secret = secret or make_secret(prefix)
        key_id = key_id or f"key_{secrets.token_hex(ID_BYTES)}"
        columns = dataclasses.asdict(terms)
        columns["models"] = None if terms.models is None else json.dumps(terms.models)
        connection.execute(
            KEYS.insert().values(
                id=key_id,
                workspace_id=workspace_id,
                digest=digest_of(secret, self._pepper),
                prefix=prefix if is_well_formed(secret) else "",
                last_four=secret[-4:],
                spent_micros=0,
                budget_id=budget_id,
                created_ms=self._clock_ms(),
                created_by=by,
                **columns,
            )
        )
        return secret, key_id

    def _mark_used(self, key_id: str, now: int) -> None:
        with write(self._engine) as connection:
            connection.execute(KEYS.update().where(KEYS.c.id == key_id).values(last_used_ms=now))


def _budget_id(keys: Any) -> sa.ColumnElement[str]:
    """The key in whose row a key counts."""
    return sa.func.coalesce(keys.c.budget_id, keys.c.id)


def _keys() -> sa.Select[Any]:
    """Keys as rows, each with what has been spent of its budget."""
    budgets = KEYS.alias("budgets")
    columns = (column for column in KEYS.c if column is not KEYS.c.spent_micros)
    is_its = budgets.c.id == _budget_id(KEYS)
    return sa.select(*columns, budgets.c.spent_micros).join_from(KEYS, budgets, is_its)


def spend(connection: sa.Connection, key_id: str, micros: int) -> None:
    """Count `micros` towards a key's cap, in the caller's transaction; less than 0 gives it back.

    A key counts with those that it was rotated from and into, so what was set aside under an old one and
    comes back is the new one's to spend.

    Raises SpendCapReached; then nothing has changed.
    """
    mine = KEYS.alias("mine")
    budget_id = sa.select(_budget_id(mine)).where(mine.c.id == key_id).scalar_subquery()
    is_budget = KEYS.c.id == budget_id
    statement = KEYS.update().where(is_budget).values(spent_micros=KEYS.c.spent_micros + micros)
    if micros > 0:
        within = KEYS.c.spent_micros + micros <= KEYS.c.cap_micros
        statement = statement.where(sa.or_(KEYS.c.cap_micros.is_(None), within))
    if connection.execute(statement).rowcount or micros <= 0:
        return
    row = connection.execute(sa.select(KEYS).where(is_budget)).one_or_none()
    if row is None:
        raise BadKey
    raise SpendCapReached(
        f"this needs {dollars(micros)}; the key has spent {dollars(row.spent_micros)} of the"
        f" {dollars(row.cap_micros)} that it may"
    )


def _key(row: sa.Row[Any]) -> Key:
    return Key(
        id=row.id,
        workspace_id=row.workspace_id,
        prefix=row.prefix,
        last_four=row.last_four,
        terms=_terms(row),
        spent_micros=row.spent_micros,
        last_used_ms=row.last_used_ms,
        created_ms=row.created_ms,
        created_by=row.created_by,
        revoked_ms=row.revoked_ms,
        revoked_by=row.revoked_by,
    )


def _terms(row: Any) -> KeyTerms:
    return KeyTerms(
        name=row.name,
        is_test=row.is_test,
        models=None if row.models is None else tuple(json.loads(row.models)),
        priority=Priority(row.priority),
        cap_micros=row.cap_micros,
        expires_ms=row.expires_ms,
    )
