"""What a job that ends adds to the counters that all processes share."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from enlarger.jobs import counters
from enlarger.jobs.counters import Counts
from enlarger.jobs.job import Outcome
from enlarger.ledger import ledger


def count_end(
    connection: sa.Connection,
    row: sa.Row[Any],
    money: ledger.Resolution | None,
    outcome: Outcome | None = None,
) -> None:
    """Count a job in the commit that ends it, so that the counters are as true as its row.

    row      of the job, as it has just ended.
    outcome  where it ended well.
    """
    counts: Counts = {(counters.ENDED, row.state): 1}
    if row.started_ms is not None:
        counters.observe(counts, counters.PICKUP_MS, max(0, row.started_ms - row.created_ms))
    if outcome is not None:
        counters.observe(counts, counters.RUN_MS, max(0, row.finished_ms - row.started_ms))
        counts[counters.TILES, ""] = outcome.tiles
        counts[counters.TILE_MS, ""] = outcome.tile_ms
        if money is not None:
            counts[counters.CAPTURES, ""] = 1
        for kind, count in json.loads(outcome.receipt or "{}").get("repairs", {}).items():
            counts[counters.REPAIRS, kind] = count
    counters.add_all(connection, counts)
