"""`enlarger up` as a user runs it: one photograph of 2000x1500 to 8000x6000, whole processes.

Twice: watching memory costs a part of a core, so the time comes from a run that nobody watches. Both
find the network compiled already if it ever ran with these weights, as a user's second run does.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from PIL import Image

from benchmarks.workplace import REPOSITORY, environment, fetched
from enlarger.engine.engine import NETWORKS
from enlarger.request import Mode
from tests.support.photos import encoded, scaled

WIDTH, HEIGHT = 2000, 1500
POLL_S = 0.01


@dataclass(frozen=True)
class Command:
    """One run's time, another's memory."""

    wall_s: float
    tree_peak_bytes: int
    """Of the process and its children together, looked at every 10 ms."""
    process_peak_bytes: int
    """The kernel's own mark of the highest single process, which misses no peak."""


def measure_command() -> Command:
    """Run it unwatched, then watched."""
    fetched(NETWORKS[Mode.FAST][0])
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photo.jpg").write_bytes(encoded(scaled("coffee", WIDTH, HEIGHT), "JPEG", quality=95))
        started = time.perf_counter()
        process = _start(folder, "unwatched.png")
        _reap(process, 0)
        wall_s = time.perf_counter() - started
        process = _start(folder, "watched.png")
        tree_peak, process_peak = _watch(process)
        for result in folder.glob("*.png"):
            with Image.open(result) as image:
                assert image.size == (4 * WIDTH, 4 * HEIGHT)
    return Command(wall_s, tree_peak, process_peak)


def _start(folder: Path, result: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "enlarger", "up", folder / "photo.jpg", "--output", folder / result],
        cwd=REPOSITORY,
        env=environment(folder / "data"),
        stdout=subprocess.DEVNULL,
    )


def _watch(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """The highest sum over the tree, and the highest single process, in bytes."""
    root = psutil.Process(process.pid)
    peak = 0
    while (process_peak := _reap(process, os.WNOHANG)) is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            peak = max(peak, sum(_resident(member) for member in (root, *root.children(recursive=True))))
        time.sleep(POLL_S)
    return peak, process_peak


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _reap(process: subprocess.Popen[bytes], options: int) -> int | None:
    """The ended process's peak in bytes, its status checked; None if it has not ended."""
    pid, status, usage = os.wait4(process.pid, options)
    if pid == 0:
        return None
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"`enlarger up` ended with {process.returncode}"
    # Never below our own memory, which the kernel carries over to a child; ours is far smaller.
    return 1024 * usage.ru_maxrss
