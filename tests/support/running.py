"""A real server in processes of its own, started as a user would start it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

SECRET = "a-secret-for-tests-of-more-than-32-characters"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 60.0
MARKS = {"api": "enlarger.server.process", "worker": "worker", "child": "enlarger.worker.inference"}
"""The argument by which each role is known."""


@dataclass
class RunningServer:
    """A server that answers, and what tests want to know of it."""

    process: subprocess.Popen[str]
    url: str
    data_dir: Path
    output: str
    """What it printed until it was ready."""

    @classmethod
    @contextlib.contextmanager
    def start(cls, data_dir: Path, models: Path, **variables: str) -> Iterator[RunningServer]:
        """Start `enlarger serve` on a free port, wait until it is ready, stop it at the end.

        variables  more of its environment, or other than the default.
        """
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ENLARGER_")},
            "ENLARGER_DATA_DIR": str(data_dir),
            "ENLARGER_MODELS_DIR": str(models),
            "ENLARGER_PORT": "0",
            "ENLARGER_BOOTSTRAP_KEY": SECRET,
            # Counted as ever, and never too many for a test that is no test of limits.
            "ENLARGER_RATE_LIMIT": "10000/10s",
            "ENLARGER_ADDRESS_RATE_LIMIT": "10000/10s",
            **variables,
        }
        with (data_dir / "stderr.log").open("a") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "enlarger", "serve"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            output = _read_until_ready(process, data_dir / "stderr.log")
            url = re.search(r"ready at (http://\S+?)\.(?:\s|$)", output)
            assert url is not None, output
            yield cls(process, url[1], data_dir, output)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_TIMEOUT_S)
            finally:
                process.kill()
                assert process.stdout is not None
                process.stdout.close()

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client with the key, waiting as long as the slowest test needs."""
        headers = {"authorization": f"Bearer {SECRET}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120.0, **options)

    def log(self) -> str:
        """Everything that the processes logged."""
        return (self.data_dir / "stderr.log").read_text()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the server's own database."""
        with contextlib.closing(sqlite3.connect(self.data_dir / "enlarger.db", timeout=30)) as connection:
            return connection.execute(sql).fetchall()

    def pid_of(self, role: str) -> int:
        """The process id of the `api`, a `worker` or its inference `child` as it is now."""
        for pid in self.pids_of(role):
            return pid
        raise LookupError(role)

    def pids_of(self, role: str) -> list[int]:
        """The process ids of all that have this role; none while they are being started again."""
        return pids_below(self.process.pid, MARKS[role])


def pids_below(pid: int, mark: str) -> list[int]:
    """Processes that `pid` started, or theirs, with `mark` among their arguments."""
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if mark in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
    return found


def wait_for(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    """Return as soon as `condition` holds; fail, saying `what` was awaited, if it never does."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.01)


def _read_until_ready(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + START_TIMEOUT_S
    output = ""
    while "enlarged.png" not in output:
        line = process.stdout.readline()
        assert line or process.poll() is None, f"the server ended:\n{log.read_text()}"
        assert time.monotonic() < deadline, log.read_text()
        output += line
    return output
