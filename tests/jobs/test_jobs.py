"""The jobs table: one commit with the queue, guarded changes, waiting."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOSClient

from enlarger.accounts import Accounts
from enlarger.database import connect
from enlarger.database.migrate import migrate
from enlarger.errors import InferenceCrashed, NotFound, NotReady, UnsupportedPicture, WaitTimeout
from enlarger.jobs import Jobs, JobState, Outcome
from enlarger.jobs.durable import (
    QUEUE,
    VERSION,
    WORKER_CONCURRENCY,
    WORKER_POOL_SIZE,
    JsonSerializer,
    foreign_versions,
    make_client,
    prepare,
)
from enlarger.jobs.slots import Slot, ready_count
from enlarger.jobs.waiting import EAGER_POLL_S, Waiting
from enlarger.request import UpscaleRequest

OUTCOME = Outcome("ws/a/results/b.png", 2048, 1024, 500, 30)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'test.db'}", pool_size=8)
    migrate(engine)
    prepare(engine)
    Accounts(engine, b"pepper").bootstrap(None, None)
    yield engine
    engine.dispose()


@pytest.fixture
def client(engine: sa.Engine) -> Iterator[DBOSClient]:
    client = make_client(engine)
    yield client
    client.destroy()


@pytest.fixture
def jobs(engine: sa.Engine) -> Jobs:
    return Jobs(engine)


def submit(jobs: Jobs, client: DBOSClient, engine: sa.Engine, job_id: str = "job-1") -> None:
    with engine.connect() as connection:
        workspace_id = connection.exec_driver_sql("SELECT id FROM workspaces").scalar_one()
    jobs.submit(
        client,
        job_id=job_id,
        workspace_id=workspace_id,
        key_id="key",
        door="test",
        request=UpscaleRequest(seed=9),
        input_key="ws/a/inputs/b",
    )


def rows(engine: sa.Engine, sql: str) -> list[sa.Row]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql(sql))


def test_row_and_queue_entry_are_one_commit(jobs: Jobs, client: DBOSClient, engine: sa.Engine) -> None:
    submit(jobs, client, engine)
    job = jobs.get("job-1")
    assert (job.state, job.attempts, job.request.seed) == (JobState.QUEUED, 0, 9)
    [entry] = rows(
        engine,
        "SELECT workflow_uuid, status, queue_name, application_version, serialization FROM workflow_status",
    )
    assert entry == ("job-1", "ENQUEUED", QUEUE, VERSION, JsonSerializer().name())
    [(arguments,)] = rows(engine, "SELECT inputs FROM workflow_input")
    assert json.loads(arguments)["args"] == ["job-1"], "arguments are ids, in JSON"


def test_nothing_is_kept_when_the_enqueue_fails(
    jobs: Jobs, client: DBOSClient, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the machine stopped here")

    monkeypatch.setattr(client, "enqueue_in_transaction", fail)
    with pytest.raises(RuntimeError, match="the machine stopped here"):
        submit(jobs, client, engine)
    assert rows(engine, "SELECT * FROM jobs") == rows(engine, "SELECT * FROM workflow_status") == []
    with pytest.raises(NotFound, match="job-1"):
        jobs.get("job-1")


def test_a_job_moves_forward_and_never_back(jobs: Jobs, client: DBOSClient, engine: sa.Engine) -> None:
    submit(jobs, client, engine)
    jobs.succeed("job-1", OUTCOME)
    assert jobs.get("job-1").state is JobState.QUEUED, "only a running job succeeds"
    begun = jobs.begin_attempt("job-1")
    assert begun is not None
    assert (begun.state, begun.attempts) == (JobState.RUNNING, 1)
    again = jobs.begin_attempt("job-1")
    assert again is not None
    assert again.attempts == 2
    jobs.succeed("job-1", OUTCOME)
    jobs.fail("job-1", InferenceCrashed())
    jobs.succeed("job-1", Outcome("other", 1, 1, 1, 1))
    assert jobs.begin_attempt("job-1") is None
    job = jobs.get("job-1")
    assert (job.state, job.outcome, job.error) == (JobState.SUCCEEDED, OUTCOME, None)
    assert jobs.unfinished() == []


def test_a_failure_keeps_what_the_caller_will_read(
    jobs: Jobs, client: DBOSClient, engine: sa.Engine
) -> None:
    submit(jobs, client, engine)
    jobs.fail("job-1", UnsupportedPicture("the jpeg is damaged", param="image"))
    error = jobs.get("job-1").error
    assert isinstance(error, UnsupportedPicture)
    assert (error.message, error.param) == ("the jpeg is damaged", "image")


def test_many_submits_at_once_all_get_in(jobs: Jobs, client: DBOSClient, engine: sa.Engine) -> None:
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: submit(jobs, client, engine, f"job-{number}"), range(100)))
    assert len(jobs.unfinished()) == 100


def test_waiting_wakes_soon_and_everyone(jobs: Jobs, client: DBOSClient, engine: sa.Engine) -> None:
    submit(jobs, client, engine)
    jobs.begin_attempt("job-1")

    async def scenario() -> float:
        waiting = Waiting(jobs)
        waits = [asyncio.create_task(waiting.wait("job-1", 10)) for _ in range(3)]
        with pytest.raises(WaitTimeout):
            await waiting.wait("job-1", 0.2)
        assert not any(wait.done() for wait in waits), "one who gave up must not take the others along"
        await asyncio.to_thread(jobs.succeed, "job-1", OUTCOME)
        ended = time.monotonic()
        await asyncio.gather(*waits)
        return time.monotonic() - ended

    # Generous to a loaded machine: what is meant is one poll, and not a second or a restart.
    assert asyncio.run(scenario()) < 40 * EAGER_POLL_S


def test_a_slot_has_one_holder(engine: sa.Engine, tmp_path: Path) -> None:
    slot = Slot(engine, tmp_path, 0)
    with pytest.raises(NotReady, match=r"another worker holds local-0\.lock"):
        Slot(engine, tmp_path, 0)
    other = Slot(engine, tmp_path, 1)
    assert ready_count(engine) == 0
    slot.heartbeat(is_ready=True)
    assert ready_count(engine) == 1
    slot.release()
    other.release()
    assert ready_count(engine) == 0
    with pytest.raises(NotReady):
        Slot(engine, tmp_path, 0)
    slot._lock.close()  # as the kernel does when the process ends
    Slot(engine, tmp_path, 0)._lock.close()
    other._lock.close()


def test_jobs_of_another_version_are_seen(jobs: Jobs, client: DBOSClient, engine: sa.Engine) -> None:
    submit(jobs, client, engine)
    assert foreign_versions(client) == set()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_status SET application_version = 'enlarger-0'")
    assert foreign_versions(client) == {"enlarger-0"}


def test_as_many_connections_as_jobs_can_hold_are_to_be_had_at_once(tmp_path: Path) -> None:
    """A job's transaction asks for a second connection while it holds the first."""
    engine = connect(f"sqlite:///{tmp_path / 'pool.db'}", pool_size=WORKER_POOL_SIZE)
    with ExitStack() as held:
        for _ in range(2 * WORKER_CONCURRENCY + 10):
            held.enter_context(engine.connect())
    engine.dispose()


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}])
def test_only_json_is_ever_stored(value: object) -> None:
    with pytest.raises(TypeError, match="does not belong in a job's arguments"):
        JsonSerializer().serialize({"args": [value]})
