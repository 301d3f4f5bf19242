"""What must be so after every fault, read from the database and the object store themselves."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa
from PIL import Image

from enlarger.errors import NotFound
from enlarger.jobs.job import TERMINAL, JobState
from enlarger.jobs.tables import IDEMPOTENCY, JOBS
from enlarger.ledger import ledger
from enlarger.ledger.ledger import HoldState, Kind
from enlarger.ledger.tables import ENTRIES, HOLDS, TRANSFERS, USAGE
from enlarger.storage import ObjectStore

SETTLED_S = 60.0
"""After the last fault every accepted job must have ended within so long."""
POLL_S = 0.1


@dataclass
class Invariants:
    """The books, the jobs and the objects of one installation, held against one another."""

    engine: sa.Engine
    store: ObjectStore
    _seen: set[str] = field(default_factory=set)
    """Jobs whose objects were looked at: they do not change any more."""

    def settle(self, timeout_s: float = SETTLED_S) -> float:
        """Wait until every accepted job has ended; returns how long that took.

        Fails if some has not within `timeout_s`.
        """
        started = time.monotonic()
        while True:
            left = self._left()
            if left == []:
                return time.monotonic() - started
            assert time.monotonic() - started < timeout_s, f"not ended after {timeout_s} s: {left}"
            time.sleep(POLL_S)

    def violations(self) -> list[str]:
        """Everything that is not as it must be, one sentence each."""
        with self.engine.connect() as connection:
            found = [
                *ledger.verify(connection),
                *_entries_that_do_not_sum(connection),
                *_jobs_that_were_not_paid_once(connection),
                *_keys_of_several_jobs(connection),
            ]
            new = connection.execute(
                sa.select(JOBS).where(JOBS.c.state == JobState.SUCCEEDED, JOBS.c.expired_ms.is_(None))
            ).all()
        for row in new:
            if row.id not in self._seen:
                found += self._faults_of_result(row)
                self._seen.add(row.id)
        return found

    def _left(self) -> list[tuple[str, str, int]] | None:
        """Jobs that have not ended; None while the database is away."""
        query = sa.select(JOBS.c.id, JOBS.c.state, JOBS.c.attempts).where(JOBS.c.state.not_in(TERMINAL))
        try:
            with self.engine.connect() as connection:
                return [(row.id, row.state, row.attempts) for row in connection.execute(query)]
        except sa.exc.OperationalError:
            return None

    def _faults_of_result(self, row: sa.Row[tuple[object, ...]]) -> Iterator[str]:
        try:
            body = self.store.read(row.result_key)
        except NotFound:
            yield f"job {row.id} succeeded and {row.result_key} is not in the store"
            return
        if len(body) != row.output_bytes:
            yield f"job {row.id} has {row.output_bytes} bytes and {row.result_key} {len(body)}"
        with Image.open(io.BytesIO(body)) as image:
            image.load()
            if image.size != (row.width, row.height):
                yield f"job {row.id} is {row.width}x{row.height} and its picture {image.size}"


def _entries_that_do_not_sum(connection: sa.Connection) -> Iterator[str]:
    total = connection.scalar(sa.select(sa.func.sum(ENTRIES.c.micros)))
    if total:
        yield f"the ledger sums to {total}"


def _jobs_that_were_not_paid_once(connection: sa.Connection) -> Iterator[str]:
    """A job that succeeded was captured once and never released, any other the other way round."""
    moves: dict[str, list[str]] = {}
    for job_id, kind in connection.execute(
        sa.select(TRANSFERS.c.job_id, TRANSFERS.c.kind).where(TRANSFERS.c.job_id.is_not(None))
    ):
        moves.setdefault(job_id, []).append(kind)
    holds = dict(connection.execute(sa.select(HOLDS.c.job_id, HOLDS.c.state)).all())
    records = [row[0] for row in connection.execute(sa.select(USAGE.c.job_id))]
    jobs = dict(connection.execute(sa.select(JOBS.c.id, JOBS.c.state)).all())
    for job_id, state in jobs.items():
        end = Kind.CAPTURE if state == JobState.SUCCEEDED else Kind.RELEASE
        if sorted(moves.pop(job_id, [])) != sorted([Kind.HOLD, end]):
            yield f"job {job_id} is {state} and its money moved otherwise"
        hold = HoldState.CAPTURED if state == JobState.SUCCEEDED else HoldState.RELEASED
        if holds.pop(job_id, None) != hold:
            yield f"job {job_id} is {state} and its hold is not {hold}"
    if sorted(records) != sorted(jobs):
        yield f"{len(jobs)} jobs have {len(records)} usage records"
    for job_id in moves.keys() | holds.keys():
        yield f"money moved for {job_id}, which is no job"


def _keys_of_several_jobs(connection: sa.Connection) -> Iterator[str]:
    scope = (JOBS.c.workspace_id, JOBS.c.operation, JOBS.c.idempotency_hash)
    several = (
        sa.select(*scope, sa.func.count())
        .where(JOBS.c.idempotency_hash.is_not(None))
        .group_by(*scope)
        .having(sa.func.count() > 1)
    )
    for row in connection.execute(several):
        yield f"idempotency key {row.idempotency_hash} made {row[-1]} jobs"
    lost = sa.select(IDEMPOTENCY.c.job_id).where(IDEMPOTENCY.c.job_id.not_in(sa.select(JOBS.c.id)))
    for (job_id,) in connection.execute(lost):
        yield f"an idempotency key speaks of {job_id}, which is no job"
