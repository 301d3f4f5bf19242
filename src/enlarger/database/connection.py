"""Opens the database so that a commit is a promise and writers wait instead of failing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

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

_WRITERS: WeakKeyDictionary[sa.Engine, threading.Lock] = WeakKeyDictionary()
_NEW_LOCK = threading.Lock()

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
        sa.event.listen(engine, "handle_error", _tell_faults_apart)
    return engine


@contextmanager
def write(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that holds SQLite's write lock from its start, committed when the block ends.

    Keep it under 50 ms: no file, no decoding, no network inside.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with _turn(engine), engine.begin() as connection:
        # Taking the lock at the first write instead could fail on what was read before it.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection all of whose queries see the database as it was at the first of them.

    Without it each query sees the commits of its own moment, and two that are held against each other
    disagree whenever somebody writes between them. Keep it under a minute: what is written meanwhile
    stays in SQLite's log.
    """
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


@contextmanager
def _turn(engine: sa.Engine) -> Iterator[None]:
    """One writer of this process at a time.

    SQLite's own writers look every 100 ms whether the lock is free, and whoever comes just then has
    it: of many threads some would wait for seconds. These are woken, one by one.
    """
    with _NEW_LOCK:
        lock = _WRITERS.setdefault(engine, threading.Lock())
    if not lock.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
        raise PoolTimeout("another writer of this process waits for the database")
    try:
        yield
    finally:
        lock.release()


def now_ms() -> int:
    """Milliseconds since 1970, as every row keeps its times."""
    return time.time_ns() // 1_000_000


def _tell_faults_apart(context: sa.engine.ExceptionContext) -> None:
    """Raise ProgrammingError for a statement that SQLite does not understand, as Postgres does.

    SQLite's driver calls that operational as well, and AWAY would take it for something that passes.
    """
    original = context.original_exception
    if isinstance(original, sqlite3.OperationalError) and original.sqlite_errorcode == sqlite3.SQLITE_ERROR:
        raise sa.exc.ProgrammingError(
            context.statement, context.parameters, original, hide_parameters=True
        ) from original


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
