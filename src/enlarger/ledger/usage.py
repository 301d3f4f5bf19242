"""Usage: one record for every accepted request, written in the commit that ended its job."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from enlarger.errors import BadParameter, NotFound
from enlarger.ledger.tables import USAGE
from enlarger.moment import iso_of
from enlarger.money import dollars

LIMIT_MAX = 100
LIMIT_DEFAULT = 20
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection)."""
TIMES = ("created_ms", "finished_ms")


@dataclass(frozen=True, kw_only=True)
class UsageRecord:
    """What one accepted request was, what it cost and how it ended. Times are milliseconds since 1970."""

    job_id: str
    workspace_id: str
    key_id: str
    is_test: bool
    """Sent with a key for tests: real work, billed 0."""
    request_id: str
    idempotency_hash: str | None
    """SHA-256 of the caller's idempotency key."""
    door: str
    operation: str
    model: str
    route: str
    """Who made the picture: `local`, or an upstream provider's route."""
    attempts: int
    status: str
    """`succeeded`, `failed` or `cancelled`."""
    error_code: str | None
    input_width: int
    input_height: int
    input_bytes: int
    output_width: int | None
    output_height: int | None
    output_bytes: int | None
    price_micros: int
    price_version: int
    billed_micros: int
    queue_ms: int | None
    """From acceptance to the beginning of the work; None if it never began."""
    latency_ms: int
    """From acceptance to the end."""
    engine_ms: int | None
    encode_ms: int | None
    receipt_verdict: str | None
    """`pass`, `warn` or `fail`; None where nothing was made."""
    created_ms: int
    finished_ms: int


@dataclass(frozen=True)
class UsageFilter:
    """Which records; the shape of an answer never depends on it."""

    key_id: str | None = None
    model: str | None = None
    status: str | None = None
    from_ms: int | None = None
    """Accepted at this time or later."""
    to_ms: int | None = None
    """Accepted before this time."""


@dataclass(frozen=True)
class Page:
    """Records, those that ended last first, and whether there are more beyond the last of them."""

    records: tuple[UsageRecord, ...]
    has_more: bool


class Bucket(StrEnum):
    """Width of a rollup's rows, in UTC."""

    HOUR = "hour"
    DAY = "day"

    @property
    def width_ms(self) -> int:
        """In milliseconds."""
        return {Bucket.HOUR: 3_600_000, Bucket.DAY: 86_400_000}[self]


@dataclass(frozen=True)
class Rollup:
    """What one model came to in one hour or day."""

    start_ms: int
    model: str
    requests: int
    succeeded: int
    billed_micros: int
    output_pixels: int


def record(connection: sa.Connection, usage: UsageRecord) -> None:
    """Write a record, inside the commit that ends its job."""
    connection.execute(USAGE.insert().values(**asdict(usage)))


def page(
    connection: sa.Connection,
    workspace_id: str,
    where: UsageFilter,
    *,
    limit: int = LIMIT_DEFAULT,
    starting_after: str | None = None,
    ending_before: str | None = None,
) -> Page:
    """One page of a workspace's records, those that ended last first.

    A record is written when its job ends. In that order nothing comes in behind a cursor that somebody
    has gone on from; in the order of acceptance a job that takes long would.

    limit           1 to 100.
    starting_after  id of the last record of the page before; this page begins after it.
    ending_before   id of the first record of the page after; this page ends before it.

    Raises BadParameter; NotFound for a cursor that is no record of this workspace.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise BadParameter(f"limit is {limit}; it must be 1 to {LIMIT_MAX}", param="limit")
    if starting_after is not None and ending_before is not None:
        raise BadParameter("starting_after and ending_before exclude each other", param="ending_before")
    query = sa.select(USAGE).where(*_conditions(workspace_id, where))
    columns = (USAGE.c.finished_ms, USAGE.c.job_id)
    order = sa.tuple_(*columns)
    is_backwards = ending_before is not None
    cursor = ending_before if is_backwards else starting_after
    if cursor is not None:
        param = "ending_before" if is_backwards else "starting_after"
        at = _position(connection, workspace_id, cursor, param)
        query = query.where(order > at if is_backwards else order < at)
    query = query.order_by(*(column.asc() if is_backwards else column.desc() for column in columns))
    rows = [UsageRecord(**row._mapping) for row in connection.execute(query.limit(limit + 1))]
    kept = rows[:limit]
    return Page(tuple(reversed(kept) if is_backwards else kept), len(rows) > limit)


def rollups(
    connection: sa.Connection, workspace_id: str, where: UsageFilter, bucket: Bucket
) -> list[Rollup]:
    """Sums by model and by hour or day, the earliest first."""
    start = (USAGE.c.created_ms - USAGE.c.created_ms % bucket.width_ms).label("start_ms")
    # Widened first: the product of two sides may be more than their own type holds.
    width = sa.cast(USAGE.c.output_width, sa.BigInteger)
    pixels = sa.func.coalesce(width * USAGE.c.output_height, 0)
    query = (
        sa.select(
            start,
            USAGE.c.model,
            sa.func.count(),
            sa.func.sum(sa.case((USAGE.c.status == "succeeded", 1), else_=0)),
            sa.func.sum(USAGE.c.billed_micros),
            sa.func.sum(pixels),
        )
        .where(*_conditions(workspace_id, where))
        .group_by(start, USAGE.c.model)
        .order_by(start, USAGE.c.model)
    )
    return [
        Rollup(int(start), model, requests, int(succeeded), int(billed), int(pixels))
        for start, model, requests, succeeded, billed, pixels in connection.execute(query)
    ]


def export_csv(engine: sa.Engine, workspace_id: str, where: UsageFilter) -> Iterator[str]:
    """All of a workspace's records as CSV (RFC 4180), in the order of `page`, piece by piece.

    Amounts have six decimals, times are ISO 8601 in UTC. Text that a spreadsheet would take for a
    formula has an apostrophe before it. Each piece is read by a query of its own, so that a slow
    reader holds no transaction open.
    """
    yield _csv_lines([[_column(field.name) for field in fields(UsageRecord)]])
    after: str | None = None
    while True:
        with engine.connect() as connection:
            piece = page(connection, workspace_id, where, limit=LIMIT_MAX, starting_after=after)
        if piece.records:
            lines = [asdict(one).items() for one in piece.records]
            yield _csv_lines([[_cell(name, value) for name, value in line] for line in lines])
        if not piece.has_more:
            return
        after = piece.records[-1].job_id


def _column(name: str) -> str:
    """A field's name in the header row: where the cells say the unit, the name need not."""
    if name in TIMES:
        return name.replace("_ms", "_at")
    return name.removesuffix("_micros")


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name.endswith("_micros"):
        return dollars(value)
    if name in TIMES:
        return iso_of(value)
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _csv_lines(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _conditions(workspace_id: str, where: UsageFilter) -> Iterator[sa.ColumnElement[bool]]:
    yield USAGE.c.workspace_id == workspace_id
    for column, value in (
        (USAGE.c.key_id, where.key_id),
        (USAGE.c.model, where.model),
        (USAGE.c.status, where.status),
    ):
        if value is not None:
            yield column == value
    if where.from_ms is not None:
        yield USAGE.c.created_ms >= where.from_ms
    if where.to_ms is not None:
        yield USAGE.c.created_ms < where.to_ms


def _position(
    connection: sa.Connection, workspace_id: str, job_id: str, param: str
) -> sa.ColumnElement[Any]:
    row = connection.execute(
        sa.select(USAGE.c.finished_ms, USAGE.c.job_id).where(
            USAGE.c.workspace_id == workspace_id, USAGE.c.job_id == job_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no usage record {job_id}", param=param)
    return sa.tuple_(sa.literal(row.finished_ms), sa.literal(row.job_id))
