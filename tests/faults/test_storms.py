"""Everything killed at once, a new release over jobs in flight, a database that is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import httpx
import psutil
import pytest

import enlarger
from enlarger.jobs.durable import VERSION
from enlarger.worker.work import MAX_ATTEMPTS
from tests.faults.conftest import Install
from tests.support import callers
from tests.support.installation import Installation, pause
from tests.support.postgres import Postgres
from tests.support.running import wait_for
from tests.support.tally import Tally

SOURCE = Path(enlarger.__file__).parents[1]
LONG_PX = 256
"""Side of pictures that take so long that a moment chosen at random finds some of them under way."""


def test_everything_is_killed_under_load(install: Install, database: str, tally: Tally) -> None:
    """Supervisor, API, workers and children at once, ten times; then a start as after a power cut."""
    installation = install(database, ENLARGER_WORKERS="2")
    rounds, load = tally.either(10, 1), 10
    waiting: list[callers.Caller] = []
    for turn in range(rounds):
        with tally.attempt("everything is killed", database, turn) as order:
            with installation.running():
                waiting += installation.call(order, load, side_px=LONG_PX)
                wait_for(lambda: installation.jobs("state = 'running'"), 30, "a job runs")
                pause(order, 0.5)
                under_way = len(installation.jobs("state in ('queued', 'running')"))
                installation.kill_everything()
                print(f"{under_way} jobs under way")
            assert under_way or turn, "a kill in mid-load is what is meant"
    with tally.attempt("everything is killed", database, rounds) as order, installation.running():
        installation.wait_until_ready(workers=2)
        installation.check(waiting)
        ended = {job.id: job for job in installation.jobs()}
        given_up = [
            ended[installation.job_of(caller)]
            for caller in waiting
            if caller.answer is None or caller.answer.status_code != 200
        ]
        # Whoever is at the head of the queue may be at work at one kill after another.
        assert all((job.state, job.attempts) == ("failed", MAX_ATTEMPTS + 1) for job in given_up), given_up
    tally.note("everything is killed", database, f"{len(waiting)} jobs, {len(given_up)} failed")


def test_the_supervisor_alone_is_killed_and_started_at_once(
    install: Install, database: str, tally: Tally
) -> None:
    """What it leaves behind ends by itself, and meanwhile holds the slots of those that come next."""
    installation = install(database)
    waiting: list[callers.Caller] = []
    for turn in range(tally.either(5, 1)):
        with tally.attempt("the supervisor is killed", database, turn) as order:
            with installation.running() as server:
                waiting += installation.call(order, 6, side_px=64)
                wait_for(lambda: installation.jobs("state = 'running'"), 30, "a job runs")
                family = psutil.Process(server.process.pid).children(recursive=True)
                server.process.kill()
                server.process.wait()
            with installation.running():
                installation.check(waiting)
                assert not psutil.wait_procs(family, timeout=60)[1], "all that it had started has ended"
    assert {caller.answer and caller.answer.status_code for caller in waiting} == {200}


def test_an_upgrade_finishes_what_is_in_flight(
    install: Install, database: str, tally: Tally, tmp_path: Path
) -> None:
    """The work's own code is another, and the jobs of the release before are done by it."""
    release = tmp_path / "release"
    shutil.copytree(SOURCE / "enlarger", release / "enlarger", ignore=shutil.ignore_patterns("__pycache__"))
    work = release / "enlarger" / "worker" / "work.py"
    head = "        def upscale(job_id: str) -> None:\n"
    assert head in work.read_text()
    work.write_text(work.read_text().replace(head, head + '            LOG.info("a.new.release")\n'))
    path = os.pathsep.join([str(release), *filter(None, [os.environ.get("PYTHONPATH")])])

    installation = install(database)
    with tally.attempt("upgrade with jobs in flight", database) as order:
        with installation.running(ENLARGER_DRAIN_TIMEOUT_S="1") as server:
            installation.wait_until_ready()
            child = server.pid_of("child")
            os.kill(child, signal.SIGSTOP)
            waiting = installation.call(order, tally.either(50, 12))
            for caller in waiting:
                installation.job_of(caller)
        os.kill(child, signal.SIGCONT)
        left = installation.jobs("state in ('queued', 'running')")
        print(f"{len(left)} jobs in flight")
        assert left, "there must be something to take over"
        with installation.running(PYTHONPATH=path) as server:
            installation.check(waiting)
            assert "a.new.release" in server.log()
        assert {caller.answer and caller.answer.status_code for caller in waiting} == {200}
        tally.note("upgrade with jobs in flight", database, f"{len(left)} of {len(waiting)} in flight")


def test_jobs_that_another_version_is_to_run_are_said_by_readyz(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    with tally.attempt("jobs of another version", database) as order, installation.running() as server:
        installation.wait_until_ready()
        child = server.pid_of("child")
        os.kill(child, signal.SIGSTOP)
        waiting = installation.call(order, 2)
        wait_for(lambda: installation.jobs("state = 'running'"), 30, "a job runs")
        [queued] = [
            installation.job_of(caller) for caller in waiting if not is_running(installation, caller)
        ]
        statuses = installation.table("workflow_status")
        change = f"UPDATE {statuses} SET application_version = '{{}}' WHERE workflow_uuid = '{queued}'"
        installation.change(change.format("enlarger-2"))
        os.kill(child, signal.SIGCONT)
        response = httpx.get(f"{installation.url}/readyz")
        assert response.status_code == 503
        assert "enlarger-2" in response.json()["versions"]
        time.sleep(1)
        assert [job.state for job in installation.jobs(f"id = '{queued}'")] == ["queued"]
        installation.change(change.format(VERSION))
        installation.check(waiting)
        installation.wait_until_ready()


def is_running(installation: Installation, caller: callers.Caller) -> bool:

    [job] = installation.jobs(f"id = '{installation.job_of(caller)}'")
    return bool(job.state == "running")


@pytest.mark.parametrize(("times", "away_s"), [(3, 2.0), (1, 40.0)])
def test_postgres_is_stopped_at_once(install: Install, tally: Tally, times: int, away_s: float) -> None:
    scenario = f"Postgres stopped {times} x {away_s:.0f} s, -m immediate"
    if times == 1 and not tally.is_whole:
        pytest.skip("in `make faults` alone")
    with Postgres.start() as postgres:
        installation = install("postgres", url=postgres.create_database(), ENLARGER_WORKERS="2")
        load = tally.either(40, 10)
        waiting: list[callers.Caller] = []
        settled_s = 0.0
        with installation.running():
            installation.wait_until_ready(workers=2)
            for turn in range(times):
                with tally.attempt(scenario, "postgres", turn) as order:
                    waiting += installation.call(order, load, side_px=LONG_PX)
                    wait_for(lambda: installation.jobs("state = 'running'"), 30, "a job runs")
                    pause(order, 0.3)
                    left = len(installation.jobs("state in ('queued', 'running')"))
                    postgres.stop_at_once()
                    time.sleep(away_s)
                    postgres.start_again()
                    assert left, "a stop in mid-load is what is meant"
                    settled_s = max(settled_s, installation.invariants.settle())
            installation.check(waiting)
            installation.wait_until_ready(workers=2)
            assert {caller.answer and caller.answer.status_code for caller in waiting} == {200}
        jobs = installation.jobs()
        repeated = sum(job.attempts - 1 for job in jobs)
        troubles = sum(caller.troubles.total() for caller in waiting)
        tally.note(
            scenario,
            "postgres",
            f"{len(jobs)} jobs, {repeated} repeated, {troubles} refusals that were sent again; ended within"
            f" {settled_s:.0f} s",
        )
