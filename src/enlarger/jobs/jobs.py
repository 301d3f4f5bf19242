"""The jobs table: every change of a job's state, each one guarded statement.

The change that ends a job resolves its hold and writes its usage record in the same commit.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from enlarger import assets
from enlarger.accounts.keys import spend
from enlarger.assets import Asset
from enlarger.database import now_ms, write
from enlarger.database.memos import Wanted, says
from enlarger.errors import Cancelled, EnlargerError, NotFound, by_code
from enlarger.faults import fault
from enlarger.jobs.job import TERMINAL, UNDER_WAY, Job, JobState, Outcome
from enlarger.jobs.tables import JOBS
from enlarger.jobs.tally import count_end
from enlarger.ledger import ledger, usage
from enlarger.request import UpscaleRequest

LIST_MAX = 200


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """Which of a workspace's jobs; every field narrows, None does not."""

    states: tuple[JobState, ...] | None = None
    door: str | None = None
    operations: tuple[str, ...] | None = None
    key_id: str | None = None
    created_after_ms: int | None = None
    """Accepted later than that."""
    updated_after_ms: int | None = None
    """Accepted, begun or ended later than that, whichever was last."""
    memo: Wanted = field(default_factory=dict)
    """What the door wrote beside it."""

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The same for the database."""
        found: list[sa.ColumnElement[bool]] = []
        if self.memo:
            found.append(says(JOBS.c.memo, self.memo))
        if self.states is not None:
            found.append(JOBS.c.state.in_(self.states))
        if self.door is not None:
            found.append(JOBS.c.door == self.door)
        if self.operations is not None:
            found.append(JOBS.c.operation.in_(self.operations))
        if self.key_id is not None:
            found.append(JOBS.c.key_id == self.key_id)
        if self.created_after_ms is not None:
            found.append(JOBS.c.created_ms > self.created_after_ms)
        if self.updated_after_ms is not None:
            updated_ms = sa.func.coalesce(JOBS.c.finished_ms, JOBS.c.started_ms, JOBS.c.created_ms)
            found.append(updated_ms > self.updated_after_ms)
        return found


@dataclass(frozen=True)
class JobPage:
    """Jobs, the latest first, and whether there are more beyond the last of them."""

    jobs: tuple[Job, ...]
    has_more: bool


class Jobs:
    """Jobs in the database. Every call is one short transaction.

    A change names the states and the attempt that it may start from, so that repeating it, or doing
    it too late from a process that was thought dead, changes nothing.
    """

    def __init__(self, engine: sa.Engine, *, keep_results_ms: int = 86_400_000) -> None:
        """
        keep_results_ms  how long a job's pictures are kept after its end.
        """
        self._engine = engine
        self._keep_results_ms = keep_results_ms

    def get(self, job_id: str, workspace_id: str | None = None) -> Job:
        """Raises NotFound, also for a job of another workspace than `workspace_id`."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
        if row is None or workspace_id not in (None, row.workspace_id):
            raise NotFound(f"there is no job {job_id}")
        return _job(row)

    def by_alias(self, alias: str, workspace_id: str) -> Job:
        """The job that a door calls so. Raises NotFound, also for a job of another workspace."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.alias == alias)).one_or_none()
        if row is None or row.workspace_id != workspace_id:
            raise NotFound(f"there is no job {alias}")
        return _job(row)

    def page(
        self,
        workspace_id: str,
        choice: JobFilter = JobFilter(),
        *,
        limit: int = 20,
        after: str | None = None,
    ) -> JobPage:
        """One page of a workspace's jobs, the latest first.

        limit  1 to 200; a larger one counts as 200.
        after  id of the last job of the page before.

        Raises NotFound if `after` is no job of this workspace.
        """
        query = sa.select(JOBS).where(JOBS.c.workspace_id == workspace_id, *choice.conditions)
        if after is not None:
            last = self.get(after, workspace_id)
            place = sa.tuple_(sa.literal(last.created_ms), sa.literal(last.id))
            query = query.where(sa.tuple_(JOBS.c.created_ms, JOBS.c.id) < place)
        count = max(1, min(limit, LIST_MAX))
        query = query.order_by(JOBS.c.created_ms.desc(), JOBS.c.id.desc()).limit(count + 1)
        with self._engine.connect() as connection:
            jobs = tuple(_job(row) for row in connection.execute(query))
        return JobPage(jobs[:count], len(jobs) > count)

    def begin_attempt(self, job_id: str) -> Job | None:
        """Count an attempt and say that the job runs; None if the job has ended already.

        Any earlier attempt that is still under way somewhere has lost the job with that.
        """
        with write(self._engine) as connection:
            row = _change(
                connection,
                JOBS.c.id == job_id,
                JOBS.c.state.in_(UNDER_WAY),
                state=JobState.RUNNING,
                attempts=JOBS.c.attempts + 1,
                started_ms=sa.func.coalesce(JOBS.c.started_ms, now_ms()),
            )
        return None if row is None else _job(row)

    def go_on(self, job: Job, progress: float) -> bool:
        """Say how far an attempt is; False if the job is no longer this attempt's.

        Then it was cancelled, has passed its deadline, or another worker has it.
        """
        is_later = progress > JOBS.c.progress
        with write(self._engine) as connection:
            row = _change(
                connection,
                *_is_attempt(job),
                sa.or_(JOBS.c.deadline_ms.is_(None), JOBS.c.deadline_ms > now_ms()),
                progress=sa.case((is_later, progress), else_=JOBS.c.progress),
            )
        return row is not None

    def succeed(self, job: Job, outcome: Outcome) -> bool:
        """End an attempt well; its result must be in the object store already.

        Captures the job's hold. Returns False, having changed nothing, if the job is no longer this
        attempt's.
        """
        with write(self._engine) as connection:
            row = _change(
                connection,
                *_is_attempt(job),
                state=JobState.SUCCEEDED,
                progress=1.0,
                result_key=outcome.result_key,
                width=outcome.width,
                height=outcome.height,
                output_bytes=outcome.size_bytes,
                engine_ms=outcome.engine_ms,
                encode_ms=outcome.encode_ms,
                receipt=outcome.receipt,
                **self._ended(),
            )
            if row is not None:
                if row.asset is not None:
                    assets.insert(connection, _result_asset(row))
                resolution = ledger.capture(connection, row.id)
                _write_usage(connection, row, resolution)
                count_end(connection, row, resolution, outcome)
                fault("worker.before_commit")
        return row is not None

    def fail(self, job_id: str, error: EnlargerError, *, attempt: Job | None = None) -> bool:
        """End a job badly, for a reason that the caller will read, and release its hold.

        attempt  the attempt that failed: if the job is no longer its own, nothing changes. None is
                 for whoever knows that no attempt will ever end it.
        """
        whose = (JOBS.c.state.in_(UNDER_WAY),) if attempt is None else _is_attempt(attempt)
        return self._end_badly(JobState.FAILED, error, JOBS.c.id == job_id, *whose)

    def cancel(self, job_id: str, workspace_id: str) -> bool:
        """End a job because its caller wants it no longer; False if it has ended already.

        From this commit on nothing will be charged; whoever works on it notices and stops.
        """
        return self._end_badly(
            JobState.CANCELLED,
            Cancelled(),
            JOBS.c.id == job_id,
            JOBS.c.workspace_id == workspace_id,
            JOBS.c.state.in_(UNDER_WAY),
        )

    def ended(self, job_ids: Collection[str]) -> dict[str, Job]:
        """Those of `job_ids` that have ended."""
        query = sa.select(JOBS).where(JOBS.c.id.in_(job_ids), JOBS.c.state.in_(TERMINAL))
        with self._engine.connect() as connection:
            return {row.id: _job(row) for row in connection.execute(query)}

    def unfinished(self) -> list[str]:
        """Ids of every job that has not ended, oldest first."""
        query = sa.select(JOBS.c.id).where(JOBS.c.state.in_(UNDER_WAY)).order_by(JOBS.c.created_ms)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def overdue(self) -> list[str]:
        """Ids of jobs under way that have passed their deadline."""
        query = sa.select(JOBS.c.id).where(JOBS.c.state.in_(UNDER_WAY), JOBS.c.deadline_ms <= now_ms())
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def _ended(self) -> dict[str, Any]:
        now = now_ms()
        kept_ms = sa.func.coalesce(JOBS.c.keep_ms, self._keep_results_ms)
        return {"finished_ms": now, "expires_ms": now + kept_ms}

    def _end_badly(self, state: JobState, error: EnlargerError, *where: sa.ColumnElement[bool]) -> bool:
        with write(self._engine) as connection:
            row = _change(
                connection,
                *where,
                state=state,
                error_code=error.code,
                error_message=error.message,
                error_param=error.param,
                **self._ended(),
            )
            if row is not None:
                resolution = ledger.release(connection, row.id)
                _write_usage(connection, row, resolution)
                count_end(connection, row, resolution)
        return row is not None


def _is_attempt(job: Job) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        JOBS.c.id == job.id,
        JOBS.c.state == JobState.RUNNING,
        JOBS.c.attempts == job.attempts,
    )


def _change(
    connection: sa.Connection, *where: sa.ColumnElement[bool], **values: object
) -> sa.Row[Any] | None:
    statement = JOBS.update().where(*where).values(**values).returning(JOBS)
    return connection.execute(statement).one_or_none()


def _write_usage(connection: sa.Connection, row: sa.Row[Any], money: ledger.Resolution | None) -> None:
    """The usage record of a job that has just ended; `money` is what became of its hold."""
    if money is not None and money.captured_micros < money.held_micros:
        spend(connection, money.key_id, money.captured_micros - money.held_micros)
    usage.record(
        connection,
        usage.UsageRecord(
            job_id=row.id,
            workspace_id=row.workspace_id,
            key_id=row.key_id,
            is_test=row.is_test,
            request_id=row.request_id,
            idempotency_hash=row.idempotency_hash,
            door=row.door,
            operation=row.operation,
            model=row.model,
            route=row.route,
            attempts=row.attempts,
            status=row.state,
            error_code=row.error_code,
            input_width=row.input_width,
            input_height=row.input_height,
            input_bytes=row.input_bytes,
            output_width=row.width,
            output_height=row.height,
            output_bytes=row.output_bytes,
            price_micros=money.price_micros if money else 0,
            price_version=money.price_version if money else 0,
            billed_micros=money.captured_micros if money else 0,
            queue_ms=None if row.started_ms is None else row.started_ms - row.created_ms,
            latency_ms=row.finished_ms - row.created_ms,
            engine_ms=row.engine_ms,
            encode_ms=row.encode_ms,
            receipt_verdict=None if row.receipt is None else json.loads(row.receipt).get("verdict"),
            created_ms=row.created_ms,
            finished_ms=row.finished_ms,
        ),
    )


def _result_asset(row: sa.Row[Any]) -> Asset:
    """The asset that a job which has just succeeded is to leave."""
    wanted = json.loads(row.asset)
    keep_ms = wanted.pop("keep_ms")
    return Asset(
        **wanted,
        workspace_id=row.workspace_id,
        door=row.door,
        object_key=row.result_key,
        media_type=UpscaleRequest.from_json(row.request).output_format.media_type,
        size_bytes=row.output_bytes,
        width=row.width,
        height=row.height,
        job_id=row.id,
        created_ms=row.finished_ms,
        updated_ms=row.finished_ms,
        expires_ms=None if keep_ms is None else row.finished_ms + keep_ms,
    )


def _job(row: sa.Row[Any]) -> Job:
    state = JobState(row.state)
    outcome = error = None
    if state is JobState.SUCCEEDED:
        outcome = Outcome(
            row.result_key,
            row.width,
            row.height,
            row.output_bytes or 0,
            row.engine_ms,
            row.encode_ms,
            row.receipt,
        )
    if state in (JobState.FAILED, JobState.CANCELLED):
        error = by_code(row.error_code, row.error_message, row.error_param)
        error.is_end = True
    return Job(
        id=row.id,
        workspace_id=row.workspace_id,
        key_id=row.key_id,
        request_id=row.request_id,
        door=row.door,
        operation=row.operation,
        model=row.model,
        request=UpscaleRequest.from_json(row.request),
        input_key=row.input_key,
        style_keys=tuple(json.loads(row.style_keys)) if row.style_keys else (),
        alias=row.alias,
        memo=json.loads(row.memo) if row.memo else {},
        state=state,
        progress=row.progress,
        attempts=row.attempts,
        created_ms=row.created_ms,
        started_ms=row.started_ms,
        finished_ms=row.finished_ms,
        deadline_ms=row.deadline_ms,
        expires_ms=row.expires_ms,
        outcome=outcome,
        error=error,
    )
