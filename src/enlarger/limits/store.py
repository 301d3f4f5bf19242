"""Windows in SQL: one row a subject, judged under a lock, so that the count is exact in all processes.

The rows are worth nothing after a minute or a power cut, and a request must not wait for a disk:
on SQLite they have a file of their own that is never synced, on Postgres a table without a log.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from enlarger.database import connect, now_ms, write
from enlarger.limits.rule import Rule, Verdict, Window, expiry_ms, judge

POSTGRES_THREADS = 4
SWEEP_S = 60.0
"""How often a process deletes the rows that say nothing any longer."""


class Windows:
    """The windows of all subjects. Every call is one short transaction; it may be called in threads."""

    def __init__(self, url: str, clock_ms: Callable[[], int] = now_ms) -> None:
        """
        url       SQLAlchemy URL of a database that `prepare` has seen.
        clock_ms  milliseconds since 1970. Machines that share a database must agree on it: by as
                  much as they differ, a window may be shorter or longer.
        """
        self.threads = 1 if sa.make_url(url).get_backend_name() == "sqlite" else POSTGRES_THREADS
        """How many calls at once are of use. SQLite has one writer, and those who wait for it sleep."""
        self._engine = connect(url, pool_size=self.threads, synchronous="OFF")
        self._clock_ms = clock_ms
        self._swept_at = time.monotonic()
        rows = _table(self._engine.dialect.name)
        insert = (postgresql if self._engine.dialect.name == "postgresql" else sqlite).insert(rows)
        found = (rows.c.hits, rows.c.blocked_until_ms)
        self._find = sa.select(*found).where(rows.c.subject == sa.bindparam("subject")).with_for_update()
        # An update that changes nothing, if somebody was quicker, so that the row is there and locked.
        self._make = insert.values(hits=b"", blocked_until_ms=0, expires_ms=0)
        self._make = self._make.on_conflict_do_update(
            index_elements=[rows.c.subject], set_={"subject": insert.excluded.subject}
        ).returning(*found)
        self._change = rows.update().where(rows.c.subject == sa.bindparam("of"))
        old = sa.select(rows.c.subject).where(rows.c.expires_ms < sa.bindparam("now"))
        self._sweep = rows.delete().where(rows.c.subject.in_(old.with_for_update(skip_locked=True)))

    def judge(self, subject: str, rule: Rule) -> Verdict:
        """Count a request of `subject` that comes now, in all processes exactly; 100 characters at most."""
        if time.monotonic() - self._swept_at > SWEEP_S:
            self._swept_at = time.monotonic()
            self.sweep()
        with write(self._engine) as connection:
            row = connection.execute(self._find, {"subject": subject}).one_or_none()
            if row is None:
                row = connection.execute(self._make, {"subject": subject}).one()
            before = Window(_unpack(row.hits), row.blocked_until_ms)
            # The clock is read under the lock: whoever is later in line is later in time.
            after, verdict = judge(before, self._clock_ms(), rule)
            if after != before:
                connection.execute(
                    self._change,
                    {
                        "of": subject,
                        "hits": _pack(after.hits_ms),
                        "blocked_until_ms": after.blocked_until_ms,
                        "expires_ms": expiry_ms(after, rule),
                    },
                )
        return verdict

    def sweep(self) -> None:
        """Delete the rows that say nothing any longer; they hold addresses."""
        with write(self._engine) as connection:
            connection.execute(self._sweep, {"now": self._clock_ms()})

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()


def prepare(url: str) -> None:
    """Make the table if it is missing. Once, before any process judges.

    A SQLite file that a power cut has damaged is begun anew.
    """
    file = sa.make_url(url).database if url.startswith("sqlite") else None
    if file is not None and not _is_sound(url):
        for suffix in ("", "-wal", "-shm"):
            Path(file + suffix).unlink(missing_ok=True)
    engine = connect(url, pool_size=1, synchronous="OFF")
    try:
        with write(engine) as connection:
            connection.execute(CreateTable(_table(engine.dialect.name), if_not_exists=True))
    finally:
        engine.dispose()


def _table(dialect: str) -> sa.Table:
    # Not in the registry of the migrations: in another file, and made by hand because it keeps nothing.
    return sa.Table(
        "rate_windows",
        sa.MetaData(),
        sa.Column("subject", sa.String(100), primary_key=True),
        sa.Column("hits", sa.LargeBinary, nullable=False),
        sa.Column("blocked_until_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        prefixes=["UNLOGGED"] if dialect == "postgresql" else [],
    )


def _is_sound(url: str) -> bool:
    engine = connect(url, pool_size=1, synchronous="OFF")
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql("PRAGMA quick_check").scalar() == "ok"
    except sa.exc.DatabaseError:
        return False
    finally:
        engine.dispose()


def _pack(hits_ms: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(hits_ms)}q", *hits_ms)


def _unpack(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 8}q", packed)
