"""Acceptance: hold, job, idempotency key and place in the queue are one commit, or nothing is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient

from enlarger.accounts import Caller
from enlarger.accounts.keys import spend
from enlarger.accounts.tables import WORKSPACES
from enlarger.database import now_ms, write
from enlarger.errors import BadKey, EnlargerError, QueueFull, StillRunning, TooManyJobs
from enlarger.faults import fault
from enlarger.jobs import idempotency
from enlarger.jobs.durable import enqueue
from enlarger.jobs.idempotency import KeptAnswer
from enlarger.jobs.job import TERMINAL, UNDER_WAY, JobState
from enlarger.jobs.refusals import Refusals
from enlarger.jobs.tables import JOBS
from enlarger.jobs.turns import next_turn
from enlarger.ledger import ledger, prices
from enlarger.request import UpscaleRequest
from enlarger.routing import LOCAL

RETRY_JOINS_MS = 600_000
"""How long after a job's end a request that says that it is sent again joins it."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a request came from, and how it is told apart from others."""

    door: str
    """The dialect."""
    operation: str
    """What it asks for in the door's own terms; idempotency keys are apart for each."""
    request_id: str
    """The id that the answer's `x-request-id` has."""
    fingerprint: str
    """SHA-256 of the body's fields, see `idempotency.fingerprint_of`."""
    key_hash: str | None = None
    """SHA-256 of the idempotency key, if it has one."""
    is_retry: bool = False
    """The client itself says that it sends this again."""
    is_answered_at_acceptance: bool = False
    """Whether the answer is the job's id and not its result, so that there is one once there is a job."""


@dataclass(frozen=True, kw_only=True)
class ResultAsset:
    """The asset that a job's result becomes in the commit in which it succeeds."""

    id: str
    name: str
    source: str
    """The kind of job, in the door's terms."""
    parent_id: str | None = None
    memo: Mapping[str, Any] = field(default_factory=dict)
    keep_ms: int | None = None
    """How long it is kept; None is until it is deleted."""


@dataclass(frozen=True, kw_only=True)
class DoorTerms:
    """What a door wants kept with a job."""

    alias: str | None = None
    """The job's id in the door's own form; no two jobs have the same."""
    memo: Mapping[str, Any] | None = None
    """What the door wants to say of the request again; plain JSON."""
    keep_ms: int | None = None
    """How long the pictures are kept after the job's end; None is as long as the installation says."""
    asset: ResultAsset | None = None
    """The asset that the result becomes; its picture then stays as long as the asset."""
    deadline_s: float | None = None
    """Seconds in which the job is to be done; None is as many as the installation says."""
    price_permille: int = 1000
    """Thousandths of the list's price, where the vendor charges more for some requests of a model."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A request that is about to be accepted; its picture is in the object store."""

    job_id: str
    caller: Caller
    origin: Origin
    model: str
    """The public name of what is bought."""
    request: UpscaleRequest
    input_key: str
    input_width: int
    input_height: int
    input_bytes: int
    style_keys: tuple[str, ...] = ()
    """Keys of the style pictures in the object store."""
    terms: DoorTerms = field(default_factory=DoorTerms)
    output_pixels: int
    """Of the result that is asked for; prices go by it."""
    deadline_ms: int | None = None
    """Not done by then, the job fails; milliseconds since 1970."""


@dataclass(frozen=True)
class Ticket:
    """What a request has a right to from now on."""

    job_id: str
    is_new: bool
    """Whether this request made the job; else an earlier one did."""
    answer: KeptAnswer | None = None
    """What the earlier request was answered, if it had an idempotency key and was answered."""
    alias: str | None = None
    """The job's id in the door's own form, if it has one."""


@dataclass(frozen=True)
class Depth:
    """How much may wait."""

    jobs: int
    """Jobs under way in the whole installation."""
    workspace_jobs: int
    """Jobs under way in one workspace, unless it has a limit of its own."""


class Acceptance:
    """Accepts jobs. Every call is one short transaction."""

    def __init__(
        self, engine: sa.Engine, client: DBOSClient, depth: Depth, *, keep_answers_ms: int
    ) -> None:
        """
        keep_answers_ms  how long an idempotency key is remembered.
        """
        self._engine = engine
        self._client = client
        self._depth = depth
        self._keep_answers_ms = keep_answers_ms
        self._refusals = Refusals()

    def earlier(self, caller: Caller, origin: Origin) -> Ticket | None:
        """The ticket of an earlier request that this one repeats, before any work is spent on it.

        Raises IdempotencyConflict for another request with the same key, StillRunning while the
        first is under way and this one neither says that it is its retry nor would be answered by now.
        """
        if origin.key_hash is None and (not origin.is_retry or self._refusals.owes(_like(caller, origin))):
            return None
        with self._engine.connect() as connection:
            return _earlier(connection, caller, origin)

    def accept(self, submission: Submission) -> Ticket:
        """Accept a job: its hold, its row, its key's row and its place in the queue are one commit.

        Returns the earlier request's ticket if another process accepted that one in the meantime.

        Raises ModelNotOffered, NotAllowed, OutOfCredit, SpendCapReached, TooManyJobs, QueueFull, and
        what `earlier` raises; then nothing is kept and nothing is held.
        """
        [ticket] = self.accept_all([submission])
        return ticket

    def accept_all(self, submissions: Sequence[Submission]) -> list[Ticket]:
        """Accept the jobs of one request in one commit, as `accept` does each: all of them, or none.

        submissions  one or more of one caller, each with an operation of its own.
        """
        settled = [self._settled(submission) for submission in submissions]
        try:
            return self._accept(settled)
        except EnlargerError as error:
            if error.retry_after_s is not None:
                for submission in settled:
                    if submission.origin.key_hash is None:
                        self._refusals.add(_like(submission.caller, submission.origin))
            raise

    def _settled(self, submission: Submission) -> Submission:
        """A repetition that is owed a job of its own is a request like a first one."""
        origin = submission.origin
        is_keyless_retry = origin.key_hash is None and origin.is_retry
        if is_keyless_retry and self._refusals.take(_like(submission.caller, origin)):
            return replace(submission, origin=replace(origin, is_retry=False))
        return submission

    def _accept(self, submissions: Sequence[Submission]) -> list[Ticket]:
        caller = submissions[0].caller
        for submission in submissions:
            caller.check_may_use(submission.model)
        with write(self._engine) as connection:
            self._lock(connection, caller.workspace.id)
            tickets = [self._take(connection, submission) for submission in submissions]
            if any(ticket.is_new for ticket in tickets):
                fault("api.before_commit")
        return tickets

    def _take(self, connection: sa.Connection, submission: Submission) -> Ticket:
        """Accept one job in a transaction that has the workspace's lock."""
        caller, origin = submission.caller, submission.origin
        workspace_id = caller.workspace.id
        ticket = _earlier(connection, caller, origin)
        if ticket is not None:
            return ticket
        self._check_depth(connection, caller)
        quote = prices.current(connection).quote(submission.model, submission.output_pixels)
        quote = quote.times(submission.terms.price_permille)
        ledger.hold(
            connection,
            job_id=submission.job_id,
            workspace_id=workspace_id,
            key_id=caller.key_id,
            quote=quote,
            is_test=caller.terms.is_test,
        )
        if not caller.terms.is_test and caller.member is None:
            spend(connection, caller.key_id, quote.micros)
        turn = next_turn(connection, workspace_id, caller.terms.priority)
        connection.execute(JOBS.insert().values(turn=turn, **_columns(submission)))
        if origin.key_hash is not None:
            idempotency.remember(
                connection,
                workspace_id=workspace_id,
                operation=origin.operation,
                key_hash=origin.key_hash,
                fingerprint=origin.fingerprint,
                job_id=submission.job_id,
                keep_ms=self._keep_answers_ms,
            )
        enqueue(self._client, connection, submission.job_id, turn)
        return Ticket(submission.job_id, is_new=True, alias=submission.terms.alias)

    def _lock(self, connection: sa.Connection, workspace_id: str) -> None:
        """One acceptance of a workspace at a time, so that what is counted here cannot change.

        SQLite's transaction is the only writer already.
        """
        query = sa.select(WORKSPACES.c.id).where(WORKSPACES.c.id == workspace_id).with_for_update()
        if connection.scalar(query) is None:
            raise BadKey

    def _check_depth(self, connection: sa.Connection, caller: Caller) -> None:
        under_way = sa.select(sa.func.count()).where(JOBS.c.state.in_(UNDER_WAY))
        total = connection.scalar(under_way) or 0
        if total >= self._depth.jobs:
            raise QueueFull(
                f"{total} jobs are under way, as many as the server takes; try again later",
            )
        limit = caller.workspace.max_jobs or self._depth.workspace_jobs
        mine = connection.scalar(under_way.where(JOBS.c.workspace_id == caller.workspace.id)) or 0
        if mine >= limit:
            refusal = TooManyJobs(
                f"this workspace has {mine} jobs under way, as many as it may; wait until some have ended",
            )
            refusal.limit = limit
            raise refusal


def _earlier(connection: sa.Connection, caller: Caller, origin: Origin) -> Ticket | None:
    if origin.key_hash is not None:
        seen = idempotency.find(
            connection, caller.workspace.id, origin.operation, origin.key_hash, origin.fingerprint
        )
        if seen is None:
            return None
        stands = sa.select(JOBS.c.state, JOBS.c.alias).where(JOBS.c.id == seen.job_id)
        # No row any longer where the job is older than the history that is kept.
        state, alias = connection.execute(stands).one_or_none() or (None, None)
        has_answer = seen.answer is not None or origin.is_answered_at_acceptance
        if not has_answer and not origin.is_retry and state not in TERMINAL:
            raise StillRunning(param="idempotency-key")
        return Ticket(seen.job_id, is_new=False, answer=seen.answer, alias=alias)
    if origin.is_retry:
        query = (
            sa.select(JOBS.c.id, JOBS.c.alias)
            .where(
                JOBS.c.key_id == caller.key_id,
                JOBS.c.fingerprint == origin.fingerprint,
                JOBS.c.operation == origin.operation,
                # Whoever was told that it failed wants another try, and not the same news again. And
                # however long a job takes, whoever asks for it again wants no second one beside it.
                sa.or_(
                    JOBS.c.state.in_(UNDER_WAY),
                    sa.and_(
                        JOBS.c.state == JobState.SUCCEEDED,
                        JOBS.c.finished_ms > now_ms() - RETRY_JOINS_MS,
                    ),
                ),
            )
            .order_by(JOBS.c.created_ms.desc())
            .limit(1)
        )
        row = connection.execute(query).one_or_none()
        if row is not None:
            return Ticket(row.id, is_new=False, alias=row.alias)
    return None


def _like(caller: Caller, origin: Origin) -> tuple[str, str, str]:
    """What equal requests have in common."""
    return caller.key_id, origin.operation, origin.fingerprint


def _columns(submission: Submission) -> dict[str, object]:
    origin, terms = submission.origin, submission.terms
    return {
        "id": submission.job_id,
        "workspace_id": submission.caller.workspace.id,
        "key_id": submission.caller.key_id,
        "is_test": submission.caller.terms.is_test,
        "door": origin.door,
        "operation": origin.operation,
        "request_id": origin.request_id,
        "idempotency_hash": origin.key_hash,
        "fingerprint": origin.fingerprint,
        "model": submission.model,
        "route": LOCAL,
        "request": submission.request.to_json(),
        "input_key": submission.input_key,
        "input_width": submission.input_width,
        "input_height": submission.input_height,
        "input_bytes": submission.input_bytes,
        "state": JobState.QUEUED,
        "progress": 0.0,
        "attempts": 0,
        "created_ms": now_ms(),
        "deadline_ms": submission.deadline_ms,
        "style_keys": json.dumps(submission.style_keys) if submission.style_keys else None,
        "alias": terms.alias,
        "memo": None if terms.memo is None else json.dumps(terms.memo),
        "keep_ms": terms.keep_ms,
        "asset": None if terms.asset is None else json.dumps(asdict(terms.asset)),
    }
