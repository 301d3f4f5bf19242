"""The worker's side of its inference child: start it, give it a task, outlive it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection

import msgspec
import structlog

from enlarger.errors import InferenceCrashed, by_code
from enlarger.progress import OnTile
from enlarger.settings import Settings
from enlarger.worker.messages import Done, Failed, Progress, Ready, Reply, Task

LOG = structlog.get_logger()
START_TIMEOUT_S = 120.0
"""Loading and compiling every network for the first time, on a slow machine."""


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
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ENLARGER_", "AWS_"))}
    chosen = {name: getattr(settings, name) for name in CHILD_SETTINGS}
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

    def run(self, task: Task, *, timeout_s: float, on_tile: OnTile) -> Done:
        """Run one task.

        timeout_s  after this long the child counts as hung and is ended.

        Raises InferenceCrashed if the child died or was ended, and whatever error the task itself
        ended with. After an error the next call finds or makes a living child.
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
            while True:
                match self._receive(deadline):
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
        reply = self._receive(time.monotonic() + START_TIMEOUT_S)
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

    def _receive(self, deadline: float) -> Reply:
        assert self._connection is not None  # noqa: S101 (for the type checker)
        try:
            if not self._connection.poll(max(0.0, deadline - time.monotonic())):
                self._end()
                raise InferenceCrashed("the inference process did not answer in time and was ended")
            reply: Reply = REPLIES.decode(self._connection.recv_bytes())
            return reply
        except (EOFError, OSError) as error:
            code = self._process.wait() if self._process is not None else None
            LOG.warning("inference.died", exit_code=code)
            self._end()
            raise InferenceCrashed from error
