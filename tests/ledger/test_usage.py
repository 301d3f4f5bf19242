"""Usage: one record a request, in pages, sums and CSV; what test keys, caps and models do to it."""

from __future__ import annotations

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
import sqlalchemy as sa

from enlarger.accounts import Caller
from enlarger.database import snapshot, write
from enlarger.errors import BadParameter, Collapsed, NotAllowed, NotFound, SpendCapReached
from enlarger.ledger import ledger, moves, usage
from enlarger.ledger.usage import Bucket, UsageFilter, UsageRecord
from tests.support.desk import FAST_MICROS, Desk

HOUR_MS = 3_600_000
START_MS = 1_800_000_000_000 // 86_400_000 * 86_400_000
BASE = UsageRecord(
    job_id="",
    workspace_id="",
    key_id="key_a",
    is_test=False,
    request_id="r",
    idempotency_hash=None,
    door="test",
    operation="upscale/fast",
    model="fast",
    route="local",
    attempts=1,
    status="succeeded",
    error_code=None,
    input_width=512,
    input_height=256,
    input_bytes=100_000,
    output_width=2048,
    output_height=1024,
    output_bytes=4_000_000,
    price_micros=20_000,
    price_version=1,
    billed_micros=20_000,
    queue_ms=5,
    latency_ms=600,
    engine_ms=500,
    encode_ms=30,
    receipt_verdict="pass",
    created_ms=START_MS,
    finished_ms=START_MS + 600,
)


def write_records(desk: Desk, *changes: dict[str, Any]) -> str:
    """One record for each, an hour apart and named for its place; returns the workspace."""
    workspace = desk.accounts.workspaces.get("default").id
    with write(desk.engine) as connection:
        for number, change in enumerate(changes):
            record = replace(
                BASE,
                job_id=f"{number:08d}-0000",
                workspace_id=workspace,
                created_ms=START_MS + number * HOUR_MS,
                finished_ms=START_MS + number * HOUR_MS + BASE.latency_ms,
            )
            usage.record(connection, replace(record, **change))
    return workspace


def page(desk: Desk, workspace: str, where: UsageFilter, **options: Any) -> usage.Page:
    with desk.engine.connect() as connection:
        return usage.page(connection, workspace, where, **options)


def numbers(found: usage.Page) -> list[int]:
    return [int(record.job_id[:8]) for record in found.records]


TOGETHER = {"created_ms": 0, "finished_ms": BASE.latency_ms}


def test_pages_go_both_ways_and_filters_do_not_change_them(desk: Desk) -> None:
    # Every third is of another model; two share a millisecond.
    changes: list[dict[str, Any]] = [
        {"model": "creative" if number % 3 == 0 else "fast"} for number in range(9)
    ]
    changes[5] |= {name: START_MS + 4 * HOUR_MS + shift for name, shift in TOGETHER.items()}
    workspace = write_records(desk, *changes)
    for where, expected in (
        (UsageFilter(), [8, 7, 6, 5, 4, 3, 2, 1, 0]),
        (UsageFilter(model="fast"), [8, 7, 5, 4, 2, 1]),
        (UsageFilter(key_id="key_b"), []),
        (UsageFilter(status="failed"), []),
        (UsageFilter(from_ms=START_MS + HOUR_MS, to_ms=START_MS + 4 * HOUR_MS), [3, 2, 1]),
    ):
        seen: list[int] = []
        after = None
        while True:
            found = page(desk, workspace, where, limit=2, starting_after=after)
            seen += numbers(found)
            if not found.has_more:
                break
            after = found.records[-1].job_id
        assert seen == expected
        back: list[int] = []
        before = "00000000-0000"
        while True:
            found = page(desk, workspace, where, limit=2, ending_before=before)
            back = numbers(found) + back
            if not found.has_more:
                break
            before = found.records[0].job_id
        assert back == [number for number in expected if number != 0]


def test_a_reader_that_goes_on_misses_no_job_that_took_long(desk: Desk) -> None:
    caller = desk.caller()
    slow, quick, later = (desk.submit(caller).job_id for _ in range(3))
    seen: list[str] = []
    newest = None
    for job_id in (quick, slow, later):
        assert desk.run(job_id)
        found = page(desk, caller.workspace.id, UsageFilter(), ending_before=newest)
        seen += reversed([record.job_id for record in found.records])
        newest = found.records[0].job_id
        time.sleep(0.002)
    assert seen == [quick, slow, later]


def test_a_page_that_cannot_be_is_refused(desk: Desk) -> None:
    workspace = write_records(desk, {}, {})
    for limit in (0, 101, -1):
        with pytest.raises(BadParameter, match=f"limit is {limit}; it must be 1 to 100"):
            page(desk, workspace, UsageFilter(), limit=limit)
    with pytest.raises(BadParameter, match="exclude each other"):
        page(desk, workspace, UsageFilter(), starting_after="00000000-0000", ending_before="00000001-0000")
    other = desk.accounts.workspaces.create("other").id
    for way in ("starting_after", "ending_before"):
        with pytest.raises(NotFound) as caught:
            page(desk, other, UsageFilter(), **{way: "00000000-0000"})
        assert caught.value.param == way
        with pytest.raises(NotFound, match="no usage record"):
            page(desk, workspace, UsageFilter(), **{way: ""})
    assert page(desk, other, UsageFilter()).records == ()


def test_sums_by_hour_and_day(desk: Desk) -> None:
    changes: list[dict[str, Any]] = [
        {"created_ms": START_MS + 23 * HOUR_MS},
        {"created_ms": START_MS + 23 * HOUR_MS + 5, "model": "creative", "billed_micros": 600_000},
        {"created_ms": START_MS + 24 * HOUR_MS - 1, "status": "failed", "billed_micros": 0},
        {"created_ms": START_MS + 24 * HOUR_MS, "output_width": 60_000, "output_height": 60_000},
        {"created_ms": START_MS + 24 * HOUR_MS, "output_width": None, "output_height": None},
    ]
    workspace = write_records(desk, *changes)
    with desk.engine.connect() as connection:
        days = usage.rollups(connection, workspace, UsageFilter(), Bucket.DAY)
        hours = usage.rollups(connection, workspace, UsageFilter(model="fast"), Bucket.HOUR)
        other = desk.accounts.workspaces.create("other").id
        assert usage.rollups(connection, other, UsageFilter(), Bucket.DAY) == []
    assert [(row.start_ms, row.model, row.requests, row.succeeded, row.billed_micros) for row in days] == [
        (START_MS, "creative", 1, 1, 600_000),
        (START_MS, "fast", 2, 1, 20_000),
        (START_MS + 24 * HOUR_MS, "fast", 2, 2, 40_000),
    ]
    assert days[2].output_pixels == 3_600_000_000
    assert [row.start_ms for row in hours] == [START_MS + 23 * HOUR_MS, START_MS + 24 * HOUR_MS]


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", 'a,"b"', "line\r\nbreak", "ü"]


def test_csv_is_what_spreadsheets_and_parsers_read_alike(desk: Desk) -> None:
    workspace = write_records(
        desk,
        *({"operation": text} for text in DANGEROUS),
        {"billed_micros": 1, "error_code": None, "is_test": True},
    )
    text = "".join(usage.export_csv(desk.engine, workspace, UsageFilter()))
    lines = text.split("\r\n")
    assert lines[0].split(",")[:4] == ["job_id", "workspace_id", "key_id", "is_test"]
    assert lines[-1] == "", "every line ends in CRLF, the last one too (RFC 4180)"
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == len(DANGEROUS) + 1
    assert list(rows[0]) == [
        field.name.replace("created_ms", "created_at")
        .replace("finished_ms", "finished_at")
        .removesuffix("_micros")
        for field in fields(UsageRecord)
    ]
    assert (rows[0]["billed"], rows[0]["price"], rows[0]["is_test"]) == ("0.000001", "0.020000", "true")
    assert (rows[0]["error_code"], rows[0]["queue_ms"]) == ("", "5")
    assert rows[-1]["created_at"] == "2027-01-15T00:00:00.000+00:00"
    shown = [row["operation"] for row in reversed(rows[1:])]
    for meant, cell in zip(DANGEROUS, shown, strict=True):
        assert cell == (f"'{meant}" if meant[0] in "=+-@\t\r\n" else meant)
    assert not [row for row in shown if row.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]


def test_csv_comes_in_pieces_and_is_the_pages_together(desk: Desk) -> None:
    workspace = write_records(desk, *({} for _ in range(250)))
    pieces = usage.export_csv(desk.engine, workspace, UsageFilter())
    head = next(pieces)
    first = next(pieces)
    assert (head.count("\n"), first.count("\n")) == (1, 100)
    assert desk.engine.pool.checkedout() == 0, "nothing is held while the reader is slow"  # type: ignore[attr-defined]
    with desk.engine.begin() as connection:
        # What comes in meanwhile is newer than the cursor, and not in this export.
        connection.execute(
            sa.insert(usage.USAGE).values(
                **asdict(replace(BASE, job_id="x", workspace_id=workspace, finished_ms=START_MS * 2))
            )
        )
    rest = "".join(pieces)
    ids = [row.split(",")[0] for row in (first + rest).splitlines()]
    assert ids == [f"{number:08d}-0000" for number in reversed(range(250))]
    empty = list(usage.export_csv(desk.engine, workspace, UsageFilter(model="nothing")))
    assert len("".join(empty).splitlines()) == 1, "the head stands also above nothing"


def test_a_test_key_bills_nothing_and_is_marked(desk: Desk) -> None:
    before = desk.balance(desk.caller())
    tester = desk.caller(is_test=True, cap_micros=0)
    for ends in (desk.run, lambda job: desk.jobs.fail(job, Collapsed())):
        assert ends(desk.submit(tester).job_id)
    assert desk.balance(tester) == before
    found = page(desk, tester.workspace.id, UsageFilter(key_id=tester.key_id))
    assert [(r.is_test, r.price_micros, r.billed_micros) for r in found.records] == [
        (True, FAST_MICROS, 0),
        (True, FAST_MICROS, 0),
    ]
    assert desk.accounts.keys.get(tester.key_id).spent_micros == 0
    assert desk.faults() == []


def race(desk: Desk, caller: Caller, count: int) -> list[str]:
    """Submit from many threads at once; the jobs that were accepted."""

    def submit(_: int) -> str | None:
        try:
            return desk.submit(caller).job_id
        except SpendCapReached:
            return None

    with ThreadPoolExecutor(50) as threads:
        return [job for job in threads.map(submit, range(count)) if job is not None]


def test_fifty_threads_never_pass_a_spend_cap(desk: Desk) -> None:
    cap = 7 * FAST_MICROS + FAST_MICROS // 2
    caller = desk.caller(cap_micros=cap)
    accepted = race(desk, caller, 50)
    assert len(accepted) == 7
    assert desk.accounts.keys.get(caller.key_id).spent_micros == 7 * FAST_MICROS
    assert desk.balance(caller).held_micros == 7 * FAST_MICROS, "who was refused holds nothing"
    # What fails gives its share of the cap back, and what succeeds does not.
    for job in accepted[:3]:
        assert desk.jobs.fail(job, Collapsed())
    for job in accepted[3:]:
        assert desk.run(job)
    assert len(race(desk, caller, 50)) == 3
    assert desk.accounts.keys.get(caller.key_id).spent_micros == 7 * FAST_MICROS <= cap
    assert desk.faults() == []


def test_a_rotated_key_gets_back_what_a_failed_job_had_held(desk: Desk) -> None:
    caller = desk.caller(cap_micros=2 * FAST_MICROS)
    lost, kept = (desk.submit(caller).job_id for _ in range(2))
    new, secret = desk.accounts.keys.rotate(caller.key_id)
    successor = desk.accounts.keys.authenticate(secret)
    assert new.spent_micros == 2 * FAST_MICROS
    with pytest.raises(SpendCapReached):
        desk.submit(successor)
    assert desk.jobs.fail(lost, Collapsed())
    assert desk.run(kept)
    assert desk.accounts.keys.get(new.id).spent_micros == FAST_MICROS
    desk.submit(successor)
    with pytest.raises(SpendCapReached):
        desk.submit(successor)


def test_what_a_key_is_not_for_is_refused_before_anything_is_held(desk: Desk) -> None:
    caller = desk.caller(models=("conservative",))
    before = desk.rows("SELECT count(*) AS n FROM transfers")[0].n
    with pytest.raises(NotAllowed, match="'fast'"):
        desk.submit(caller)
    assert desk.rows("SELECT count(*) AS n FROM transfers")[0].n == before
    assert desk.rows("SELECT count(*) AS n FROM jobs")[0].n == 0
    desk.submit(caller, model="conservative")


def test_what_moves_while_the_books_are_verified_is_no_fault(desk: Desk) -> None:
    """A job is accepted, and one ends, between any two of its questions."""
    caller = desk.caller()
    waiting = [desk.submit(caller).job_id for _ in range(8)]

    def move(*_: object) -> None:
        desk.submit(caller)
        desk.run(waiting.pop())

    with snapshot(desk.engine) as connection:
        # Only what is asked on this connection; the moves have connections of their own.
        sa.event.listen(connection, "before_cursor_execute", move)
        assert list(ledger.verify(connection)) == []
    assert len(waiting) < 6
    assert desk.faults() == []


def test_moves_are_seen_by_what_they_did_to_the_workspace(desk: Desk) -> None:
    caller = desk.caller()
    desk.run(desk.submit(caller).job_id)
    with desk.engine.connect() as connection:
        found = moves.page(connection, caller.workspace.id, limit=2)
        last = moves.page(connection, caller.workspace.id, limit=2, starting_after=found.moves[-1].id)
        assert [(move.kind, move.available_micros, move.held_micros) for move in found.moves] == [
            ("capture", 0, -FAST_MICROS),
            ("hold", -FAST_MICROS, FAST_MICROS),
        ]
        assert (found.has_more, last.has_more) == (True, False)
        assert [(move.kind, move.available_micros, move.note) for move in last.moves] == [
            ("top_up", 1_000_000_000, "first credit")
        ]
        other = desk.accounts.workspaces.create("other").id
        with pytest.raises(NotFound):
            moves.page(connection, other, starting_after=found.moves[0].id)
