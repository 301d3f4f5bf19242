"""Workers that are gone for good, asleep, poisoned, doubled, or busy with what nobody wants."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial

import psutil
import pytest

from enlarger.errors import InferenceCrashed
from enlarger.jobs import Jobs, JobState
from tests.faults.conftest import Install
from tests.support import callers
from tests.support.installation import LEASE_S, Installation, pause
from tests.support.running import wait_for
from tests.support.tally import Tally

ROUNDS = 10
CANCEL_S = 2.0
RESULTS = "SELECT id, attempts, result_key, finished_ms FROM jobs ORDER BY id"


def start_worker(installation: Installation, ordinal: int) -> subprocess.Popen[bytes]:
    """A worker that no supervisor looks after, on the installation that is running."""
    environment = psutil.Process(installation.server.pid_of("worker")).environ()
    environment.pop("ENLARGER_LIFELINE_FD")
    with (installation.folder / f"worker-{ordinal}.log").open("a") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "enlarger", "worker", f"--ordinal={ordinal}"],
            env=environment,
            stderr=log,
        )


def wait_until_it_works(installation: Installation, ordinal: int) -> None:
    """Return when the worker of that slot can take a job."""
    slot = f"SELECT ready FROM slots WHERE id = 'here-{ordinal}'"

    def is_ready() -> bool:
        return any(row.ready for row in installation.rows(slot))

    wait_for(is_ready, 120, f"worker {ordinal} is ready")


@pytest.mark.both_databases
def test_the_jobs_of_a_worker_that_never_comes_back_are_taken_over(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    slowest = 0.0
    with installation.running():
        installation.wait_until_ready()
        for turn in range(tally.either(ROUNDS, 1)):
            with tally.attempt("a worker never comes back", database, turn) as order:
                worker = start_worker(installation, 1)
                try:
                    wait_until_it_works(installation, 1)
                    first = installation.server.pid_of("worker")
                    # Both are in the middle of a job, and neither ends before the second is dead.
                    points = ("child.mid_tile", "child.after_encode")
                    for point in points:
                        installation.plan.arm(point, "pause")
                    waiting = installation.call(order, 2)
                    stopped = {installation.plan.wait_until_hit(point) for point in points}
                    pause(order, 0.3)
                finally:
                    worker.kill()
                    worker.wait()
                for child in stopped:
                    os.kill(child, signal.SIGCONT)
                died = time.monotonic()
                callers.join(waiting)
                slowest = max(slowest, time.monotonic() - died)
                installation.check(waiting)
                assert installation.server.pid_of("worker") == first
                assert [caller.answer and caller.answer.status_code for caller in waiting] == [200, 200]
    tally.note("a worker never comes back", database, f"done within {slowest:.1f} s, lease {LEASE_S:.0f} s")


def test_a_worker_that_wakes_after_its_job_was_taken_over_changes_nothing(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    with installation.running():
        installation.wait_until_ready()
        for turn in range(tally.either(ROUNDS, 1)):
            with tally.attempt("a paused worker wakes", database, turn) as order:
                worker = start_worker(installation, 1)
                try:
                    wait_until_it_works(installation, 1)
                    point = order.choice(
                        ("worker.after_begin", "worker.after_render", "worker.after_object")
                    )
                    installation.plan.arm(point, "pause")
                    waiting = installation.call(order, 3)
                    asleep = installation.plan.wait_until_hit(point)
                    callers.join(waiting)
                    [taken] = installation.jobs("attempts > 1")[-1:]
                    assert taken.state == "succeeded"
                    results = installation.rows(RESULTS)
                    os.kill(asleep, signal.SIGCONT)
                    # It finds that it has lost its slot, and ends; the supervisor's own is started again.
                    if asleep == worker.pid:
                        assert worker.wait(60) != 0
                    else:
                        installation.wait_for_other("worker", asleep)
                    installation.check(waiting)
                    # What it had made may lie in the store until it is swept; nobody is ever given it.
                    assert installation.rows(RESULTS) == results
                finally:
                    worker.kill()
                    worker.wait()
                installation.wait_until_ready()


def test_a_second_process_of_one_slot_refuses_to_start(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    with installation.running() as server:
        installation.wait_until_ready()
        worker = server.pid_of("worker")
        for turn in range(tally.either(ROUNDS, 1)):
            with tally.attempt("two processes, one slot", database, turn) as order:
                waiting = installation.call(order, 2)
                second = start_worker(installation, 0)
                assert second.wait(60) == 1
                assert (
                    "here-0.lock; is the server running already?"
                    in (installation.folder / "worker-0.log").read_text()
                )
                installation.check(waiting)
                assert server.pid_of("worker") == worker
                assert all(job.attempts == 1 for job in installation.jobs())


def test_a_job_that_kills_its_process_harms_nobody_else(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    with installation.running() as server:
        installation.wait_until_ready()
        for turn in range(tally.either(ROUNDS, 1)):
            with tally.attempt("a poison job", database, turn) as order:
                # The child, as a hostile picture would, or the worker with it.
                role = ("child", "worker")[turn % 2]
                point = {"child": "child.mid_tile", "worker": "worker.after_input"}[role]
                before = installation.call(order, 1)
                callers.join(before)
                installation.plan.arm(point)
                [poison] = installation.call(order, 1)
                job = installation.job_of(poison)
                innocent = installation.call(order, 4)
                kills = 0
                while state_of(installation, job) in ("queued", "running"):
                    if installation.plan.is_hit(point):
                        kills += 1
                        installation.plan.arm(point)
                        # Armed again only while this job is the one that is run, so it meets no other.
                        wait_for(partial(is_tried_again, installation, job, kills), 60, "the next attempt")
                    time.sleep(0.01)
                installation.plan.disarm(point)
                installation.wait_until_ready()
                waiting = [*before, poison, *innocent]
                callers.join(waiting)
                installation.check(waiting)
                assert attempts_of(installation, job) <= 4
                assert poison.answer is not None
                assert poison.answer.status_code == 500
                statuses = [caller.answer and caller.answer.status_code for caller in innocent]
                assert statuses == [200] * 4
        assert server.process.poll() is None
    codes = {row.error_code for row in installation.rows("SELECT DISTINCT error_code FROM jobs")}
    assert codes == {None, InferenceCrashed.code}


def is_tried_again(installation: Installation, job: str, kills: int) -> bool:
    return attempts_of(installation, job) > kills or state_of(installation, job) == "failed"


def state_of(installation: Installation, job: str) -> str:
    [row] = installation.jobs(f"id = '{job}'")
    return str(row.state)


def attempts_of(installation: Installation, job: str) -> int:
    [row] = installation.jobs(f"id = '{job}'")
    return int(row.attempts)


def test_a_cancelled_job_of_one_endless_tile_ends_and_frees_its_worker_within_two_seconds(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    jobs = Jobs(installation.engine)
    slowest = 0.0
    with installation.running() as server:
        installation.wait_until_ready()
        for turn in range(tally.either(ROUNDS, 1)):
            with tally.attempt("cancel in one endless tile", database, turn) as order:
                installation.plan.arm("child.mid_tile", "pause")
                waiting = installation.call(order, 1)
                child = installation.plan.wait_until_hit("child.mid_tile")
                [row] = installation.jobs("state = 'running'")
                pause(order, 1.0)
                workspace = jobs.get(row.id).workspace_id
                asked = time.monotonic()
                assert jobs.cancel(row.id, workspace)
                assert jobs.get(row.id).state is JobState.CANCELLED
                wait_for(lambda child=child: not psutil.pid_exists(child), 10, "the child was ended")
                freed_s = time.monotonic() - asked
                slowest = max(slowest, freed_s)
                assert freed_s < CANCEL_S
                callers.join(waiting)
                assert waiting[0].answer is not None
                assert waiting[0].answer.status_code != 200
                after = installation.call(order, 1)
                callers.join(after)
                installation.check([*waiting, *after])
        assert server.process.poll() is None
    tally.note("cancel in one endless tile", database, f"slowest {slowest:.2f} s")


def test_jobs_cancelled_at_random_moments_are_captured_or_released(
    install: Install, database: str, tally: Tally
) -> None:
    installation = install(database)
    jobs = Jobs(installation.engine)
    count = tally.either(200, 20)
    at_once = 20
    ends: dict[str, int] = {}
    with installation.running():
        installation.wait_until_ready()
        for turn in range(count // at_once):
            with tally.attempt(f"{at_once} jobs cancelled at random", database, turn) as order:
                waiting = installation.call(order, at_once, side_px=64)
                ids = [installation.job_of(caller) for caller in waiting]
                for job_id in order.sample(ids, at_once // 2):
                    pause(order, 0.1)
                    jobs.cancel(job_id, jobs.get(job_id).workspace_id)
                callers.join(waiting)
                installation.check(waiting)
    for row in installation.jobs():
        ends[row.state] = ends.get(row.state, 0) + 1
    assert ends.keys() <= {"succeeded", "cancelled"}
    tally.note(f"{at_once} jobs cancelled at random", database, str(ends))


def test_a_job_claimed_by_a_living_worker_that_does_not_run_it_is_taken_up_again(
    install: Install, database: str, tally: Tally
) -> None:
    """A claim whose commit was done and whose acknowledgement was lost with the connection."""
    installation = install(database)
    with installation.running() as server:
        installation.wait_until_ready()
        worker = server.pid_of("worker")
        with tally.attempt("a claim that its worker never heard of", database) as order:
            os.kill(worker, signal.SIGSTOP)
            waiting = installation.call(order, 1)
            job = installation.job_of(waiting[0])
            claim(installation, job, "here-0")
            os.kill(worker, signal.SIGCONT)
            callers.join(waiting)
            installation.check(waiting)
            assert waiting[0].answer is not None
            assert waiting[0].answer.status_code == 200


def claim(installation: Installation, job: str, slot: str) -> None:
    """Do what the durable engine does when it hands a job to a worker."""
    installation.change(
        f"UPDATE {installation.table('workflow_status')} SET status = 'PENDING', executor_id = '{slot}',"
        f" owner_xid = '{random.getrandbits(64):x}' WHERE workflow_uuid = '{job}'"
    )
