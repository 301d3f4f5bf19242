"""Windows in SQL: exact whoever counts, swept, and never worth a failure."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from enlarger.errors import RateLimited
from enlarger.limits.limiter import Limiter, network_of
from enlarger.limits.rule import Rule
from enlarger.limits.store import Windows, prepare

RULE = Rule(150, 10, 60)
LONG = Rule(150, 3600, 3600)
"""For real clocks: no machine is so slow that a request leaves the window."""


class Clock:
    """Stands still unless the test moves it."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def windows(url: str, clock: Clock) -> Iterator[Windows]:
    windows = Windows(url, clock)
    yield windows
    windows.close()


def rows_of(url: str) -> list[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = (
            connection.exec_driver_sql("SELECT subject FROM rate_windows ORDER BY subject").scalars().all()
        )
    engine.dispose()
    return list(rows)


def accepted_of(url: str, requests: int) -> int:
    windows = Windows(url)
    try:
        return sum(windows.judge("key same", LONG).is_allowed for _ in range(requests))
    finally:
        windows.close()


def test_request_151_is_refused_for_60_seconds_and_others_are_not(windows: Windows, clock: Clock) -> None:
    assert all(windows.judge("key a", RULE).is_allowed for _ in range(150))
    assert windows.judge("key a", RULE).retry_after_s == 60
    clock.ms += 59_999
    assert windows.judge("key a", RULE).retry_after_s == 1
    assert windows.judge("key b", RULE).is_allowed
    clock.ms += 1
    assert windows.judge("key a", RULE).is_allowed


def test_four_processes_at_once_are_let_through_exactly_150_times(url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as processes:
        accepted = list(processes.map(accepted_of, [url] * 4, [100] * 4))
    assert sum(accepted) == 150


def test_eight_threads_at_once_are_let_through_exactly_150_times(url: str) -> None:
    windows = Windows(url)
    with ThreadPoolExecutor(8) as threads:
        verdicts = list(threads.map(lambda _: windows.judge("key same", LONG), range(400)))
    windows.close()
    assert sum(verdict.is_allowed for verdict in verdicts) == 150


def test_what_one_process_counted_holds_after_its_end(url: str, clock: Clock) -> None:
    for number in range(151):
        if number % 50 == 0:
            windows = Windows(url, clock)
        is_allowed = windows.judge("key a", RULE).is_allowed
        if number % 50 == 49:
            windows.close()
    windows.close()
    assert not is_allowed


def test_rows_that_say_nothing_any_longer_are_swept(windows: Windows, clock: Clock, url: str) -> None:
    windows.judge("address 192.0.2.1", RULE)
    for _ in range(151):
        windows.judge("key blocked", RULE)
    clock.ms += 10_001
    windows.judge("address 192.0.2.2", RULE)
    windows.sweep()
    assert rows_of(url) == ["address 192.0.2.2", "key blocked"]
    clock.ms += 60_000
    windows.sweep()
    assert rows_of(url) == []


def test_the_table_may_be_made_again_and_keeps_its_rows(windows: Windows, url: str) -> None:
    windows.judge("key a", RULE)
    prepare(url)
    assert rows_of(url) == ["key a"]


def test_a_file_that_a_power_cut_damaged_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "limits.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 9000)
    prepare(f"sqlite:///{path}")
    windows = Windows(f"sqlite:///{path}")
    assert windows.judge("key a", RULE).is_allowed
    windows.close()


def test_a_judgement_waits_for_no_disk(url: str) -> None:
    """Far below what a request may cost, also where other work takes the processor."""
    windows = Windows(url)
    rule = Rule(1000, 10, 60)
    took_s = []
    for _ in range(300):
        started = time.perf_counter()
        windows.judge("key a", rule)
        took_s.append(time.perf_counter() - started)
    windows.close()
    assert sorted(took_s)[150] < 0.003


def test_the_limiter_says_what_was_exceeded_and_until_when(windows: Windows) -> None:
    async def ask() -> list[str]:
        limiter = Limiter(windows, key=Rule(2, 10, 60), address=None)
        answers = []
        for key in ("a", "a", "a", "b"):
            try:
                await limiter.count_key(key)
                answers.append("ok")
            except RateLimited as error:
                answers.append(f"{error.message} {error.retry_after_s}")
        for _ in range(3):
            await limiter.count_address("192.0.2.1")
        return answers

    sentence = "You have exceeded the rate limit of 2 requests within a 10 second period"
    penalty = "and have been timed out for 60 seconds."
    assert asyncio.run(ask()) == ["ok", "ok", f"{sentence}, {penalty} 60", "ok"]


def test_a_limit_that_cannot_count_ends_no_service(tmp_path: Path) -> None:
    limiter = Limiter(Windows(f"sqlite:///{tmp_path / 'unprepared.db'}"), key=RULE, address=RULE)
    asyncio.run(limiter.count_key("a"))
    asyncio.run(limiter.count_address("192.0.2.1"))


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("whatever a proxy lets through", "unknown"),
    ],
)
def test_what_an_address_counts_as(host: str, network: str) -> None:
    assert network_of(host) == network
