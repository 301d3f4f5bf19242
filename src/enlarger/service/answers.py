"""Answers that are kept: what whoever repeats a request gets again, byte for byte."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from enlarger.accounts import Caller
from enlarger.database import write
from enlarger.database.threads import in_thread
from enlarger.jobs import Job, Jobs, JobState, idempotency
from enlarger.jobs.idempotency import INLINE_BYTES, Answer, KeptAnswer
from enlarger.jobs.job import TERMINAL
from enlarger.jobs.submission import Origin, Ticket
from enlarger.service.discarding import discard
from enlarger.storage import ObjectStore


@dataclass(frozen=True)
class Pending:
    """A request that was accepted and is not answered yet."""

    caller: Caller
    origin: Origin
    ticket: Ticket
    further_job_ids: tuple[str, ...] = ()
    """Jobs beside the ticket's that the answer is about."""

    @property
    def public_id(self) -> str:
        """What the caller knows the job by: the door's own id of it, or ours."""
        return self.ticket.alias or self.ticket.job_id

    def is_answered_by(self, jobs: Sequence[Job], status: int) -> bool:
        """Whether an answer with this HTTP status is the one that a repetition is to get.

        jobs  all that the answer is about; it is good where any of them went well.
        """
        is_good = 200 <= status < 300
        if self.origin.is_answered_at_acceptance:
            return is_good
        states = {job.state for job in jobs}
        return states.issubset(TERMINAL) and is_good == (JobState.SUCCEEDED in states)


class Answers:
    """Finds and keeps answers to requests that have an idempotency key."""

    def __init__(self, engine: sa.Engine, store: ObjectStore, jobs: Jobs) -> None:
        self._engine = engine
        self._store = store
        self._jobs = jobs

    async def find(self, pending: Pending) -> Answer | None:
        """What the request that this one repeats was answered, if it was. Raises NotFound if it is gone."""
        kept = pending.ticket.answer
        return None if kept is None else await in_thread(lambda: self._read(kept))

    async def keep(self, pending: Pending, answer: Answer) -> Answer | None:
        """Keep what is about to be answered for whoever repeats the request.

        Returns what is to be answered in its place, if a repetition was quicker and has said it already.
        Nothing is kept without an idempotency key, beside an answer that is there already, and where
        the answer is not about the job's end: a wait that was too long, a store that is away.
        """
        origin, ticket, workspace_id = pending.origin, pending.ticket, pending.caller.workspace.id
        key_hash = origin.key_hash
        if key_hash is None or ticket.answer is not None:
            return None

        def keep() -> Answer | None:
            jobs = [self._jobs.get(job_id) for job_id in (ticket.job_id, *pending.further_job_ids)]
            if not pending.is_answered_by(jobs, answer.status):
                return None
            body_key = None
            if len(answer.body) > INLINE_BYTES:
                body_key = f"ws/{workspace_id}/answers/{ticket.job_id}-{uuid.uuid4().hex}"
                self._store.create(body_key, answer.body)
            place = (workspace_id, origin.operation, key_hash)
            kept = KeptAnswer(answer.status, answer.headers, None if body_key else answer.body, body_key)
            with write(self._engine) as connection:
                is_first = idempotency.keep_answer(connection, *place, kept)
                first = None if is_first else idempotency.find(connection, *place, origin.fingerprint)
            if not is_first and body_key is not None:
                discard(self._store, body_key)
            said = None if first is None else first.answer
            return None if said is None else self._read(said)

        return await in_thread(keep)

    def _read(self, kept: KeptAnswer) -> Answer:
        body = kept.body
        if body is None:
            body = self._store.read(str(kept.body_key))
        return Answer(kept.status, kept.headers, body)
