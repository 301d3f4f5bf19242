"""What every worker does beside its jobs: look after work that nobody else would end, and tidy up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from enlarger.database import AWAY, write
from enlarger.database.upkeep import checkpoint
from enlarger.errors import EnlargerError
from enlarger.jobs import Jobs, counters
from enlarger.jobs.durable import forget
from enlarger.jobs.expiry import (
    expire_answers,
    expire_assets,
    expire_pictures,
    expire_uploads,
    forget_jobs,
    sweep_orphans,
)
from enlarger.jobs.reconcile import Forgotten, fail_overdue, fail_stranded, take_over
from enlarger.storage import ObjectStore
from enlarger.storage.faults import FAILURES

LOG = structlog.get_logger()
EXPIRY_S = 60.0
CHECKPOINT_S = 60.0
ORPHANS_S = 3600.0
TELL_S = 15.0


class Chores:
    """Runs each chore when it is due; one that fails is tried again the next time."""

    def __init__(
        self,
        engine: sa.Engine,
        jobs: Jobs,
        store: ObjectStore,
        *,
        lease_s: float,
        keep_history_ms: int,
        may_judge: Callable[[], bool],
        forgotten: Forgotten,
    ) -> None:
        """
        lease_s          a worker that was not heard of for so long counts as dead.
        keep_history_ms  see `forget_jobs`.
        may_judge        whether that can be said now: during an outage, and just after it, nobody was
                         heard of.
        forgotten        this worker's own jobs that it does not know of.
        """
        self._chores: list[tuple[float, Callable[[], object]]] = [
            (0.0, lambda: may_judge() and take_over(engine, lease_s)),
            (0.0, lambda: may_judge() and forgotten.take_up()),
            (0.0, lambda: fail_stranded(jobs)),
            (0.0, lambda: fail_overdue(jobs)),
            (EXPIRY_S, lambda: expire_pictures(engine, store)),
            (EXPIRY_S, lambda: expire_answers(engine, store)),
            (EXPIRY_S, lambda: expire_assets(engine, store)),
            (EXPIRY_S, lambda: expire_uploads(engine, store)),
            (EXPIRY_S, lambda: forget_jobs(engine, forget, keep_history_ms)),
            (CHECKPOINT_S, lambda: checkpoint(engine)),
            (ORPHANS_S, lambda: sweep_orphans(engine, store)),
            (TELL_S, lambda: self._tell_failures(engine)),
        ]
        self._told_failures: Counter[str] = Counter()
        self._due = [time.monotonic() + every_s for every_s, _ in self._chores]

    def _tell_failures(self, engine: sa.Engine) -> None:
        """Add what the store has refused here since the last time to what all processes count."""
        failures = Counter(FAILURES)
        new = {
            (counters.STORAGE_ERRORS, code): count
            for code, count in (failures - self._told_failures).items()
        }
        if new:
            with write(engine) as connection:
                counters.add_all(connection, new)
            self._told_failures = failures

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
