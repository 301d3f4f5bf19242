"""Opens the database so that a commit is a promise and writers wait instead of failing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""What a database raises that cannot be reached or written now, and may be in a moment."""

METADATA = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of ours. The names of constraints are fixed so that migrations can name them."""

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""Type of numbers that the database draws; SQLite draws them for its plain INTEGER alone."""

BUSY_TIMEOUT_MS = 30_000
"""How long a SQLite writer waits for another before it fails."""
WAL_SIZE_LIMIT_BYTES = 64 * 2**20


def connect(url: str, *, pool_size: int, synchronous: Literal["FULL", "OFF"] = "FULL") -> sa.Engine:
    """An engine for `url`.

    pool_size    connections that may be open at once. Whoever runs jobs needs at least twice their
                 number and 10: a job's transaction asks for a second connection while it holds the first.
    synchronous  SQLite alone, in WAL. FULL: a committed job survives the power cut that follows. OFF:
                 a commit waits for no disk and survives a crash of the process, but a power cut may
                 damage the file; for what can be thrown away.
    """
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_pre_ping=True,
        # A statement's values are prompts and digests; its error may be logged.
        hide_parameters=True,
    )
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", partial(_prepare_sqlite, synchronous))
    return engine


@contextmanager
def write(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that holds SQLite's write lock from its start, committed when the block ends.

    Keep it under 50 ms: no file, no decoding, no network inside.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            # Taking the lock at the first write instead could fail on what was read before it.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction for several reads that must agree: what others commit meanwhile is not seen."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


def now_ms() -> int:
    """Milliseconds since 1970, as every row keeps its times."""
    return time.time_ns() // 1_000_000


def _prepare_sqlite(synchronous: str, connection: Any, record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        "foreign_keys=ON",
        f"journal_size_limit={WAL_SIZE_LIMIT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}")
