"""How the durable-job engine (dbos) is set up; every number here closes a failure that was measured.

docs/explanation/02-jobs.md lists the failures and the rule that each line answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, Serializer

from enlarger.jobs.pace import Pace, PacedEvent

APPLICATION = "enlarger"
VERSION = "enlarger-1"
"""Pinned: by default it is a hash of the code, and an upgrade would strand every waiting job."""
QUEUE = "cpu"
"""One queue a class of device."""
WORKFLOW = "upscale"
POLL_S = 0.05
"""How often a worker looks for work where no bell rings. The default of one second is a second on every
request; at 50 ms an idle worker takes 8 % of a core."""
WORKER_CONCURRENCY = 1
"""Jobs that one worker runs at once: a picture that kills its process takes no other with it."""
WORKER_POOL_SIZE = 2 * WORKER_CONCURRENCY + 10
API_POOL_SIZE = 12
"""Threads of the API that may be in the database at once."""


class JsonSerializer(Serializer):
    """Plain JSON. The default is pickle, by which whoever writes the database runs code in workers."""

    def serialize(self, data: Any) -> str:
        """Only what JSON has: arguments and results are ids and small numbers."""
        return json.dumps(data, default=_describe_exception)

    def deserialize(self, serialized_data: str) -> Any:
        """The inverse of `serialize`."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """Kept with every row, so that a row is never read by another serializer."""
        return "enlarger_json"


def prepare(engine: sa.Engine) -> None:
    """Migrate the engine's tables and register the queue. Once, before any worker or API starts."""
    DBOS.migrate(engine.url.render_as_string(hide_password=False))
    client = make_client(engine)
    try:
        client.register_queue(QUEUE, worker_concurrency=WORKER_CONCURRENCY, polling_interval_sec=POLL_S)
    finally:
        client.destroy()


def make_client(engine: sa.Engine) -> DBOSClient:
    """What enqueues, from a process that runs no jobs."""
    return DBOSClient(
        system_database_engine=engine,
        serializer=JsonSerializer(),
        application_name=APPLICATION,
        retry_connection_errors=False,
    )


def worker_config(engine: sa.Engine, slot_id: str) -> DBOSConfig:
    """The configuration of a process that runs jobs.

    slot_id  stays the same over restarts: at launch a process takes up again what it left.
    """
    return {
        "name": APPLICATION,
        "system_database_engine": engine,
        "application_version": VERSION,
        "executor_id": slot_id,
        "serializer": JsonSerializer(),
        "run_migrations": False,
        "use_listen_notify": False,
        "log_level": "WARNING",
    }


def follow(engine: DBOS, pace: Pace) -> None:
    """Let the loops of an engine that was launched look for work at this pace.

    They wait for an event that says when to stop, the second internal that is relied on: the engine
    has no call by which it is told that there is work. Were it gone, they would look every POLL_S.
    """
    for event in engine.background_thread_stop_events:
        event.__class__ = PacedEvent
        assert isinstance(event, PacedEvent)  # noqa: S101 (as of the line before)
        event.pace = pace


def enqueue(client: DBOSClient, connection: sa.Connection, job_id: str, turn: int) -> None:
    """Enqueue a job inside the caller's transaction: it is there with the caller's commit or not at all.

    turn  1 or more; of the jobs that wait the one with the lowest is begun first.
    """
    options: EnqueueOptions = {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": job_id,
        "app_version": VERSION,
        "priority": turn,
    }
    client.enqueue_in_transaction(connection, options, job_id)


def recover(slots: Sequence[str]) -> int:
    """Put the unfinished work of these slots back in the queue; in a process that runs jobs.

    An internal of the engine: its public call for this forgets how often a job
    was begun. It changes only what the named slots hold still, so it may be repeated by anybody.
    """
    return len(DBOS._recover_pending_workflows(list(slots)))


def forget(job_ids: Sequence[str]) -> None:
    """Remove what the engine keeps of jobs that have ended; in a process that runs jobs."""
    DBOS.delete_workflows(list(job_ids))


def requeue(job_id: str) -> None:
    """Put one unfinished job back in the queue, whoever has it; in a process that runs jobs."""
    DBOS.resume_workflow(job_id, queue_name=QUEUE)


def foreign_versions(client: DBOSClient) -> set[str]:
    """Versions, other than ours, that have unfinished jobs: nobody here would ever run them."""
    waiting = client.list_workflows(
        status=["ENQUEUED", "PENDING"], load_input=False, load_output=False, limit=200
    )
    return {str(job.app_version) for job in waiting} - {VERSION}


def _describe_exception(value: object) -> Any:
    if isinstance(value, BaseException):
        return {"exception": type(value).__name__, "message": str(value)}
    raise TypeError(f"{type(value).__name__} does not belong in a job's arguments or result")
