"""Recomputes the ledger beside the requests: once at the start, and then when the metrics are read.

Seldom enough to cost little however long the books are.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from enlarger.database import snapshot
from enlarger.ledger import ledger

LOG = structlog.get_logger()
EVERY_S = 300.0
SHARE = 0.05
"""Most of the time that may be spent on it; beyond, it is done less often than every `EVERY_S`."""


@dataclass(frozen=True)
class Finding:
    """What one audit found."""

    faults: int
    """Sentences of `ledger.verify`; 0 where the books are right."""
    at_s: float
    """Unix time of its end."""
    took_s: float


class Audit:
    """The latest finding, renewed in a thread when somebody asks and it is old."""

    def __init__(self, engine: sa.Engine, *, every_s: float = EVERY_S) -> None:
        self._engine = engine
        self._every_s = every_s
        self._lock = threading.Lock()
        self._next_at = 0.0
        self._finding: Finding | None = None

    def latest(self) -> Finding | None:
        """What is known now, at once; None before the first audit has ended."""
        self.begin()
        return self._finding

    def begin(self) -> None:
        """Begin an audit if one is due; it goes on in a thread, and what it finds is in the log too."""
        with self._lock:
            if time.monotonic() >= self._next_at:
                # Until this one has ended none begins.
                self._next_at = float("inf")
                threading.Thread(target=self._run, name="audit", daemon=True).start()

    def _run(self) -> None:
        started = time.monotonic()
        try:
            with snapshot(self._engine) as connection:
                faults = list(ledger.verify(connection))
            if faults:
                LOG.error("ledger.wrong", faults=len(faults))
            for fault in faults[:10]:
                LOG.error("ledger.fault", fault=fault)
            self._finding = Finding(len(faults), time.time(), time.monotonic() - started)
        except SQLAlchemyError as error:
            LOG.warning("audit.failed", error=type(error).__name__)
        finally:
            took_s = time.monotonic() - started
            with self._lock:
                self._next_at = time.monotonic() + max(self._every_s, took_s / SHARE)
