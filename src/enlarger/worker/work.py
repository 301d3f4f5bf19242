"""What a worker does with a job: the durable workflow and its one step.

The step may be repeated after a crash, and another worker may repeat it while this one still runs. Each
attempt writes an object of its own and ends the job only if the job is still that attempt's, so
of all attempts exactly one counts.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from dbos import DBOS

from enlarger.database import AWAY, now_ms
from enlarger.errors import BusyError, Cancelled, DeadlineExceeded, EnlargerError, InferenceCrashed
from enlarger.faults import fault
from enlarger.jobs import Job, Jobs, Outcome
from enlarger.jobs.durable import WORKFLOW
from enlarger.storage import ObjectStore
from enlarger.storage.faults import told
from enlarger.worker.child import InferenceChild
from enlarger.worker.messages import Task

LOG = structlog.get_logger()
MAX_ATTEMPTS = 3
"""A picture that ended the process this often is given up: it would do so for ever."""
DATABASE_PATIENCE_S = 120.0
"""How long a finished picture waits for a database that is away before its attempt is given up."""
DATABASE_RETRY_S = 0.5
STORE_RETRY_S = 2.0

T = TypeVar("T")


class Work:
    """Runs jobs one after another on one inference child."""

    def __init__(
        self,
        jobs: Jobs,
        store: ObjectStore,
        child: InferenceChild,
        *,
        scratch: Path,
        job_timeout_s: float,
        stopping: threading.Event,
        on_ended: Callable[[], object],
    ) -> None:
        """
        scratch        an empty folder of this worker's own.
        job_timeout_s  after this long an attempt counts as hung.
        stopping       set when the worker is to end: nothing is waited for any longer.
        on_ended       called when a job has ended, and again when its place is free.
        """
        self._jobs = jobs
        self._store = store
        self._child = child
        self._scratch = scratch
        self._job_timeout_s = job_timeout_s
        self._stopping = stopping
        self._on_ended = on_ended
        self._running: set[str] = set()
        self._turn = threading.Lock()

    def running(self) -> frozenset[str]:
        """Ids of the jobs that are in hand, between two attempts too."""
        return frozenset(self._running)

    def register(self) -> None:
        """Make the workflow known to the durable engine; once, before it is launched."""

        # One step and not several: a checkpoint between them would be a commit more on every request.
        # What escapes from it is the database's trouble, which may be over when it is tried again.
        @DBOS.step(name="render", retries_allowed=True, max_attempts=MAX_ATTEMPTS)
        def render(job_id: str) -> None:
            # In a context of its own, which what is bound for the log goes with.
            copy_context().run(self._render, job_id)

        @DBOS.workflow(name=WORKFLOW)
        def upscale(job_id: str) -> None:
            self._running.add(job_id)
            try:
                # Two looks in a row may claim two jobs, before the first counts as running.
                with self._turn:
                    render(job_id)
            finally:
                self._running.discard(job_id)
                self._on_ended()

    def _render(self, job_id: str) -> None:
        """Bring a job to its end.

        Errors end here and not in the durable engine: a caller reads them from the row.
        """
        fault("worker.after_dequeue")
        trouble: EnlargerError = InferenceCrashed()
        while (job := self._insist(partial(self._jobs.begin_attempt, job_id))) is not None:
            structlog.contextvars.bind_contextvars(
                request=job.request_id, job=job.id, workspace=job.workspace_id, attempt=job.attempts
            )
            fault("worker.after_begin")
            if job.attempts > MAX_ATTEMPTS:
                self._fail(job, trouble)
                return
            try:
                self._finish(job, self._attempt(job))
                return
            except (InferenceCrashed, BusyError) as error:
                LOG.warning("job.attempt_failed", code=error.code)
                trouble = error
                if isinstance(error, BusyError):
                    # The store is away: it may be back for the next attempt.
                    self._stopping.wait(STORE_RETRY_S)
            except Cancelled:
                LOG.info("job.stopped")
                return
            except EnlargerError as error:
                self._fail(job, error)
                return
            except AWAY:
                raise
            except Exception:
                # The job must end in its row whatever happened, or its caller would wait for ever.
                LOG.exception("job.broken")
                self._fail(job, EnlargerError())
                return

    def _fail(self, job: Job, error: EnlargerError) -> None:
        if self._insist(partial(self._jobs.fail, job.id, error, attempt=job)):
            self._on_ended()
            LOG.info("job.failed", code=error.code)

    def _finish(self, job: Job, outcome: Outcome) -> None:
        if not self._insist(partial(self._jobs.succeed, job, outcome)):
            # Cancelled, overdue, or another attempt's: nobody will ever ask for this picture.
            LOG.warning("job.lost")
            self._store.delete([outcome.result_key])
            return
        self._on_ended()
        fault("worker.after_commit")
        LOG.info("job.succeeded", engine_ms=outcome.engine_ms, encode_ms=outcome.encode_ms)
        if job.attempts > 1:
            self._store.delete([_result_key(job, attempt) for attempt in range(1, job.attempts)])

    def _attempt(self, job: Job) -> Outcome:
        """The result of one attempt, in the store.

        Raises DeadlineExceeded, Cancelled if the job is no longer this attempt's, and what went wrong.
        """
        try:
            if _is_overdue(job):
                raise DeadlineExceeded
            return self._enlarge(job)
        except Cancelled:
            if _is_overdue(job):
                raise DeadlineExceeded from None
            raise

    def _enlarge(self, job: Job) -> Outcome:
        folder = self._scratch / f"{job.id}-{job.attempts}"
        with told():
            folder.mkdir(exist_ok=True)
        done_share = 0.0

        def on_tile(done: int, total: int) -> None:
            nonlocal done_share
            done_share = done / total if total else 0.0

        def is_wanted() -> bool:
            try:
                return self._jobs.go_on(job, done_share)
            except AWAY as error:
                LOG.warning("job.unheard", error=type(error).__name__)
                return True

        try:
            source, target = folder / "input", folder / "output"
            self._store.copy_to(job.input_key, source)
            styles = [folder / f"style-{number}" for number in range(len(job.style_keys))]
            for key, path in zip(job.style_keys, styles, strict=True):
                self._store.copy_to(key, path)
            fault("worker.after_input")
            done = self._child.run(
                Task(str(source), str(target), job.request, tuple(map(str, styles))),
                timeout_s=self._job_timeout_s,
                on_tile=on_tile,
                is_wanted=is_wanted,
            )
            fault("worker.after_render")
            size_bytes = target.stat().st_size
            result_key = _result_key(job, job.attempts)
            self._store.create(result_key, target)
            fault("worker.after_object")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Outcome(
            result_key,
            done.width,
            done.height,
            size_bytes,
            done.engine_ms,
            done.encode_ms,
            msgspec.json.encode(done.receipt).decode(),
            done.tiles,
            done.tile_ms,
        )

    def _insist(self, change: Callable[[], T]) -> T:
        """Do one thing in the database, again while it is away: what was computed is worth waiting for."""
        deadline = time.monotonic() + DATABASE_PATIENCE_S
        while True:
            try:
                return change()
            except AWAY as error:
                if time.monotonic() > deadline or self._stopping.is_set():
                    raise
                LOG.warning("database.away", error=type(error).__name__)
                time.sleep(DATABASE_RETRY_S)


def _result_key(job: Job, attempt: int) -> str:
    """Each attempt has a key of its own: what a worker writes that was thought dead is never seen."""
    return f"ws/{job.workspace_id}/results/{job.id}-{attempt}.{job.request.output_format}"


def _is_overdue(job: Job) -> bool:
    return job.deadline_ms is not None and job.deadline_ms <= now_ms()
