"""The worker's side of its inference child: start it, give it a task, outlive it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import msgspec
import structlog

from enlarger.errors import Cancelled, InferenceCrashed, by_code
from enlarger.faults import VARIABLE as FAULT_PLAN
from enlarger.progress import OnTile
from enlarger.settings import Settings
from enlarger.worker.messages import Done, Failed, Progress, Ready, Reply, Stop, Task

LOG = structlog.get_logger()
START_TIMEOUT_S = 120.0
"""Loading and compiling every network for the first time, on a slow machine."""
LOOK_S = 0.5
"""How often a running task is asked whether it is still wanted."""
STOP_GRACE_S = 0.75
"""How long a task that is not wanted has to reach its next tile before its process is ended. With
LOOK_S it makes a cancelled job stop within 2 s, whatever it does."""

REPLIES = msgspec.json.Decoder(Reply)
"""Decodes anything that a child may say."""
CHILD_SETTINGS = (
    "data_dir",
    "models_dir",
    "threads",
    "precision",
    "metadata",
    "max_input_pixels",
    "max_output_pixels",
)
"""Settings that the child gets: it decodes hostile files and needs no other, least of all a secret."""


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment of an inference child: of our variables and the bucket's, only CHILD_SETTINGS."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ENLARGER_", "AWS_")) or name == FAULT_PLAN
    }
    chosen = {name: getattr(settings, name) for name in CHILD_SETTINGS}
    # The workers of one machine share its cores; more threads than cores make all of them slower.
    cores = len(os.sched_getaffinity(0))
    chosen["threads"] = settings.threads or max(1, cores // max(1, settings.workers))
    ours = {f"ENLARGER_{name.upper()}": str(value) for name, value in chosen.items() if value is not None}
    return kept | ours


class InferenceChild:
    """One inference process, started again whenever it is found dead."""

    def __init__(self, environment: dict[str, str]) -> None:
        """
        environment  of the process; see `child_environment`.
        """
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._in_use = threading.Lock()

    @property
    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def revive(self) -> bool:
        """Start the process if it is dead and no task is using it; returns whether it can work.

        Waits until its networks are loaded. Raises what kept it from loading them (ModelMissing,
        DigestMismatch), or InferenceCrashed.
        """
        if self._in_use.acquire(blocking=False):
            try:
                self._start()
            finally:
                self._in_use.release()
        return self.is_alive

    def run(self, task: Task, *, timeout_s: float, on_tile: OnTile, is_wanted: Callable[[], bool]) -> Done:
        """Run one task.

        timeout_s  after this long the child counts as hung and is ended.
        is_wanted  asked every half second; after a False the task is stopped at its next tile, and
                   where that is too far the child is ended.

        Raises InferenceCrashed if the child died or was ended, Cancelled if the task was stopped, and
        whatever error the task itself ended with. After an error the next call finds or makes a
        living child.
        """
        with self._in_use:
            self._start()
            assert self._connection is not None  # noqa: S101 (for the type checker)
            try:
                self._connection.send_bytes(msgspec.json.encode(task))
            except OSError as error:
                self._end()
                raise InferenceCrashed from error
            deadline = time.monotonic() + timeout_s
            next_look = time.monotonic() + LOOK_S
            end_by = float("inf")
            while True:
                now = time.monotonic()
                if now >= end_by:
                    LOG.info("inference.ended", reason="the task is not wanted any longer")
                    self._end()
                    raise Cancelled
                if now >= next_look:
                    next_look = now + LOOK_S
                    if end_by == float("inf") and not is_wanted():
                        end_by = now + STOP_GRACE_S
                        with contextlib.suppress(OSError):  # it is gone; the next line hears of it
                            self._connection.send_bytes(msgspec.json.encode(Stop()))
                match self._receive(deadline, until=min(next_look, end_by)):
                    case Progress(done=done, total=total):
                        on_tile(done, total)
                    case Done() as outcome:
                        return outcome
                    case Failed(code=code, message=message, param=param):
                        raise by_code(code, message, param)

    def _start(self) -> None:
        if self.is_alive:
            return
        self._end()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "enlarger.worker.inference", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=self._environment,
            )
        self._connection = Connection(ours.detach())
        deadline = time.monotonic() + START_TIMEOUT_S
        reply = self._receive(deadline, until=deadline)
        if not isinstance(reply, Ready):
            self._end()
            if isinstance(reply, Failed):
                raise by_code(reply.code, reply.message, reply.param)
            raise InferenceCrashed(f"the inference process began with {type(reply).__name__}")
        LOG.info("inference.ready", pid=self._process.pid)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _receive(self, deadline: float, *, until: float) -> Reply | None:
        """What the child says next, or None if it has said nothing by `until`.

        Raises InferenceCrashed if it is gone, or silent at `deadline`: then it is ended.
        """
        assert self._connection is not None  # noqa: S101 (for the type checker)
        try:
            if self._connection.poll(max(0.0, min(deadline, until) - time.monotonic())):
                reply: Reply = REPLIES.decode(self._connection.recv_bytes())
                return reply
        except (EOFError, OSError) as error:
            code = self._process.wait() if self._process is not None else None
            LOG.warning("inference.died", exit_code=code)
            self._end()
            raise InferenceCrashed from error
        if time.monotonic() >= deadline:
            self._end()
            raise InferenceCrashed("the inference process did not answer in time and was ended")
        return None
