"""Keeps SQLite's log small while others read and write."""

from __future__ import annotations

import time
from pathlib import Path

import sqlalchemy as sa
import structlog

from enlarger.database.connection import BUSY_TIMEOUT_MS, WAL_SIZE_LIMIT_BYTES

LOG = structlog.get_logger()
PATIENCE_MS = 1000
"""How long a checkpoint waits for readers, and every writer with it."""
TRIES, PAUSE_S = 5, 0.2
"""How often it is tried, and what writers have between, once the log is half as long as it may be."""


def checkpoint(engine: sa.Engine) -> bool:
    """Write the log back into the database and begin it anew; once a minute, from anywhere.

    SQLite does it by itself only in moments in which nobody reads. Where readers overlap there is no
    such moment, and the log grows for as long as they do.

    Returns False if readers kept the log from being begun anew; what they allow was written back.
    Does nothing on Postgres.
    """
    if engine.dialect.name != "sqlite":
        return True
    tries = 1 if log_bytes(engine) < WAL_SIZE_LIMIT_BYTES // 2 else TRIES
    for number in range(tries):
        if number:
            time.sleep(PAUSE_S)
        if _truncated(engine):
            return True
    LOG.info("database.log_in_use", bytes=log_bytes(engine))
    return False


def _truncated(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={PATIENCE_MS}")
        try:
            is_busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return not is_busy


def log_bytes(engine: sa.Engine) -> int:
    """Size of SQLite's log; 0 where there is none."""
    try:
        return Path(f"{engine.url.database}-wal").stat().st_size
    except FileNotFoundError:
        return 0
