"""What every worker looks after, again and again: work that nobody else would ever take up or end.

Each sweep is safe to run in all workers at once and to be cut off anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Set

import sqlalchemy as sa
import structlog
from dbos import DBOS

from enlarger.errors import DeadlineExceeded, EnlargerError
from enlarger.jobs import counters
from enlarger.jobs.durable import recover, requeue
from enlarger.jobs.jobs import Jobs
from enlarger.jobs.slots import expel_expired, live_slots

LOG = structlog.get_logger()
IDS_AT_ONCE = 500
"""Ids in one query: SQLite bounds the variables of a statement."""
ENDED = ["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
"""States of a workflow whose body never runs again, other than the good end."""


def take_over(engine: sa.Engine, lease_s: float) -> int:
    """Put the work of every worker whose lease has run out back in the queue; returns how many jobs.

    Looks each time for any job that belongs to no living worker, and not once when a worker dies:
    whoever was to look might itself have died then.
    """
    for slot in expel_expired(engine, lease_s):
        LOG.warning("slot.expired", slot=slot)
        counters.add(engine, counters.EXPULSIONS)
    pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    dead = {str(workflow.executor_id) for workflow in pending} - live_slots(engine, lease_s)
    if not dead:
        return 0
    count = recover(sorted(dead))
    if count:
        LOG.warning("jobs.taken_over", slots=sorted(dead), count=count)
        counters.add(engine, counters.REDISPATCHES, count)
    return count


class Forgotten:
    """Finds jobs that are a living worker's by their rows, and that it knows nothing of.

    The engine hands a job to a worker by a commit. Where the connection breaks before the worker has
    heard of it, nobody runs the job: the worker lives, so nobody takes it over either.
    """

    def __init__(self, jobs: Jobs, slot: str, running: Callable[[], Set[str]]) -> None:
        """
        slot     of the worker, which calls this itself.
        running  ids of the jobs that it is at.
        """
        self._jobs = jobs
        self._slot = slot
        self._running = running
        self._suspects: set[str] = set()

    def take_up(self) -> list[str]:
        """Put what was forgotten at the last call already back in the queue; returns the jobs' ids."""
        claimed = DBOS.list_workflows(
            status="PENDING", executor_id=self._slot, load_input=False, load_output=False
        )
        # In this order: what is begun or ends in between is in one of the later two.
        unheard = {workflow.workflow_id for workflow in claimed} - self._running()
        if unheard:
            unheard &= set(self._jobs.unfinished())
        forgotten = unheard & self._suspects
        self._suspects = unheard - forgotten
        for job_id in sorted(forgotten):
            requeue(job_id)
            LOG.warning("job.forgotten", job=job_id)
        return sorted(forgotten)


def fail_stranded(jobs: Jobs) -> list[str]:
    """End every unfinished job whose workflow has ended badly; returns their ids."""
    unfinished = jobs.unfinished()
    stranded: list[str] = []
    for start in range(0, len(unfinished), IDS_AT_ONCE):
        ended = DBOS.list_workflows(
            workflow_ids=unfinished[start : start + IDS_AT_ONCE],
            status=ENDED,
            load_input=False,
            load_output=False,
        )
        stranded += [workflow.workflow_id for workflow in ended]
    for job_id in stranded:
        jobs.fail(job_id, EnlargerError())
        LOG.error("job.stranded", **_fields(jobs, job_id))
    return stranded


def fail_overdue(jobs: Jobs) -> list[str]:
    """End every job that has passed its deadline; returns their ids."""
    overdue = jobs.overdue()
    for job_id in overdue:
        jobs.fail(job_id, DeadlineExceeded())
        LOG.info("job.overdue", **_fields(jobs, job_id))
    return overdue


def _fields(jobs: Jobs, job_id: str) -> dict[str, str]:
    """What every line about a job has."""
    job = jobs.get(job_id)
    return {"request": job.request_id, "job": job.id, "workspace": job.workspace_id}
