"""Idempotency keys: a request that is sent again gets the first one's answer, byte for byte.

A key counts for one workspace and one operation. Its row is written in the commit that accepts the
job, so a request that was refused before leaves none; the answer is added when there is one, and the
first answer stays (docs.stripe.com, idempotent requests).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from enlarger.database import now_ms
from enlarger.errors import BadParameter, IdempotencyConflict
from enlarger.jobs.tables import IDEMPOTENCY

KEY_MAX = 255
"""Characters of a key, as Stripe has it."""
INLINE_BYTES = 65_536
"""A longer body goes to the object store."""


@dataclass(frozen=True)
class Answer:
    """What was answered, to be answered again."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class KeptAnswer:
    """An answer as its row has it: a long body is a key of the object store."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    body_key: str | None


@dataclass(frozen=True)
class Seen:
    """A key that was seen before, and what became of it."""

    job_id: str
    answer: KeptAnswer | None


def hash_key(key: str) -> str:
    """SHA-256 of a caller's key: what is kept of it. Raises BadParameter for one that is no key."""
    if not 0 < len(key) <= KEY_MAX or not key.isprintable():
        raise BadParameter(
            f"idempotency-key has {len(key)} characters; it must have 1 to {KEY_MAX} printable ones",
            param="idempotency-key",
        )
    return hashlib.sha256(key.encode()).hexdigest()


def fingerprint_of(fields: Iterable[tuple[str, bytes]]) -> str:
    """SHA-256 of a request's fields, whatever their order and whatever separates them on the wire."""
    total = hashlib.sha256()
    for name, digest in sorted((name, hashlib.sha256(value).digest()) for name, value in fields):
        total.update(hashlib.sha256(name.encode()).digest() + digest)
    return total.hexdigest()


def find(
    connection: sa.Connection, workspace_id: str, operation: str, key_hash: str, fingerprint: str
) -> Seen | None:
    """What became of the request that had this key first, if any.

    Raises IdempotencyConflict if it was another request.
    """
    row = connection.execute(
        sa.select(IDEMPOTENCY).where(
            *_is(workspace_id, operation, key_hash), IDEMPOTENCY.c.expires_ms > now_ms()
        )
    ).one_or_none()
    if row is None:
        return None
    if row.fingerprint != fingerprint:
        raise IdempotencyConflict(param="idempotency-key")
    if row.status is None:
        return Seen(row.job_id, None)
    headers = tuple((name, value) for name, value in json.loads(row.headers))
    return Seen(row.job_id, KeptAnswer(row.status, headers, row.body, row.body_key))


def remember(
    connection: sa.Connection,
    *,
    workspace_id: str,
    operation: str,
    key_hash: str,
    fingerprint: str,
    job_id: str,
    keep_ms: int,
) -> None:
    """Write a key's row, in the commit that accepts its job."""
    connection.execute(IDEMPOTENCY.delete().where(*_is(workspace_id, operation, key_hash)))
    connection.execute(
        IDEMPOTENCY.insert().values(
            workspace_id=workspace_id,
            operation=operation,
            key_hash=key_hash,
            fingerprint=fingerprint,
            job_id=job_id,
            created_ms=now_ms(),
            expires_ms=now_ms() + keep_ms,
        )
    )


def keep_answer(
    connection: sa.Connection, workspace_id: str, operation: str, key_hash: str, answer: KeptAnswer
) -> bool:
    """Add an answer to its key's row; False if there is one already, which stays."""
    changed = connection.execute(
        IDEMPOTENCY.update()
        .where(*_is(workspace_id, operation, key_hash), IDEMPOTENCY.c.status.is_(None))
        .values(
            status=answer.status,
            headers=json.dumps(answer.headers),
            body=answer.body,
            body_key=answer.body_key,
        )
    )
    return changed.rowcount > 0


def _is(workspace_id: str, operation: str, key_hash: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        IDEMPOTENCY.c.workspace_id == workspace_id,
        IDEMPOTENCY.c.operation == operation,
        IDEMPOTENCY.c.key_hash == key_hash,
    )
