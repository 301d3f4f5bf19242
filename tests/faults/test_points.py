"""kill -9 of each process at each named point: nothing is lost, nothing is done or paid twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.faults.conftest import Install
from tests.support import callers
from tests.support.installation import Installation, kill
from tests.support.plan import API_POINTS, CHILD_POINTS, WORKER_POINTS
from tests.support.running import wait_for
from tests.support.tally import KEY, Tally

ROUNDS = 80
"""Each kills at one point of the API, one of the worker and one of the child: at each ten times."""
SHARE = {"sqlite": 8, "postgres": 3}
WORKERS = {"sqlite": 1, "postgres": 2}
"""With one, only its own restart brings a job back; with two, whoever is first."""
CALLERS = 4


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        is_whole = metafunc.config.stash[KEY].is_whole
        turns = {kind: ROUNDS if is_whole else SHARE[kind] for kind in WORKERS}
        cases = [(kind, turn) for kind in WORKERS for turn in range(turns[kind])]
        metafunc.parametrize(("kind", "turn"), cases)


@pytest.fixture(scope="module")
def installation_of(install: Install) -> Iterator[Callable[[str], Installation]]:
    """One running server for all points on one kind of database."""
    with ExitStack() as servers:

        @cache
        def installation_of(kind: str) -> Installation:
            made = install(kind, ENLARGER_WORKERS=str(WORKERS[kind]))
            servers.enter_context(made.running())
            made.wait_until_ready(workers=WORKERS[kind])
            return made

        yield installation_of


def test_a_kill_at_any_point_loses_and_doubles_nothing(
    installation_of: Callable[[str], Installation], kind: str, turn: int, tally: Tally
) -> None:
    installation = installation_of(kind)
    workers = WORKERS[kind]
    roles = {"api": 1, "worker": workers, "child": workers}
    points = [group[turn % len(group)] for group in (API_POINTS, WORKER_POINTS, CHILD_POINTS)]
    with ExitStack() as attempts:
        # What was not hit must not be by the next attempt.
        attempts.callback(installation.plan.disarm, *points)
        order, *_ = [
            attempts.enter_context(tally.attempt(f"kill -9 at {point}", kind, turn)) for point in points
        ]
        for point in points:
            # These are passed once, or by whose body is seen in pieces; the others by each caller's job.
            is_rare = point in ("worker.in_drain", "api.mid_upload")
            installation.plan.arm(point, passes=0 if is_rare else order.randrange(2))
        waiting = installation.call(
            order, CALLERS, side_px=order.randrange(32, 64), is_slow="api.mid_upload" in points
        )
        if "worker.in_drain" in points:
            wait_for(lambda: installation.jobs("state = 'running'"), 30, "a job was begun")
            os.kill(installation.server.pid_of("worker"), signal.SIGTERM)
        for point in points:
            gone = installation.plan.wait_until_hit(point)
            role = point.partition(".")[0]
            installation.wait_for_other(role, gone, count=roles[role])
        callers.join(waiting)
        assert [caller.answer and caller.answer.status_code for caller in waiting] == [200] * CALLERS
        installation.check(waiting)
        assert any(caller.troubles for caller in waiting), "the API's death must have been noticed"


def test_kills_in_a_row_leave_the_server_away_for_seconds_only(
    install: Install, database: str, tally: Tally
) -> None:
    """What is restarted again and again is put off, and must not be for long."""
    installation = install(database)
    with tally.attempt("six kills in a row", database) as order, installation.running():
        installation.wait_until_ready()
        for role in ("api", "worker") * 3:
            pid = installation.server.pid_of(role)
            kill(pid)
            installation.wait_for_other(role, pid)
        waiting = installation.call(order, 1)
        callers.join(waiting)
        installation.check(waiting)
