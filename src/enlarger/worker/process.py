"""The worker process: one slot, one durable-job executor, one inference child."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from enlarger.bells import API, WORKER, Bell, ring
from enlarger.database import connect
from enlarger.errors import EnlargerError, NotReady
from enlarger.faults import fault
from enlarger.jobs import Jobs
from enlarger.jobs.durable import WORKER_POOL_SIZE, follow, worker_config
from enlarger.jobs.pace import Pace
from enlarger.jobs.reconcile import Forgotten
from enlarger.jobs.slots import Slot, slot_id
from enlarger.lifeline import watch_lifeline
from enlarger.settings import Settings
from enlarger.storage import open_store
from enlarger.worker.child import InferenceChild, child_environment
from enlarger.worker.chores import Chores
from enlarger.worker.work import Work

LOG = structlog.get_logger()
BEATS_A_LEASE = 4
"""A lease is renewed, and the leases of others are looked at, so many times before it runs out."""

LONG_OUTAGE_S = 15.0
"""After the database was away for so long, what waits for it may go on waiting; a new worker does not."""


def run_worker(settings: Settings, ordinal: int) -> None:
    """Work until SIGTERM or until the supervisor is gone; the job under way may finish first.

    The process must end at once when this returns: a job that did not finish in time is still held
    by a thread of it, the child lives as long as the process, and the next worker of this slot takes
    the job up again.

    Raises NotReady if another worker holds the slot or has ended its lease, if the database was away for
    long, and what kept the networks from loading.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, lambda number, frame: stop.set())
    watch_lifeline(stop.set)

    engine = connect(settings.database, pool_size=WORKER_POOL_SIZE)
    name = slot_id(settings.node_name, ordinal)
    slot = Slot(engine, settings.data_dir / "slots", name, lease_s=settings.lease_s)
    child = InferenceChild(child_environment(settings))
    # Only SQLite's jobs all come from this machine.
    pace = Pace(may_rest=engine.dialect.name == "sqlite")

    def on_ended() -> None:
        ring(settings.bells_path, API)
        pace.ring()

    heart = Heart(slot, settings.lease_s, on_lost=stop.set)
    try:
        heart.start()
        child.revive()
        jobs = Jobs(engine, keep_results_ms=settings.keep_results_ms)
        store = open_store(settings.object_store)
        work = Work(
            jobs,
            store,
            child,
            scratch=_empty(settings.scratch_path / slot.id),
            job_timeout_s=settings.job_timeout_s,
            stopping=stop,
            on_ended=on_ended,
        )
        durable = DBOS(config=worker_config(engine, slot.id))
        work.register()
        DBOS.launch()
        follow(durable, pace)
        Ear(Bell(settings.bells_path, f"{WORKER}-{slot.id}"), pace).start()
        LOG.info("worker.ready", slot=slot.id)
        heart.is_ready = True
        chores = Chores(
            engine,
            jobs,
            store,
            lease_s=settings.lease_s,
            keep_history_ms=settings.keep_history_ms,
            may_judge=lambda: heart.is_steady,
            forgotten=Forgotten(jobs, slot.id, work.running),
        )
        while not stop.wait(settings.lease_s / BEATS_A_LEASE):
            heart.is_ready = child.revive()
            chores.run()
            if heart.had_outage and not work.running():
                # What the engine had begun it repeats after pauses that grew with the outage, to a minute
                # and more, and takes no job meanwhile; a new process looks for work at once.
                raise NotReady("the database was away for long; this worker starts anew")
        if heart.is_lost:
            raise NotReady(f"the lease of slot {slot.id} ran out and was ended by another worker")
        LOG.info("worker.stopping", slot=slot.id)
        heart.is_ready = False
        fault("worker.in_drain")
        DBOS.destroy(workflow_completion_timeout_sec=int(settings.drain_timeout_s))
        slot.release()
    except EnlargerError as error:
        LOG.error("worker.failed", code=error.code, reason=error.message)
        raise


class Ear(threading.Thread):
    """Sets the pace by a bell."""

    def __init__(self, bell: Bell, pace: Pace) -> None:
        super().__init__(name="ear", daemon=True)
        self._bell = bell
        self._pace = pace

    def run(self) -> None:
        """Until the process ends."""
        while True:
            self._bell.wait()
            self._pace.ring()


class Heart(threading.Thread):
    """Renews the slot's lease, whatever else the process waits for."""

    def __init__(self, slot: Slot, lease_s: float, on_lost: Callable[[], object]) -> None:
        super().__init__(name="heart", daemon=True)
        self._slot = slot
        self._lease_s = lease_s
        self._on_lost = on_lost
        self._beaten_at = time.monotonic()
        self._steady_from = self._beaten_at
        self.is_ready = False
        """Whether the worker can take a job at once, for /readyz."""
        self.is_lost = False
        """Whether another worker ended the lease: this process was paused for longer than it lasts."""
        self.had_outage = False
        """Whether the lease could not be renewed for LONG_OUTAGE_S, and now can again."""

    @property
    def is_steady(self) -> bool:
        """Whether leases that have run out say that their holders are dead.

        Not while this worker's own could not be renewed, nor just afterwards: what kept it from the
        database may have kept the others, who come back in the same moment.
        """
        now = time.monotonic()
        return now - self._beaten_at < self._lease_s and now >= self._steady_from

    def run(self) -> None:
        """Until the lease is lost or the process ends."""
        while not self.is_lost:
            try:
                if not self._slot.heartbeat(is_ready=self.is_ready):
                    self.is_lost = True
                    self._on_lost()
                now = time.monotonic()
                if now - self._beaten_at >= self._lease_s:
                    self._steady_from = now + self._lease_s / 2
                if now - self._beaten_at >= LONG_OUTAGE_S:
                    self.had_outage = True
                self._beaten_at = now
            except SQLAlchemyError as error:
                # The job under way may well outlast what is wrong with the database.
                LOG.warning("worker.heartbeat_failed", error=type(error).__name__)
            time.sleep(self._lease_s / BEATS_A_LEASE)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
