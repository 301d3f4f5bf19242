"""Fair turns: who is next among all that wait, whoever asked first or most.

Start-time fair queueing (Goyal, Vin, Cheng 1996), with one number a job: a workspace's jobs stand
one behind another, and a workspace that has none waiting joins where the service stands now. Five
hundred jobs of one workspace so delay another's first job by one job, and not by five hundred.
"""

from __future__ import annotations

import sqlalchemy as sa

from enlarger.accounts import Priority
from enlarger.jobs.job import JobState
from enlarger.jobs.tables import JOBS

STEPS = {Priority.HIGH: 1, Priority.NORMAL: 4, Priority.LOW: 16}
"""How far behind the last one a workspace's next job stands."""
TURN_MAX = 2**31 - 1
"""The durable engine's largest priority."""


def turn_of(*, served: int, last: int, priority: Priority) -> int:
    """The turn of a new job; the lowest goes first.

    served  turn of the job that was begun last, of any workspace; 0 where nothing waits or runs.
    last    highest turn of this workspace's jobs under way; 0 where it has none.
    """
    return min(max(served, last) + STEPS[priority], TURN_MAX)


def next_turn(connection: sa.Connection, workspace_id: str, priority: Priority) -> int:
    """The turn of a job that is being accepted, in the caller's transaction."""
    running = sa.select(sa.func.max(JOBS.c.turn)).where(JOBS.c.state == JobState.RUNNING)
    waiting = sa.select(sa.func.min(JOBS.c.turn)).where(JOBS.c.state == JobState.QUEUED)
    mine = sa.select(sa.func.max(JOBS.c.turn)).where(
        JOBS.c.workspace_id == workspace_id, JOBS.c.state.in_((JobState.QUEUED, JobState.RUNNING))
    )
    served = connection.scalar(running)
    if served is None:
        # Between two jobs: the one that is next stands where the service is.
        served = max(0, (connection.scalar(waiting) or 0) - STEPS[Priority.HIGH])
    return turn_of(served=served, last=connection.scalar(mine) or 0, priority=priority)
