"""Keeps one API process and the workers alive; holds the port, so that no restart refuses a client."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from enlarger.lifeline import LIFELINE_VARIABLE

LOG = structlog.get_logger()
WORKER = (sys.executable, "-m", "enlarger", "worker")
POLL_S = 0.1
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
HEALTHY_AFTER_S = 10.0
"""A process that lived this long is restarted at once the next time."""
SAME_SIGNAL_S = 1.0
"""A second signal so soon is the first one again: `make` passes on what its group got as well."""
KILL_AFTER_S = 5.0
"""Grace beyond the drain time before a process that does not stop is killed."""


@dataclass
class Watched:
    """One process that is started again whenever it ends."""

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    retry_at: float = 0.0
    backoff_s: float = field(default=BACKOFF_FIRST_S)


class Supervisor:
    """Starts, restarts and stops the processes of one server."""

    def __init__(
        self, listener: socket.socket, environment: dict[str, str], *, workers: int, drain_s: float
    ) -> None:
        """
        listener     the bound socket that API processes accept from.
        environment  of every process that is started.
        workers      how many there are; 0 where other machines have them all.
        drain_s      how long a stopping process may finish what it has begun.
        """
        self._drain_s = drain_s
        self._stopping = threading.Event()
        self._stopping_since = 0.0
        self._again = threading.Event()
        # Only this process holds the write end: when it is gone, however, the others notice.
        lifeline, self._lifeline_end = os.pipe()
        self._lifeline = lifeline
        self._environment = {**environment, LIFELINE_VARIABLE: str(lifeline)}
        self._listener = listener
        port = listener.fileno()
        self._api = Watched("api", [sys.executable, "-m", "enlarger.server.process", str(port)], (port,))
        self._workers = [
            Watched(
                f"worker-{ordinal}", [sys.executable, "-m", "enlarger", "worker", f"--ordinal={ordinal}"]
            )
            for ordinal in range(workers)
        ]

    def run(self) -> None:
        """Until SIGTERM or SIGINT. A second signal ends everything at once, which is safe as well."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        while not self._stopping.wait(POLL_S):
            for watched in (*self._workers, self._api):
                self._tend(watched)
        LOG.info("server.stopping", drain_s=self._drain_s)
        # The API first: it answers the requests that it has, for which it needs the worker.
        self._stop([self._api])
        # Nobody accepts from it any longer: who comes now is refused at once instead of left waiting.
        self._listener.close()
        self._stop(self._workers)
        LOG.info("server.stopped")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._stopping.is_set():
            self._stopping_since = now
            self._stopping.set()
        elif now - self._stopping_since > SAME_SIGNAL_S:
            self._again.set()

    def _tend(self, watched: Watched) -> None:
        now = time.monotonic()
        process = watched.process
        if process is not None and process.poll() is not None:
            lived_s = now - watched.started_at
            if lived_s > HEALTHY_AFTER_S:
                watched.backoff_s = BACKOFF_FIRST_S
            watched.process = None
            watched.retry_at = now + watched.backoff_s
            watched.backoff_s = min(2 * watched.backoff_s, BACKOFF_MAX_S)
            LOG.warning("process.died", name=watched.name, pid=process.pid, code=process.returncode)
        if watched.process is None and now >= watched.retry_at:
            watched.started_at = now
            watched.process = subprocess.Popen(
                watched.command,
                env=self._environment,
                pass_fds=(self._lifeline, *watched.descriptors),
                # Ctrl-C in a terminal goes to the supervisor alone, which stops the rest in order.
                start_new_session=True,
            )
            LOG.info("process.started", name=watched.name, pid=watched.process.pid)

    def _stop(self, group: Sequence[Watched]) -> None:
        """Ask all of a group to stop, and end those that do not."""
        left = [watched for watched in group if watched.process is not None]
        for watched in left:
            if watched.process is not None:
                watched.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._drain_s + KILL_AFTER_S
        for watched in left:
            assert watched.process is not None  # noqa: S101 (for the type checker)
            while watched.process.poll() is None:
                if self._again.is_set() or time.monotonic() > deadline:
                    LOG.warning("process.killed", name=watched.name, pid=watched.process.pid)
                    watched.process.kill()
                    watched.process.wait()
                else:
                    self._again.wait(POLL_S)
