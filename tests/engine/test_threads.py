"""Workers of one machine share its processors: none of them may hold its threads to some of these."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import MODELS, REPOSITORY

PROGRAM = """
import contextlib
import os
import threading
import time
from pathlib import Path
import numpy as np
from enlarger.engine.engine import Engine
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets
from enlarger.request import UpscaleRequest

engine = Engine(OpenVinoRuntime(threads=1), ModelStore(Path(os.environ["MODELS"])), known_assets())
picture = Picture.of(np.full((400, 400, 3), 128, np.uint8))
work = threading.Thread(target=engine.upscale(picture, UpscaleRequest()).collect)
work.start()
held = set()
while work.is_alive():
    for name in os.listdir("/proc/self/task"):
        with contextlib.suppress(ProcessLookupError):
            held.add(tuple(sorted(os.sched_getaffinity(int(name)))))
    time.sleep(0.002)
print(held == {tuple(sorted(os.sched_getaffinity(0)))}, held)
"""


@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) == 1, reason="a single processor has nothing to choose from"
)
def test_no_thread_is_held_to_some_of_the_processors() -> None:
    """In a process of its own, whose threads are all of one engine, and while it works."""
    command = [sys.executable, "-c", PROGRAM]
    environment = {**os.environ, "MODELS": str(MODELS), "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True"), done.stdout
