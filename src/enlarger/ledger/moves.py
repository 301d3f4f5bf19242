"""The moves of a workspace's money, as its members see them."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from enlarger.errors import BadParameter, NotFound
from enlarger.ledger.tables import ENTRIES, TRANSFERS

LIMIT_MAX = 100


@dataclass(frozen=True)
class Move:
    """One transfer, by what it did to the workspace's two accounts."""

    id: int
    kind: str
    """`top_up`, `adjust`, `hold`, `capture` or `release`."""
    job_id: str | None
    note: str
    available_micros: int
    """Change of what may be spent."""
    held_micros: int
    """Change of what is set aside."""
    created_ms: int


@dataclass(frozen=True)
class MovePage:
    """Moves, the latest first, and whether there are more beyond the last of them."""

    moves: tuple[Move, ...]
    has_more: bool


def page(
    connection: sa.Connection, workspace_id: str, *, limit: int = 20, starting_after: int | None = None
) -> MovePage:
    """One page of a workspace's moves, the latest first.

    limit           1 to 100.
    starting_after  id of the last move of the page before.

    Raises BadParameter; NotFound for a cursor that is no move of this workspace.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise BadParameter(f"limit is {limit}; it must be 1 to {LIMIT_MAX}", param="limit")
    query = sa.select(TRANSFERS).where(TRANSFERS.c.workspace_id == workspace_id)
    if starting_after is not None:
        if connection.execute(query.where(TRANSFERS.c.id == starting_after)).one_or_none() is None:
            raise NotFound(f"there is no move {starting_after}", param="starting_after")
        query = query.where(TRANSFERS.c.id < starting_after)
    rows = connection.execute(query.order_by(TRANSFERS.c.id.desc()).limit(limit + 1)).all()
    kept = rows[:limit]
    changes: dict[tuple[int, str], int] = {
        (row.transfer_id, row.account): row.micros
        for row in connection.execute(
            sa.select(ENTRIES).where(ENTRIES.c.transfer_id.in_([row.id for row in kept]))
        )
    }
    return MovePage(
        tuple(
            Move(
                row.id,
                row.kind,
                row.job_id,
                row.note,
                changes.get((row.id, f"{workspace_id}:available"), 0),
                changes.get((row.id, f"{workspace_id}:held"), 0),
                row.created_ms,
            )
            for row in kept
        ),
        len(rows) > limit,
    )
