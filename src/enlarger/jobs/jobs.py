"""The jobs table: every change of a job's state, each one guarded statement."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from dbos import DBOSClient

from enlarger.database import now_ms, write
from enlarger.errors import EnlargerError, NotFound, by_code
from enlarger.jobs.durable import enqueue
from enlarger.jobs.job import TERMINAL, Job, JobState, Outcome
from enlarger.jobs.tables import JOBS
from enlarger.request import UpscaleRequest


class Jobs:
    """Jobs in the database. Every call is one short transaction.

    A change names the states that it may start from, so that repeating it, or doing it too late
    from a process that was thought dead, changes nothing.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def submit(
        self,
        client: DBOSClient,
        *,
        job_id: str,
        workspace_id: str,
        key_id: str,
        door: str,
        request: UpscaleRequest,
        input_key: str,
    ) -> None:
        """Accept a job: its row and its place in the queue are one commit."""
        with write(self._engine) as connection:
            connection.execute(
                JOBS.insert().values(
                    id=job_id,
                    workspace_id=workspace_id,
                    key_id=key_id,
                    door=door,
                    request=request.to_json(),
                    input_key=input_key,
                    state=JobState.QUEUED,
                    attempts=0,
                    created_ms=now_ms(),
                )
            )
            enqueue(client, connection, job_id)

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(JOBS).where(JOBS.c.id == job_id)).one_or_none()
        if row is None:
            raise NotFound(f"there is no job {job_id}")
        return _job(row)

    def begin_attempt(self, job_id: str) -> Job | None:
        """Count an attempt and say that the job runs; None if the job has ended already."""
        return self._change(
            job_id,
            (JobState.QUEUED, JobState.RUNNING),
            state=JobState.RUNNING,
            attempts=JOBS.c.attempts + 1,
            started_ms=sa.func.coalesce(JOBS.c.started_ms, now_ms()),
        )

    def succeed(self, job_id: str, outcome: Outcome) -> None:
        """End a running job well; its result must be in the object store already."""
        self._change(
            job_id,
            (JobState.RUNNING,),
            state=JobState.SUCCEEDED,
            finished_ms=now_ms(),
            result_key=outcome.result_key,
            width=outcome.width,
            height=outcome.height,
            engine_ms=outcome.engine_ms,
            encode_ms=outcome.encode_ms,
            receipt=outcome.receipt,
        )

    def fail(self, job_id: str, error: EnlargerError) -> None:
        """End a job badly, for a reason that the caller will read."""
        self._change(
            job_id,
            (JobState.QUEUED, JobState.RUNNING),
            state=JobState.FAILED,
            finished_ms=now_ms(),
            error_code=error.code,
            error_message=error.message,
            error_param=error.param,
        )

    def ended(self, job_ids: Collection[str]) -> set[str]:
        """Those of `job_ids` that have ended."""
        query = sa.select(JOBS.c.id).where(JOBS.c.id.in_(job_ids), JOBS.c.state.in_(TERMINAL))
        with self._engine.connect() as connection:
            return set(connection.scalars(query))

    def unfinished(self) -> list[str]:
        """Ids of every job that has not ended, oldest first."""
        query = sa.select(JOBS.c.id).where(JOBS.c.state.not_in(TERMINAL)).order_by(JOBS.c.created_ms)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def _change(self, job_id: str, allowed: tuple[JobState, ...], **values: object) -> Job | None:
        statement = (
            JOBS.update()
            .where(JOBS.c.id == job_id, JOBS.c.state.in_(allowed))
            .values(**values)
            .returning(JOBS)
        )
        with write(self._engine) as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else _job(row)


def _job(row: sa.Row[tuple[object, ...]]) -> Job:
    state = JobState(row.state)
    outcome = error = None
    if state is JobState.SUCCEEDED:
        outcome = Outcome(row.result_key, row.width, row.height, row.engine_ms, row.encode_ms, row.receipt)
    if state is JobState.FAILED:
        error = by_code(row.error_code, row.error_message, row.error_param)
    return Job(
        id=row.id,
        workspace_id=row.workspace_id,
        key_id=row.key_id,
        door=row.door,
        request=UpscaleRequest.from_json(row.request),
        input_key=row.input_key,
        state=state,
        attempts=row.attempts,
        created_ms=row.created_ms,
        outcome=outcome,
        error=error,
    )
