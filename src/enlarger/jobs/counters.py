"""Counts that all processes make together, for the metrics; they only rise."""

from __future__ import annotations

import sqlalchemy as sa

from enlarger.database import write
from enlarger.jobs.tables import COUNTERS

REDISPATCHES = "redispatches"
"""Jobs of a dead worker that were put back in the queue."""
REPAIRS = "repairs"
"""Tiles that were run again; the label is the kind of repair."""
TILES = "tiles"
"""Tiles that were run."""
TILE_MS = "tile_ms"
"""Milliseconds that they took."""
REFUSALS = "refusals"
"""Requests that were refused before any work; the label is the error's code."""


def add(engine: sa.Engine, name: str, value: int = 1, label: str = "") -> None:
    """Add to a counter, in a transaction of its own."""
    with write(engine) as connection:
        add_in(connection, name, value, label)


def add_in(connection: sa.Connection, name: str, value: int = 1, label: str = "") -> None:
    """Add to a counter, in the caller's transaction."""
    values = {"name": name, "label": label, "value": value}
    insert: sa.Insert
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        upsert = postgresql.insert(COUNTERS).values(**values)
        insert = upsert.on_conflict_do_update(
            index_elements=["name", "label"], set_={"value": COUNTERS.c.value + value}
        )
    else:
        from sqlalchemy.dialects import sqlite

        upsert_lite = sqlite.insert(COUNTERS).values(**values)
        insert = upsert_lite.on_conflict_do_update(
            index_elements=["name", "label"], set_={"value": COUNTERS.c.value + value}
        )
    connection.execute(insert)


def read(connection: sa.Connection) -> dict[tuple[str, str], int]:
    """Every counter, by name and label."""
    rows = connection.execute(sa.select(COUNTERS.c.name, COUNTERS.c.label, COUNTERS.c.value))
    return {(name, label): value for name, label, value in rows}
