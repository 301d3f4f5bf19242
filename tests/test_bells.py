"""Processes of one machine wake one another, and nothing is lost where they do not."""

from __future__ import annotations

import select
import threading
import time
from pathlib import Path

import psutil
import pytest

from enlarger.bells import API, WORKER, Bell, ring
from enlarger.jobs import pace
from enlarger.jobs.pace import Pace, PacedEvent


def rings(bell: Bell) -> bool:
    return bool(select.select([bell], [], [], 0)[0])


def test_a_ring_is_heard_by_every_bell_of_its_kind_and_once(tmp_path: Path) -> None:
    first, second, api = (Bell(tmp_path / "bells", name) for name in (f"{WORKER}-a", f"{WORKER}-b", API))
    assert not any(map(rings, (first, second, api)))
    ring(tmp_path / "bells", WORKER)
    ring(tmp_path / "bells", WORKER)
    assert (rings(first), rings(second), rings(api)) == (True, True, False)
    first.wait()
    assert not rings(first)
    first.take()
    for bell in (first, second, api):
        bell.close()
    assert oct((tmp_path / "bells" / API).stat().st_mode) == "0o10600"


def test_nobody_need_hear_and_nobody_is_held_up(tmp_path: Path) -> None:
    ring(tmp_path / "nowhere", WORKER)
    Bell(tmp_path, f"{WORKER}-gone").close()
    ring(tmp_path, WORKER)
    with_many = Bell(tmp_path, f"{WORKER}-busy")
    for _ in range(100_000):
        ring(tmp_path, f"{WORKER}-busy")
    assert rings(with_many)
    with_many.close()
    again = Bell(tmp_path, f"{WORKER}-gone")
    ring(tmp_path, WORKER)
    assert rings(again)
    again.close()


def test_descriptors_are_not_used_up(tmp_path: Path) -> None:
    before = psutil.Process().num_fds()
    Bell(tmp_path, API).close()
    for _ in range(100):
        ring(tmp_path, API)
    assert psutil.Process().num_fds() == before


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("may_rest", "quiet_s", "waits_s"),
    [
        (True, 0.0, pace.AFTERMATH_POLL_S),
        (True, 0.5, 0.05),
        (True, 1.5, pace.QUIET_POLL_S),
        (False, 1.5, 0.05),
    ],
)
def test_a_loop_looks_often_after_news_and_seldom_in_between(
    clock: list[float], may_rest: bool, quiet_s: float, waits_s: float
) -> None:
    paced = Pace(may_rest=may_rest)
    paced.ring()
    clock[0] += quiet_s
    assert paced._stretch(0.05) == waits_s
    assert paced._stretch(None) is None


def test_a_ring_between_two_looks_is_not_lost() -> None:
    paced = Pace(may_rest=True)
    paced.wait(0.001)
    paced.ring()
    started = time.monotonic()
    paced.wait(60)
    assert time.monotonic() - started < 30


def test_every_loop_hears_a_ring_and_the_end() -> None:
    event = PacedEvent()
    event.pace = Pace(may_rest=True)
    ends = []
    loops = [threading.Thread(target=lambda: ends.append(event.wait(60))) for _ in range(3)]
    for loop in loops:
        loop.start()
    while sum(loop.is_alive() for loop in loops) and not event.is_set():
        event.set()
    for loop in loops:
        loop.join(30)
    assert ends == [True, True, True]
