"""What a worker does with a job: the durable workflow and its two steps.

Either step may be repeated after a crash. Rendering writes an object whose key follows from the
job's id, and settling changes a row only from RUNNING, so a repetition changes nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TypedDict

import structlog
from dbos import DBOS

from enlarger.errors import EnlargerError, InferenceCrashed
from enlarger.jobs import Job, Jobs, Outcome
from enlarger.jobs.durable import WORKFLOW
from enlarger.storage import ObjectStore
from enlarger.worker.inference import InferenceChild
from enlarger.worker.messages import Task

LOG = structlog.get_logger()
MAX_ATTEMPTS = 3
"""A picture that ended the process this often is given up: it would do so for ever."""


class Rendered(TypedDict):
    """What the first step hands to the second, kept in the database between them."""

    result_key: str
    width: int
    height: int
    engine_ms: int
    encode_ms: int


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

        @DBOS.step(name="render")
        def render(job_id: str) -> Rendered | None:
            return self._render(job_id)

        @DBOS.step(name="settle")
        def settle(job_id: str, rendered: Rendered) -> None:
            self._settle(job_id, rendered)

        @DBOS.workflow(name=WORKFLOW)
        def upscale(job_id: str) -> None:
            rendered = render(job_id)
            if rendered is not None:
                settle(job_id, rendered)

    def _render(self, job_id: str) -> Rendered | None:
        """Make the result and store it; None if the job has failed, which its row then says.

        Errors end here and not in the durable engine: a caller reads them from the row.
        """
        while (job := self._jobs.begin_attempt(job_id)) is not None:
            log = LOG.bind(job=job.id, workspace=job.workspace_id, attempt=job.attempts)
            if job.attempts > MAX_ATTEMPTS:
                self._jobs.fail(job_id, InferenceCrashed())
                log.error("job.given_up")
                return None
            try:
                return self._attempt(job)
            except InferenceCrashed:
                log.warning("job.attempt_crashed")
            except EnlargerError as error:
                log.info("job.failed", code=error.code)
                self._jobs.fail(job_id, error)
                return None
            except Exception:
                # The job must end in its row whatever happened, or its caller would wait for ever.
                log.exception("job.failed", code=EnlargerError.code)
                self._jobs.fail(job_id, EnlargerError())
                return None
        return None

    def _attempt(self, job: Job) -> Rendered:
        folder = self._scratch / job.id
        folder.mkdir(exist_ok=True)
        try:
            source, target = folder / "input", folder / "output"
            self._store.copy_to(job.input_key, source)
            done = self._child.run(
                Task(str(source), str(target), job.request),
                timeout_s=self._job_timeout_s,
                on_tile=lambda done, total: None,
            )
            result_key = f"ws/{job.workspace_id}/results/{job.id}.{job.request.output_format}"
            self._store.create(result_key, target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return Rendered(
            result_key=result_key,
            width=done.width,
            height=done.height,
            engine_ms=done.engine_ms,
            encode_ms=done.encode_ms,
        )

    def _settle(self, job_id: str, rendered: Rendered) -> None:
        self._jobs.succeed(job_id, Outcome(**rendered))
        LOG.info("job.succeeded", job=job_id, **rendered)
