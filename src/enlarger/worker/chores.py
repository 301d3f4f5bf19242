"""What every worker does beside its jobs: look after work that nobody else would end, and tidy up."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from enlarger.database import AWAY
from enlarger.errors import EnlargerError
from enlarger.jobs import Jobs
from enlarger.jobs.expiry import expire_answers, expire_pictures, sweep_orphans
from enlarger.jobs.reconcile import Forgotten, fail_overdue, fail_stranded, take_over
from enlarger.storage import ObjectStore

LOG = structlog.get_logger()
EXPIRY_S = 60.0
ORPHANS_S = 3600.0


class Chores:
    """Runs each chore when it is due; one that fails is tried again the next time."""

    def __init__(
        self,
        engine: sa.Engine,
        jobs: Jobs,
        store: ObjectStore,
        *,
        lease_s: float,
        may_judge: Callable[[], bool],
        forgotten: Forgotten,
    ) -> None:
        """
        lease_s    a worker that was not heard of for so long counts as dead.
        may_judge  whether that can be said now: during an outage, and just after it, nobody was heard of.
        forgotten  this worker's own jobs that it does not know of.
        """
        self._chores: list[tuple[float, Callable[[], object]]] = [
            (0.0, lambda: may_judge() and take_over(engine, lease_s)),
            (0.0, lambda: may_judge() and forgotten.take_up()),
            (0.0, lambda: fail_stranded(jobs)),
            (0.0, lambda: fail_overdue(jobs)),
            (EXPIRY_S, lambda: expire_pictures(engine, store)),
            (EXPIRY_S, lambda: expire_answers(engine, store)),
            (ORPHANS_S, lambda: sweep_orphans(engine, store)),
        ]
        self._due = [time.monotonic() + every_s for every_s, _ in self._chores]

    def run(self) -> None:
        """Everything that is due now."""
        for index, (every_s, chore) in enumerate(self._chores):
            if time.monotonic() < self._due[index]:
                continue
            self._due[index] = time.monotonic() + every_s
            try:
                chore()
            except (*AWAY, EnlargerError) as error:
                LOG.warning("chore.failed", error=type(error).__name__)
