"""Jobs: one commit with the money and the queue, guarded changes, fair turns, leases, waiting."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from enlarger.accounts import Priority
from enlarger.database import connect, now_ms
from enlarger.errors import (
    Cancelled,
    DeadlineExceeded,
    InferenceCrashed,
    NotFound,
    NotReady,
    QueueFull,
    TooManyJobs,
    UnsupportedPicture,
    WaitTimeout,
)
from enlarger.jobs import JobFilter, JobState
from enlarger.jobs.durable import (
    QUEUE,
    VERSION,
    WORKER_CONCURRENCY,
    WORKER_POOL_SIZE,
    JsonSerializer,
    foreign_versions,
)
from enlarger.jobs.reconcile import fail_overdue
from enlarger.jobs.slots import Slot, expel_expired, live_slots, ready_count, slot_id
from enlarger.jobs.submission import Depth
from enlarger.jobs.turns import TURN_MAX, turn_of
from enlarger.jobs.waiting import POLL_LEAST_S, Waiting
from enlarger.ledger.ledger import Balance
from tests.support.desk import FAST_MICROS, OUTCOME, Desk


def test_hold_job_key_and_queue_entry_are_one_commit(desk: Desk) -> None:
    caller = desk.caller()
    ticket = desk.submit(caller, key_hash="k" * 64)
    job = desk.jobs.get(ticket.job_id)
    assert (job.state, job.attempts, job.request.seed) == (JobState.QUEUED, 0, 9)
    [entry] = desk.rows(
        "SELECT workflow_uuid, status, queue_name, application_version, serialization"
        f" FROM {table(desk, 'workflow_status')}"
    )
    assert tuple(entry) == (ticket.job_id, "ENQUEUED", QUEUE, VERSION, JsonSerializer().name())
    [(arguments,)] = desk.rows(f"SELECT inputs FROM {table(desk, 'workflow_input')}")
    assert json.loads(arguments)["args"] == [ticket.job_id], "arguments are ids, in JSON"
    assert desk.balance(caller).held_micros == FAST_MICROS
    assert [row.job_id for row in desk.rows("SELECT job_id FROM idempotency")] == [ticket.job_id]


def test_nothing_is_kept_when_the_enqueue_fails(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the machine stopped here")

    caller = desk.caller(cap_micros=FAST_MICROS)
    before = desk.balance(caller)
    with monkeypatch.context() as patched:
        patched.setattr(desk.client, "enqueue_in_transaction", fail)
        with pytest.raises(RuntimeError, match="the machine stopped here"):
            desk.submit(caller, key_hash="k" * 64)
    for name in ("jobs", "holds", "idempotency", table(desk, "workflow_status")):
        assert desk.rows(f"SELECT * FROM {name}") == []
    assert desk.balance(caller) == before
    assert desk.submit(caller).is_new, "the key's cap was not used up either"


def table(desk: Desk, name: str) -> str:
    """A table of the durable engine."""
    return f"dbos.{name}" if desk.engine.dialect.name == "postgresql" else name


def test_a_job_moves_forward_and_never_back(desk: Desk) -> None:
    caller = desk.caller()
    job_id = desk.submit(caller).job_id
    begun = desk.jobs.begin_attempt(job_id)
    assert begun is not None
    assert (begun.state, begun.attempts) == (JobState.RUNNING, 1)
    again = desk.jobs.begin_attempt(job_id)
    assert again is not None
    assert again.attempts == 2
    assert not desk.jobs.go_on(begun, 0.5), "the first attempt has lost the job"
    assert not desk.jobs.succeed(begun, OUTCOME)
    assert not desk.jobs.fail(job_id, InferenceCrashed(), attempt=begun)
    assert desk.jobs.get(job_id).state is JobState.RUNNING
    assert desk.jobs.succeed(again, OUTCOME)
    assert not desk.jobs.succeed(again, OUTCOME)
    assert not desk.jobs.fail(job_id, InferenceCrashed())
    assert not desk.jobs.cancel(job_id, caller.workspace.id)
    assert desk.jobs.begin_attempt(job_id) is None
    job = desk.jobs.get(job_id)
    assert (job.state, job.outcome, job.error, job.progress) == (JobState.SUCCEEDED, OUTCOME, None, 1.0)
    assert desk.jobs.unfinished() == []
    assert desk.balance(caller) == Balance(1_000_000_000 - FAST_MICROS, 0, is_unlimited=False)


def test_progress_never_falls(desk: Desk) -> None:
    job_id = desk.submit(desk.caller()).job_id
    first = desk.jobs.begin_attempt(job_id)
    assert first is not None
    for share, shown in ((0.25, 0.25), (0.75, 0.75), (0.5, 0.75)):
        assert desk.jobs.go_on(first, share)
        assert desk.jobs.get(job_id).progress == shown
    second = desk.jobs.begin_attempt(job_id)
    assert second is not None
    assert desk.jobs.go_on(second, 0.0)
    assert desk.jobs.get(job_id).progress == 0.75


def test_a_failure_keeps_what_the_caller_will_read_and_costs_nothing(desk: Desk) -> None:
    caller = desk.caller(cap_micros=FAST_MICROS)
    job_id = desk.submit(caller).job_id
    desk.jobs.fail(job_id, UnsupportedPicture("the jpeg is damaged", param="image"))
    error = desk.jobs.get(job_id).error
    assert isinstance(error, UnsupportedPicture)
    assert (error.message, error.param) == ("the jpeg is damaged", "image")
    assert desk.balance(caller) == Balance(1_000_000_000, 0, is_unlimited=False)
    [row] = desk.rows("SELECT * FROM usage")
    assert (row.status, row.error_code, row.price_micros, row.billed_micros) == (
        "failed",
        "unsupported_picture",
        FAST_MICROS,
        0,
    )
    assert desk.submit(caller).is_new, "what came back counts towards the cap no longer"


def test_a_deadline_that_has_passed_stops_the_work(desk: Desk) -> None:
    caller = desk.caller()
    job_id = desk.submit(caller, deadline_ms=now_ms() + 300).job_id
    job = desk.jobs.begin_attempt(job_id)
    assert job is not None
    assert desk.jobs.go_on(job, 0.1)
    assert fail_overdue(desk.jobs) == []
    time.sleep(0.4)
    assert not desk.jobs.go_on(job, 0.2)
    assert fail_overdue(desk.jobs) == [job_id]
    assert isinstance(desk.jobs.get(job_id).error, DeadlineExceeded)
    assert desk.balance(caller).held_micros == 0


def test_a_cancelled_job_ends_at_once_and_costs_nothing(desk: Desk) -> None:
    caller, other = desk.caller(), desk.accounts.workspaces.create("other")
    job_id = desk.submit(caller).job_id
    job = desk.jobs.begin_attempt(job_id)
    assert job is not None
    assert not desk.jobs.cancel(job_id, other.id)
    with pytest.raises(NotFound):
        desk.jobs.get(job_id, other.id)
    assert desk.jobs.cancel(job_id, caller.workspace.id)
    assert not desk.jobs.go_on(job, 0.5), "whoever works on it hears of it"
    assert not desk.jobs.succeed(job, OUTCOME)
    ended = desk.jobs.get(job_id)
    assert (ended.state, type(ended.error)) == (JobState.CANCELLED, Cancelled)
    assert desk.balance(caller) == Balance(1_000_000_000, 0, is_unlimited=False)


def test_many_submits_at_once_all_get_in(desk: Desk) -> None:
    caller = desk.caller()
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda _: desk.submit(caller), range(100)))
    assert len(desk.jobs.unfinished()) == 100


def test_a_workspace_and_the_server_take_so_many_jobs_and_no_more(desk: Desk) -> None:
    desk.depth = Depth(jobs=5, workspace_jobs=3)
    one, two = desk.caller(), desk.accounts.workspaces.create("two", None)
    tickets = [desk.submit(one) for _ in range(3)]
    with pytest.raises(TooManyJobs, match="has 3 jobs under way") as refused:
        desk.submit(one)
    assert refused.value.retry_after_s is not None
    desk.accounts.workspaces.limit_jobs(one.workspace.id, 4)
    desk.submit(desk.caller())
    with pytest.raises(TooManyJobs):
        desk.submit(desk.caller())
    other = desk.caller(two.id)
    desk.submit(other)
    with pytest.raises(QueueFull, match="5 jobs are under way"):
        desk.submit(other)
    desk.run(tickets[0].job_id)
    assert desk.submit(other).is_new


def test_five_hundred_jobs_of_one_workspace_delay_another_by_one(desk: Desk) -> None:
    busy = desk.caller()
    rare = desk.caller(desk.accounts.workspaces.create("rare", None).id)
    hasty = desk.caller(rare.workspace.id, priority=Priority.HIGH)
    ids = [desk.submit(busy).job_id for _ in range(30)]
    desk.jobs.begin_attempt(ids[0])
    late = [desk.submit(rare).job_id for _ in range(2)]
    order = [
        row.id for row in desk.rows("SELECT id FROM jobs WHERE state = 'queued' ORDER BY turn, created_ms")
    ]
    assert set(order[:2]) == {ids[1], late[0]}
    assert set(order[2:4]) == {ids[2], late[1]}
    soon = desk.submit(hasty).job_id
    [(turn,)] = desk.rows(f"SELECT turn FROM jobs WHERE id = '{soon}'")
    [(last,)] = desk.rows(f"SELECT turn FROM jobs WHERE id = '{late[1]}'")
    assert turn == last + 1, "a quarter of a normal step"


@given(
    served=st.integers(0, TURN_MAX), last=st.integers(0, TURN_MAX), priority=st.sampled_from(list(Priority))
)
def test_a_turn_is_never_before_those_that_came_first(served: int, last: int, priority: Priority) -> None:
    turn = turn_of(served=served, last=last, priority=priority)
    assert max(served, last) < turn <= TURN_MAX or turn == TURN_MAX


def test_waiting_wakes_soon_and_everyone(desk: Desk) -> None:
    job_id = desk.submit(desk.caller()).job_id

    async def scenario() -> float:
        waiting = Waiting(desk.jobs)
        waits = [asyncio.create_task(waiting.wait(job_id, 10)) for _ in range(3)]
        with pytest.raises(WaitTimeout):
            await waiting.wait(job_id, 0.2)
        assert not any(wait.done() for wait in waits), "one who gave up must not take the others along"
        await asyncio.to_thread(desk.run, job_id)
        ended = time.monotonic()
        await asyncio.gather(*waits)
        return time.monotonic() - ended

    # Generous to a loaded machine: what is meant is one poll, and not a second or a restart.
    assert asyncio.run(scenario()) < 40 * POLL_LEAST_S


@pytest.mark.parametrize(("since_s", "least", "most"), [(0.0, 8, 40), (60.0, 2, 4)])
def test_who_waits_long_is_looked_after_less_often(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, since_s: float, least: int, most: int
) -> None:
    job_id = desk.submit(desk.caller()).job_id
    asked: list[object] = []
    monkeypatch.setattr(desk.jobs, "ended", lambda ids: asked.append(ids) or {})
    times = iter([0.0])

    async def scenario() -> None:
        waiting = Waiting(desk.jobs, clock=lambda: next(times, since_s))
        with pytest.raises(WaitTimeout):
            await waiting.wait(job_id, 1.0)

    asyncio.run(scenario())
    assert least <= len(asked) <= most


def test_a_page_of_jobs_goes_on_where_the_last_one_ended(desk: Desk) -> None:
    caller = desk.caller()
    stranger = desk.caller(desk.accounts.workspaces.create("stranger", None).id)
    ids = [desk.submit(caller).job_id for _ in range(5)]
    desk.submit(stranger)
    seen: list[str] = []
    after = None
    while True:
        page = desk.jobs.page(caller.workspace.id, limit=2, after=after)
        seen += [job.id for job in page.jobs]
        if not page.has_more:
            break
        after = seen[-1]
    assert sorted(seen) == sorted(ids)
    assert len(seen) == 5
    with pytest.raises(NotFound):
        desk.jobs.page(stranger.workspace.id, after=ids[0])
    desk.run(ids[0])
    assert [
        job.id for job in desk.jobs.page(caller.workspace.id, JobFilter(states=(JobState.SUCCEEDED,))).jobs
    ] == ids[:1]


LEASE_S = 0.5


def test_a_slot_has_one_holder(desk: Desk, tmp_path: Path) -> None:
    slot = Slot(desk.engine, tmp_path, "here-0", lease_s=LEASE_S)
    with pytest.raises(NotReady, match=r"another worker holds here-0\.lock"):
        Slot(desk.engine, tmp_path, "here-0", lease_s=LEASE_S)
    other = Slot(desk.engine, tmp_path, "here-1", lease_s=LEASE_S)
    assert ready_count(desk.engine, LEASE_S) == 0
    slot.heartbeat(is_ready=True)
    assert ready_count(desk.engine, LEASE_S) == 1
    slot.release()
    other.release()
    assert ready_count(desk.engine, LEASE_S) == 0
    with pytest.raises(NotReady):
        Slot(desk.engine, tmp_path, "here-0", lease_s=LEASE_S)
    slot._lock.close()  # as the kernel does when the process ends
    Slot(desk.engine, tmp_path, "here-0", lease_s=LEASE_S)._lock.close()
    other._lock.close()


def test_a_slot_of_another_machine_is_free_when_its_lease_has_run_out(desk: Desk, tmp_path: Path) -> None:
    mine = Slot(desk.engine, tmp_path / "a", "shared-0", lease_s=LEASE_S)
    with desk.engine.begin() as connection:
        connection.execute(sa.text("UPDATE slots SET host = 'elsewhere'"))
    with pytest.raises(NotReady, match="a worker on elsewhere holds slot shared-0"):
        Slot(desk.engine, tmp_path / "b", "shared-0", lease_s=LEASE_S)
    assert mine.heartbeat(is_ready=True)
    time.sleep(LEASE_S + 0.1)
    assert expel_expired(desk.engine, LEASE_S) == ["shared-0"]
    assert expel_expired(desk.engine, LEASE_S) == []
    assert live_slots(desk.engine, LEASE_S) == set()
    assert not mine.heartbeat(is_ready=True), "the holder that was paused finds that it lost the slot"
    next_one = Slot(desk.engine, tmp_path / "b", "shared-0", lease_s=LEASE_S)
    assert live_slots(desk.engine, LEASE_S) == {"shared-0"}
    for slot in (mine, next_one):
        slot._lock.close()


@pytest.mark.parametrize(
    ("node", "name"), [("box", "box-1"), ("a/../b c", "a-..-b-c-1"), ("x" * 99, "x" * 60 + "-1")]
)
def test_a_slot_has_a_name_that_is_a_files(node: str, name: str) -> None:
    assert slot_id(node, 1) == name


def test_jobs_of_another_version_are_seen(desk: Desk) -> None:
    desk.submit(desk.caller())
    assert foreign_versions(desk.client) == set()
    with desk.engine.begin() as connection:
        statement = f"UPDATE {table(desk, 'workflow_status')} SET application_version = 'enlarger-0'"
        connection.execute(sa.text(statement))
    assert foreign_versions(desk.client) == {"enlarger-0"}


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
