"""What goes away by itself: pictures of jobs that ended long ago, answers, and what crashes left behind.

Each sweep takes a bounded share, is safe to run in all workers at once, and to be cut off anywhere: objects
go first, and the row that speaks of them says so afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
import structlog

from enlarger.assets.tables import ASSETS, UPLOAD_PARTS, UPLOADS
from enlarger.database import now_ms, write
from enlarger.jobs.job import TERMINAL
from enlarger.jobs.tables import IDEMPOTENCY, JOBS

LOG = structlog.get_logger()
AT_ONCE = 200
"""Rows of one sweep."""
ORPHAN_AGE_MS = 86_400_000
"""An object that no row speaks of is left alone for so long: its row may be about to be written."""
PREFIX = "ws"
STYLE_MARK = "-style-"
"""What follows the input's key in the key of a style picture of the same job."""


KEY_COLUMNS = (
    JOBS.c.input_key,
    JOBS.c.result_key,
    IDEMPOTENCY.c.body_key,
    ASSETS.c.object_key,
    UPLOAD_PARTS.c.object_key,
)
"""Every column that speaks of an object; a job's style pictures go by its input's name."""


class StoredObject(Protocol):
    """One object of a listing."""

    @property
    def key(self) -> str: ...

    @property
    def modified_ms(self) -> int: ...


class Store(Protocol):
    """What is needed of the object store."""

    def list(self, prefix: str) -> Iterable[StoredObject]: ...

    def delete(self, keys: Iterable[str]) -> None: ...


def expire_pictures(engine: sa.Engine, store: Store, clock_ms: Callable[[], int] = now_ms) -> int:
    """Remove the pictures of jobs whose time is over; returns of how many jobs."""
    now = clock_ms()
    due = (
        sa.select(JOBS.c.id, JOBS.c.input_key, JOBS.c.style_keys, JOBS.c.result_key, JOBS.c.asset)
        .where(JOBS.c.expired_ms.is_(None), JOBS.c.expires_ms <= now, JOBS.c.state.in_(TERMINAL))
        .limit(AT_ONCE)
    )
    with engine.connect() as connection:
        rows = connection.execute(due).all()
    if not rows:
        return 0
    store.delete([key for row in rows for key in _pictures(row)])
    with write(engine) as connection:
        ids = [row.id for row in rows]
        connection.execute(JOBS.update().where(JOBS.c.id.in_(ids)).values(expired_ms=now))
    return len(rows)


def expire_assets(engine: sa.Engine, store: Store, clock_ms: Callable[[], int] = now_ms) -> int:
    """Remove assets whose time is over; returns how many."""
    due = (
        sa.select(ASSETS.c.id, ASSETS.c.object_key).where(ASSETS.c.expires_ms <= clock_ms()).limit(AT_ONCE)
    )
    with engine.connect() as connection:
        rows = connection.execute(due).all()
    if not rows:
        return 0
    store.delete([row.object_key for row in rows])
    with write(engine) as connection:
        connection.execute(ASSETS.delete().where(ASSETS.c.id.in_([row.id for row in rows])))
    return len(rows)


def expire_uploads(engine: sa.Engine, store: Store, clock_ms: Callable[[], int] = now_ms) -> int:
    """Forget uploads whose time is over, with the parts of those never completed; returns how many.

    An asset that was made of one stays.
    """
    due = sa.select(UPLOADS.c.id).where(UPLOADS.c.expires_ms <= clock_ms()).limit(AT_ONCE)
    with engine.connect() as connection:
        ids = list(connection.scalars(due))
        of_these = UPLOAD_PARTS.c.upload_id.in_(ids)
        keys = list(connection.scalars(sa.select(UPLOAD_PARTS.c.object_key).where(of_these)))
    if not ids:
        return 0
    store.delete(keys)
    with write(engine) as connection:
        connection.execute(UPLOAD_PARTS.delete().where(of_these))
        connection.execute(UPLOADS.delete().where(UPLOADS.c.id.in_(ids)))
    return len(ids)


def expire_answers(engine: sa.Engine, store: Store, clock_ms: Callable[[], int] = now_ms) -> int:
    """Forget idempotency keys whose time is over; returns how many."""
    columns = (IDEMPOTENCY.c.workspace_id, IDEMPOTENCY.c.operation, IDEMPOTENCY.c.key_hash)
    due = (
        sa.select(*columns, IDEMPOTENCY.c.body_key)
        .where(IDEMPOTENCY.c.expires_ms <= clock_ms())
        .limit(AT_ONCE)
    )
    with engine.connect() as connection:
        rows = connection.execute(due).all()
    if not rows:
        return 0
    store.delete([row.body_key for row in rows if row.body_key])
    with write(engine) as connection:
        for row in rows:
            connection.execute(
                IDEMPOTENCY.delete().where(
                    *(column == value for column, value in zip(columns, row[:3], strict=True)),
                    IDEMPOTENCY.c.expires_ms <= clock_ms(),
                )
            )
    return len(rows)


def forget_jobs(
    engine: sa.Engine,
    forget: Callable[[Sequence[str]], None],
    keep_ms: int,
    clock_ms: Callable[[], int] = now_ms,
) -> int:
    """Remove the rows, with their prompts, of jobs whose pictures went long ago; returns how many.

    Usage records and the books stay: they have no words of a caller. So does a job whose answer may
    still be asked for by its idempotency key.

    forget   removes what the durable engine keeps of these jobs.
    keep_ms  how long rows are kept after the pictures.
    """
    remembered = sa.select(IDEMPOTENCY.c.job_id).where(IDEMPOTENCY.c.job_id == JOBS.c.id)
    due = (
        sa.select(JOBS.c.id)
        .where(JOBS.c.expired_ms <= clock_ms() - keep_ms, JOBS.c.state.in_(TERMINAL), ~remembered.exists())
        .limit(AT_ONCE)
    )
    with engine.connect() as connection:
        ids = list(connection.scalars(due))
    if ids:
        forget(ids)
        with write(engine) as connection:
            connection.execute(JOBS.delete().where(JOBS.c.id.in_(ids)))
    return len(ids)


def sweep_orphans(engine: sa.Engine, store: Store, clock_ms: Callable[[], int] = now_ms) -> int:
    """Remove objects older than a day that no row speaks of; returns how many.

    Crashes leave them: an input whose request was never accepted, the result of an attempt that lost.
    """
    cutoff = clock_ms() - ORPHAN_AGE_MS
    old = [one.key for one in store.list(PREFIX) if one.modified_ms < cutoff]
    removed = 0
    for start in range(0, len(old), AT_ONCE):
        keys = old[start : start + AT_ONCE]
        with engine.connect() as connection:
            known = {
                key
                for column in KEY_COLUMNS
                for key in connection.scalars(sa.select(column).where(column.in_(keys)))
            }
            of_inputs = [key.partition(STYLE_MARK)[0] for key in keys if STYLE_MARK in key]
            known_inputs = set(
                connection.scalars(sa.select(JOBS.c.input_key).where(JOBS.c.input_key.in_(of_inputs)))
            )
        orphans = [
            key for key in keys if key not in known and key.partition(STYLE_MARK)[0] not in known_inputs
        ]
        store.delete(orphans)
        removed += len(orphans)
    if removed:
        LOG.info("objects.orphans_removed", count=removed)
    return removed


def _pictures(row: Any) -> list[str]:
    """The objects that go with a job; a result that has become an asset goes with that."""
    keys = [row.input_key, *(json.loads(row.style_keys) if row.style_keys else ())]
    if row.result_key and row.asset is None:
        keys.append(row.result_key)
    return keys
