"""Who may use this installation."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from enlarger.accounts.secret import (
    LIVE_PREFIX,
    digest_of,
    is_well_formed,
    make_secret,
    read_or_make_pepper,
)
from enlarger.accounts.tables import KEYS, WORKSPACES
from enlarger.database import now_ms, write
from enlarger.errors import BadKey, NotFound

BOOTSTRAP_KEY_ID = "key_bootstrap"
DEFAULT_WORKSPACE = "default"
ID_BYTES = 12


@dataclass(frozen=True)
class Workspace:
    """Owns keys, jobs and pictures; nothing passes from one to another."""

    id: str
    name: str
    first_credit_micros: int | None
    """Micro-credits given at the start; None is unlimited."""


@dataclass(frozen=True)
class Key:
    """A key as lists show it."""

    id: str
    workspace_id: str
    prefix: str
    last_four: str
    created_ms: int
    revoked_ms: int | None


@dataclass(frozen=True)
class Caller:
    """Who sent a request, proven by a key."""

    workspace: Workspace
    key_id: str


def open_accounts(engine: sa.Engine, data_dir: Path) -> Accounts:
    """The accounts of the installation in `data_dir`, whose pepper is made if there is none."""
    return Accounts(engine, read_or_make_pepper(data_dir / "secrets" / "key-pepper"))


class Accounts:
    """Workspaces and keys in the database. Every call is one short transaction."""

    def __init__(self, engine: sa.Engine, pepper: bytes) -> None:
        """
        pepper  secret of the installation that the digests of keys are made with.
        """
        self._engine = engine
        self._pepper = pepper

    def bootstrap(self, secret: str | None, credit_micros: int | None) -> str | None:
        """On the first start, make the default workspace and its key.

        secret         for the key `key_bootstrap`; None draws one. A later start with another
                       secret replaces the key, so that the environment's secret opens.
        credit_micros  first credit; None is unlimited.

        Returns a secret that was drawn and must be shown now or never, else None.
        """
        with write(self._engine) as connection:
            workspace_id = connection.scalar(
                sa.select(WORKSPACES.c.id).where(WORKSPACES.c.name == DEFAULT_WORKSPACE)
            )
            if workspace_id is None:
                workspace_id = f"ws_{secrets.token_hex(ID_BYTES)}"
                connection.execute(
                    WORKSPACES.insert().values(
                        id=workspace_id,
                        name=DEFAULT_WORKSPACE,
                        first_credit_micros=credit_micros,
                        created_ms=now_ms(),
                    )
                )
                if secret is None:
                    drawn, _ = self._insert_key(connection, workspace_id)
                    return drawn
            if secret is not None:
                self._replace_bootstrap_key(connection, workspace_id, secret)
            return None

    def authenticate(self, secret: str) -> Caller:
        """The caller whose key has this secret. Raises BadKey, which never repeats the secret."""
        digest = digest_of(secret, self._pepper)
        query = (
            sa.select(
                KEYS.c.id.label("key_id"),
                KEYS.c.digest,
                WORKSPACES.c.id,
                WORKSPACES.c.name,
                WORKSPACES.c.first_credit_micros,
            )
            .join(WORKSPACES, WORKSPACES.c.id == KEYS.c.workspace_id)
            .where(KEYS.c.digest == digest, KEYS.c.revoked_ms.is_(None))
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None or not hmac.compare_digest(row.digest, digest):
            raise BadKey
        return Caller(Workspace(row.id, row.name, row.first_credit_micros), row.key_id)

    def create_key(self) -> tuple[Key, str]:
        """A new key of the default workspace, and its secret, which is not kept."""
        with write(self._engine) as connection:
            workspace_id = connection.scalar(
                sa.select(WORKSPACES.c.id).where(WORKSPACES.c.name == DEFAULT_WORKSPACE)
            )
            if workspace_id is None:
                raise NotFound("there is no workspace yet; start the server once")
            secret, key_id = self._insert_key(connection, workspace_id)
        return next(key for key in self.list_keys() if key.id == key_id), secret

    def list_keys(self) -> list[Key]:
        """Every key, revoked ones too, oldest first."""
        query = sa.select(
            KEYS.c.id,
            KEYS.c.workspace_id,
            KEYS.c.prefix,
            KEYS.c.last_four,
            KEYS.c.created_ms,
            KEYS.c.revoked_ms,
        ).order_by(KEYS.c.created_ms, KEYS.c.id)
        with self._engine.connect() as connection:
            return [Key(*row) for row in connection.execute(query)]

    def revoke_key(self, key_id: str) -> None:
        """Close a key; the next request with it is refused. Raises NotFound for an unknown id."""
        with write(self._engine) as connection:
            changed = connection.execute(
                KEYS.update()
                .where(KEYS.c.id == key_id)
                .values(revoked_ms=sa.func.coalesce(KEYS.c.revoked_ms, now_ms()))
            )
        if changed.rowcount == 0:
            raise NotFound(f"there is no key {key_id}", param="key")

    def _replace_bootstrap_key(self, connection: sa.Connection, workspace_id: str, secret: str) -> None:
        digest = digest_of(secret, self._pepper)
        if connection.scalar(sa.select(KEYS.c.id).where(KEYS.c.digest == digest)) is not None:
            # It is a key already, under this id or another; if it was revoked, it stays so.
            return
        connection.execute(KEYS.delete().where(KEYS.c.id == BOOTSTRAP_KEY_ID))
        self._insert_key(connection, workspace_id, secret, BOOTSTRAP_KEY_ID)

    def _insert_key(
        self,
        connection: sa.Connection,
        workspace_id: str,
        secret: str | None = None,
        key_id: str | None = None,
    ) -> tuple[str, str]:
        secret = secret or make_secret()
        key_id = key_id or f"key_{secrets.token_hex(ID_BYTES)}"
        connection.execute(
            KEYS.insert().values(
                id=key_id,
                workspace_id=workspace_id,
                digest=digest_of(secret, self._pepper),
                prefix=LIVE_PREFIX if is_well_formed(secret) else "",
                last_four=secret[-4:],
                created_ms=now_ms(),
            )
        )
        return secret, key_id
