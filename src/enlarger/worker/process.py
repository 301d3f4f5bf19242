"""The worker process: one slot, one durable-job executor, one inference child."""

from __future__ import annotations

import shutil
import signal
import threading
from pathlib import Path

import structlog
from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from enlarger.database import connect
from enlarger.errors import EnlargerError, NotReady
from enlarger.faults import fault
from enlarger.jobs import Jobs
from enlarger.jobs.durable import WORKER_POOL_SIZE, worker_config
from enlarger.jobs.reconcile import fail_overdue, fail_stranded, take_over
from enlarger.jobs.slots import Slot, slot_id
from enlarger.lifeline import watch_lifeline
from enlarger.settings import Settings
from enlarger.storage import open_store
from enlarger.worker.child import InferenceChild, child_environment
from enlarger.worker.work import Work

LOG = structlog.get_logger()
SWEEPS_A_LEASE = 4
"""A lease is renewed, and the leases of others are looked at, so many times before it runs out."""


def run_worker(settings: Settings, ordinal: int) -> None:
    """Work until SIGTERM or until the supervisor is gone; the job under way may finish first.

    The process must end at once when this returns: a job that did not finish in time is still held
    by a thread of it, the child lives as long as the process, and the next worker of this slot takes
    the job up again.

    Raises NotReady if another worker holds the slot, and what kept the networks from loading.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, lambda number, frame: stop.set())
    watch_lifeline(stop.set)

    engine = connect(settings.database, pool_size=WORKER_POOL_SIZE)
    lease_s = settings.lease_s
    name = slot_id(settings.node_name, ordinal)
    slot = Slot(engine, settings.data_dir / "slots", name, lease_s=lease_s)
    child = InferenceChild(child_environment(settings))
    try:
        child.revive()
        jobs = Jobs(engine, keep_results_ms=settings.keep_results_ms)
        work = Work(
            jobs,
            open_store(settings.object_store),
            child,
            scratch=_empty(settings.scratch_path / slot.id),
            job_timeout_s=settings.job_timeout_s,
            stopping=stop,
        )
        DBOS(config=worker_config(engine, slot.id))
        work.register()
        DBOS.launch()
        LOG.info("worker.ready", slot=slot.id)
        slot.heartbeat(is_ready=True)
        while not stop.wait(lease_s / SWEEPS_A_LEASE):
            try:
                if not slot.heartbeat(is_ready=child.revive()):
                    # Paused for longer than the lease: others have the jobs by now.
                    raise NotReady(f"the lease of slot {slot.id} ran out and was ended by another worker")
                take_over(engine, lease_s)
                fail_stranded(jobs)
                fail_overdue(jobs)
            except SQLAlchemyError as error:
                # The job under way may well outlast what is wrong with the database.
                LOG.warning("worker.heartbeat_failed", error=type(error).__name__)
        LOG.info("worker.stopping", slot=slot.id)
        slot.heartbeat(is_ready=False)
        fault("worker.in_drain")
        DBOS.destroy(workflow_completion_timeout_sec=int(settings.drain_timeout_s))
        slot.release()
    except EnlargerError as error:
        LOG.error("worker.failed", code=error.code, reason=error.message)
        raise


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
