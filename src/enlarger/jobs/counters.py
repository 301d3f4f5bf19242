"""Counts that all processes make together, for the metrics; they only rise."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

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
CAPTURES = "captures"
"""Holds that were captured."""
ENDED = "jobs_ended"
"""Jobs that ended; the label is the state."""
EXPULSIONS = "slot_expulsions"
"""Leases that ran out and were ended by another worker."""
STORAGE_ERRORS = "storage_errors"
"""What the object store refused to workers; the label is the error's code."""
PICKUP_MS = "pickup_ms"
"""Histogram: milliseconds from a job's acceptance to its first attempt."""
RUN_MS = "run_ms"
"""Histogram: milliseconds from a job's first attempt to its good end."""

BOUNDS_MS = (
    25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 900_000
)  # fmt: skip
"""Upper bounds of a histogram's buckets; each bucket is a row, labelled with its bound."""
BEYOND = "+Inf"
"""Label of the bucket for all that is above the last bound."""
SUM = "_sum"
"""What follows a histogram's name in the row that has the sum of all that was observed."""

Counts = dict[tuple[str, str], int]
"""What is to be added, or what there is, by name and label."""


def add(engine: sa.Engine, name: str, value: int = 1, label: str = "") -> None:
    """Add to a counter, in a transaction of its own."""
    with write(engine) as connection:
        add_in(connection, name, value, label)


def add_in(connection: sa.Connection, name: str, value: int = 1, label: str = "") -> None:
    """Add to a counter, in the caller's transaction."""
    add_all(connection, {(name, label): value})


def add_all(connection: sa.Connection, counts: Counts) -> None:
    """Add to several counters, in the caller's transaction and one statement.

    The rows are taken in one order by everybody, so that two transactions never wait for each other.
    Until its commit nobody else can add to them: do it last.
    """
    rows = [
        {"name": name, "label": label, "value": value} for (name, label), value in sorted(counts.items())
    ]
    if not rows:
        return
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(COUNTERS)
    upsert = insert.values(rows)
    connection.execute(
        upsert.on_conflict_do_update(
            index_elements=["name", "label"], set_={"value": COUNTERS.c.value + upsert.excluded.value}
        )
    )


def observe(counts: Counts, histogram: str, ms: int) -> None:
    """Add one observation of a histogram to `counts`."""
    bound = next((str(bound) for bound in BOUNDS_MS if ms <= bound), BEYOND)
    for key, value in (((histogram, bound), 1), ((histogram + SUM, ""), ms)):
        counts[key] = counts.get(key, 0) + value


def read(connection: sa.Connection) -> Counts:
    """Every counter, by name and label."""
    rows = connection.execute(sa.select(COUNTERS.c.name, COUNTERS.c.label, COUNTERS.c.value))
    return {(name, label): value for name, label, value in rows}
