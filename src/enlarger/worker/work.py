"""What a worker does with a job: the durable workflow and its one step.

The step may be repeated after a crash. It writes an object whose key follows from the job's id, and
changes the job's row only from RUNNING, so a repetition changes nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import structlog
from dbos import DBOS

from enlarger.errors import EnlargerError, InferenceCrashed
from enlarger.jobs import Job, Jobs, Outcome
from enlarger.jobs.durable import WORKFLOW
from enlarger.progress import ignore_progress
from enlarger.storage import ObjectStore
from enlarger.worker.child import InferenceChild
from enlarger.worker.messages import Task

LOG = structlog.get_logger()
MAX_ATTEMPTS = 3
"""A picture that ended the process this often is given up: it would do so for ever."""


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
    ) -> None:
        """
        scratch        an empty folder of this worker's own.
        job_timeout_s  after this long an attempt counts as hung.
        """
        self._jobs = jobs
        self._store = store
        self._child = child
        self._scratch = scratch
        self._job_timeout_s = job_timeout_s

    def register(self) -> None:
        """Make the workflow known to the durable engine; once, before it is launched."""

        # One step and not several: a checkpoint between them would be a commit more on every request.
        # What escapes from it is the database's trouble, which may be over when it is tried again.
        @DBOS.step(name="render", retries_allowed=True, max_attempts=MAX_ATTEMPTS)
        def render(job_id: str) -> None:
            self._render(job_id)

        @DBOS.workflow(name=WORKFLOW)
        def upscale(job_id: str) -> None:
            render(job_id)

    def _render(self, job_id: str) -> None:
        """Bring a job to its end.

        Errors end here and not in the durable engine: a caller reads them from the row.
        """
        while (job := self._jobs.begin_attempt(job_id)) is not None:
            log = LOG.bind(job=job.id, workspace=job.workspace_id, attempt=job.attempts)
            if job.attempts > MAX_ATTEMPTS:
                log.error("job.given_up")
                self._jobs.fail(job_id, InferenceCrashed())
                return
            try:
                outcome = self._attempt(job)
            except InferenceCrashed:
                log.warning("job.attempt_crashed")
            except EnlargerError as error:
                log.info("job.failed", code=error.code)
                self._jobs.fail(job_id, error)
                return
            except Exception:
                # The job must end in its row whatever happened, or its caller would wait for ever.
                log.exception("job.failed", code=EnlargerError.code)
                self._jobs.fail(job_id, EnlargerError())
                return
            else:
                self._jobs.succeed(job_id, outcome)
                log.info("job.succeeded", engine_ms=outcome.engine_ms, encode_ms=outcome.encode_ms)
                return

    def _attempt(self, job: Job) -> Outcome:
        folder = self._scratch / job.id
        folder.mkdir(exist_ok=True)
        try:
            source, target = folder / "input", folder / "output"
            self._store.copy_to(job.input_key, source)
            done = self._child.run(
                Task(str(source), str(target), job.request),
                timeout_s=self._job_timeout_s,
                on_tile=ignore_progress,
            )
            result_key = f"ws/{job.workspace_id}/results/{job.id}.{job.request.output_format}"
            self._store.create(result_key, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Outcome(
            result_key,
            done.width,
            done.height,
            done.engine_ms,
            done.encode_ms,
            msgspec.json.encode(done.receipt).decode(),
        )
