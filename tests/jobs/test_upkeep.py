"""The database does not grow without end: its log, and the rows of jobs that are long gone."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import sqlalchemy as sa

from enlarger.database import connect, now_ms, snapshot, write
from enlarger.database.connection import WAL_SIZE_LIMIT_BYTES
from enlarger.database.upkeep import checkpoint, log_bytes
from enlarger.jobs.expiry import expire_answers, expire_pictures, forget_jobs
from tests.support.desk import DAY_MS, Desk

MEGABYTE = 2**20
COMMITS = 400
COMMIT_BYTES = MEGABYTE // 2
PAUSE_S = 0.02
"""Between commits: 100 times what a busy server writes in them."""
READ_S, GAP_S = 0.3, 0.01
"""What each of three readers does, so that there is always one."""


def test_the_log_stays_small_while_readers_overlap(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'soak.db'}", pool_size=8)
    with write(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE soak (number INTEGER PRIMARY KEY, bytes BLOB)")
    is_over = threading.Event()

    def read(offset_s: float) -> None:
        time.sleep(offset_s)
        while not is_over.is_set():
            with snapshot(engine) as connection:
                connection.scalar(sa.text("SELECT COUNT(*) FROM soak"))
                time.sleep(READ_S)
            time.sleep(GAP_S)

    def keep() -> None:
        while not is_over.wait(0.5):
            checkpoint(engine)

    threads = [threading.Thread(target=read, args=(READ_S * number / 3,)) for number in range(3)]
    threads.append(threading.Thread(target=keep))
    for thread in threads:
        thread.start()
    largest, longest_s = 0, 0.0
    try:
        for number in range(COMMITS):
            started = time.monotonic()
            with write(engine) as connection:
                values = {"number": number % 20, "bytes": bytes(COMMIT_BYTES)}
                connection.execute(sa.text("REPLACE INTO soak VALUES (:number, :bytes)"), values)
            longest_s = max(longest_s, time.monotonic() - started)
            largest = max(largest, log_bytes(engine))
            time.sleep(PAUSE_S)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(30)
    print(
        f"largest log {largest / MEGABYTE:.0f} MB of {COMMITS / 2:.0f} MB, longest commit {longest_s:.2f} s"
    )
    assert largest < WAL_SIZE_LIMIT_BYTES
    assert longest_s < 5
    assert checkpoint(engine)
    assert log_bytes(engine) == 0
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
    engine.dispose()


def test_a_reader_that_does_not_end_holds_up_nobody_for_long(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'held.db'}", pool_size=4)
    with write(engine) as connection:
        connection.exec_driver_sql("CREATE TABLE held (number INTEGER)")
    with snapshot(engine) as reader:
        reader.scalar(sa.text("SELECT COUNT(*) FROM held"))
        with write(engine) as connection:
            connection.exec_driver_sql("INSERT INTO held VALUES (1)")
        started = time.monotonic()
        assert not checkpoint(engine)
        assert time.monotonic() - started < 2
        assert log_bytes(engine) > 0
    assert checkpoint(engine)
    engine.dispose()


class Store:
    def delete(self, keys: object) -> None:
        pass


def test_rows_of_jobs_go_long_after_their_pictures_and_the_books_stay(desk: Desk) -> None:
    caller = desk.caller()
    done, remembered, waiting = (
        desk.submit(caller, key_hash=key_hash).job_id for key_hash in (None, "k" * 64, None)
    )
    desk.run(done)
    desk.run(remembered)
    later = now_ms() + 2 * DAY_MS
    store = Store()

    def forgotten(days: float) -> int:
        return forget_jobs(
            desk.engine, desk.client.delete_workflows, 30 * DAY_MS, lambda: later + round(days * DAY_MS)
        )

    assert forgotten(365) == 0, "their pictures are there still"
    assert expire_pictures(desk.engine, store, lambda: later) == 2  # type: ignore[arg-type]
    assert forgotten(29) == 0
    assert forgotten(31) == 1
    assert forgotten(31) == 0, "the other's answer may be asked for"
    expire_answers(desk.engine, store, lambda: later)  # type: ignore[arg-type]
    assert forgotten(31) == 1
    assert [row.id for row in desk.rows("SELECT id FROM jobs")] == [waiting]
    left = "dbos.workflow_status" if desk.engine.dialect.name == "postgresql" else "workflow_status"
    assert [row.workflow_uuid for row in desk.rows(f"SELECT workflow_uuid FROM {left}")] == [waiting]
    assert desk.rows("SELECT COUNT(*) AS n FROM usage")[0].n == 2
    assert desk.faults() == []
