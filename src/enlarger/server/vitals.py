"""What the database says of the whole installation, read at each scrape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import sqlalchemy as sa
import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from enlarger.database import now_ms
from enlarger.database.upkeep import log_bytes
from enlarger.jobs import counters
from enlarger.jobs.job import JobState
from enlarger.jobs.tables import JOBS, SLOTS
from enlarger.ledger import ledger
from enlarger.server.audit import Audit
from enlarger.storage.faults import FAILURES

LOG = structlog.get_logger()
TOTALS = (
    (counters.CAPTURES, "enlarger_captures", "Holds that were captured.", None),
    (counters.ENDED, "enlarger_jobs_ended", "Jobs that ended.", "state"),
    (counters.REDISPATCHES, "enlarger_job_redispatches", "Jobs that were taken from a dead worker.", None),
    (counters.EXPULSIONS, "enlarger_slot_expulsions", "Leases of workers that ran out.", None),
    (counters.TILES, "enlarger_tiles", "Tiles of results that were delivered.", None),
    (counters.REPAIRS, "enlarger_tile_repairs", "Tiles that were run again.", "kind"),
)
"""Counters of all processes: row, metric, meaning, and the name of what its label says."""
HISTOGRAMS = (
    (counters.PICKUP_MS, "enlarger_job_pickup_seconds", "From a job's acceptance to its first attempt."),
    (counters.RUN_MS, "enlarger_job_run_seconds", "From a job's first attempt to its good end."),
)


class Vitals(Collector):
    """Queue, holds, slots, counters and sizes. Each is one query on an index, or on a table of few rows."""

    def __init__(self, engine: sa.Engine, *, lease_s: float, audit: Audit) -> None:
        self._engine = engine
        self._lease_ms = round(1000 * lease_s)
        self._audit = audit

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that registering asks no database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Everything; where the database is away only that."""
        started = time.perf_counter()
        is_up = True
        try:
            with self._engine.connect() as connection:
                metrics = [metric for part in self._parts() for metric in part(connection)]
        except SQLAlchemyError as error:
            LOG.warning("metrics.database_away", error=type(error).__name__)
            is_up, metrics = False, []
        yield from metrics
        yield GaugeMetricFamily("enlarger_database_up", "1 if the database answers.", value=is_up)
        yield GaugeMetricFamily(
            "enlarger_scrape_seconds",
            "Time that reading the database took for this page.",
            value=time.perf_counter() - started,
        )
        finding = self._audit.latest()
        if finding is not None:
            yield GaugeMetricFamily(
                "enlarger_ledger_faults", "What is wrong in the books; must be 0.", value=finding.faults
            )
            yield GaugeMetricFamily(
                "enlarger_ledger_verified_timestamp_seconds",
                "When the books were last recomputed, Unix time.",
                value=finding.at_s,
            )
            yield GaugeMetricFamily(
                "enlarger_ledger_verify_seconds", "Time that it took.", value=finding.took_s
            )

    def _parts(self) -> tuple[Callable[[sa.Connection], Iterator[Metric]], ...]:
        return self._queue, self._holds, self._slots, self._counters, self._sizes

    def _queue(self, connection: sa.Connection) -> Iterator[Metric]:
        oldest = sa.select(sa.func.min(JOBS.c.created_ms)).where(JOBS.c.state == JobState.QUEUED)
        for state, name in ((JobState.QUEUED, "waiting"), (JobState.RUNNING, "running")):
            count = connection.scalar(sa.select(sa.func.count()).where(JOBS.c.state == state))
            yield GaugeMetricFamily(f"enlarger_jobs_{name}", f"Jobs that are {name}.", value=count or 0)
        yield _age("enlarger_job_oldest_waiting_seconds", "the oldest job waits", connection.scalar(oldest))

    def _holds(self, connection: sa.Connection) -> Iterator[Metric]:
        count, oldest_ms = ledger.open_holds(connection)
        yield GaugeMetricFamily("enlarger_holds_open", "Holds of jobs under way.", value=count)
        yield _age("enlarger_hold_oldest_seconds", "the oldest hold is open", oldest_ms)

    def _slots(self, connection: sa.Connection) -> Iterator[Metric]:
        cutoff = now_ms() - self._lease_ms
        rows = connection.execute(sa.select(SLOTS.c.ready, SLOTS.c.heartbeat_ms)).all()
        live = [row.ready for row in rows if row.heartbeat_ms > cutoff]
        expired = sum(0 < row.heartbeat_ms <= cutoff for row in rows)
        for name, meaning, value in (
            ("live", "Workers that renew their lease.", len(live)),
            ("ready", "Workers that can take a job.", sum(live)),
            ("expired", "Leases that ran out and were not ended yet.", expired),
        ):
            yield GaugeMetricFamily(f"enlarger_slots_{name}", meaning, value=value)

    def _counters(self, connection: sa.Connection) -> Iterator[Metric]:
        counts = counters.read(connection)
        for row, name, meaning, label in TOTALS:
            total = CounterMetricFamily(name, meaning, labels=None if label is None else (label,))
            if label is None:
                total.add_metric((), counts.get((row, ""), 0))
            else:
                for (counter, value), count in counts.items():
                    if counter == row:
                        total.add_metric((value,), count)
            yield total
        yield CounterMetricFamily(
            "enlarger_tile_seconds",
            "Time that the networks took for the tiles.",
            value=counts.get((counters.TILE_MS, ""), 0) / 1000,
        )
        errors = CounterMetricFamily(
            "enlarger_storage_errors", "Failures of the object store.", labels=("process", "code")
        )
        for code, count in sorted(FAILURES.items()):
            errors.add_metric(("api", code), count)
        for (counter, code), count in counts.items():
            if counter == counters.STORAGE_ERRORS:
                errors.add_metric(("worker", code), count)
        yield errors
        for row, name, meaning in HISTOGRAMS:
            yield _histogram(counts, row, name, meaning)

    def _sizes(self, connection: sa.Connection) -> Iterator[Metric]:
        if self._engine.dialect.name == "sqlite":
            file = Path(str(self._engine.url.database))
            sizes = {"": file.stat().st_size, "wal_": log_bytes(self._engine)}
        else:
            sizes = {"": connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0}
        for which, size in sizes.items():
            what = "SQLite's log beside the database." if which else "The database."
            yield GaugeMetricFamily(f"enlarger_database_{which}bytes", what, value=size)


def _age(name: str, what: str, since_ms: int | None) -> Metric:
    age_s = 0.0 if since_ms is None else max(0, now_ms() - since_ms) / 1000
    return GaugeMetricFamily(name, f"For how long {what}; 0 if there is none.", value=age_s)


def _histogram(counts: counters.Counts, row: str, name: str, meaning: str) -> Metric:
    total = 0
    buckets = []
    for bound in (*counters.BOUNDS_MS, counters.BEYOND):
        total += counts.get((row, str(bound)), 0)
        buckets.append((bound if isinstance(bound, str) else f"{bound / 1000:g}", float(total)))
    return HistogramMetricFamily(name, meaning, buckets, counts.get((row + counters.SUM, ""), 0) / 1000)
