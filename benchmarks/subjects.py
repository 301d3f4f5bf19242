"""Subjects: processes that hold one thing ready and run it once whenever they are told to.

A process each, so that its memory is its own and a pool of threads that spins after work disturbs
nobody; all alive at once and idle between turns, so that they can be run in turn.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.workplace import REPOSITORY, environment

SETTLE_S = 0.1
"""Before every turn: thread pools spin for some milliseconds before they sleep."""


class Subject:
    """One such process: `python -m benchmarks.MODULE ARGUMENTS`. A context manager."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        self._process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}
        """What it said of itself when it was warm."""

    def run(self) -> dict[str, Any]:
        """Let it run once; returns what it measured."""
        time.sleep(SETTLE_S)
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    @property
    def peak_bytes(self) -> int:
        """The most memory that it has held.

        Not `ru_maxrss`: the kernel carries that over from the process that started it.
        """
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return 1024 * int(kib)

    def __enter__(self) -> Subject:
        self._process = subprocess.Popen(
            self._command,
            cwd=REPOSITORY,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.ready = self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if error is not None:
            self._process.kill()
        # Closes its standard input, at whose end it ends.
        self._process.communicate()

    def _read(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._command)} ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def take_turns(run: Callable[[], Mapping[str, object]], **ready: object) -> None:
    """The subject's side: say that it is warm, then run once for every line that arrives.

    ready  what it says of itself. Whoever calls has run it once: a first run makes threads, kernels
           and memory.
    """
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run()), flush=True)
