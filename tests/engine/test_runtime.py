"""The runtime beside others: on the same processors, and with the same folder of compiled networks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.models import ModelStore, known_networks
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


RELEASING = """
import os
from pathlib import Path
import numpy as np
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.models import ModelStore, known_networks

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

network = ModelStore(Path(os.environ["MODELS"])).load(known_networks()["span-x4-ch48"])
compiled = OpenVinoRuntime().compile(network)
rested = held()
compiled.run(np.full((400, 400, 3), 128, np.uint8))
at_work = held()
compiled.release()
print((at_work - rested) >> 20, (held() - rested) >> 20)
"""


def test_what_a_tile_took_goes_back_to_the_system() -> None:
    """In a process of its own, which has freed nothing else."""
    command = [sys.executable, "-c", RELEASING]
    environment = {**os.environ, "MODELS": str(MODELS), "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    taken, kept = map(int, done.stdout.split())
    assert taken > 100
    assert kept < 0.2 * taken, done.stdout


def test_a_compiled_network_is_found_again_whatever_was_compiled_before_it(
    store: ModelStore, tmp_path: Path
) -> None:
    names = ["span-x4-ch48", "realesr-animevideov3-x4"]
    networks = [store.load(known_networks()[name]) for name in names]

    def kept(order: int) -> set[str]:
        for network in networks[::order]:
            OpenVinoRuntime(cache_dir=tmp_path).compile(network)
        return {path.name for path in tmp_path.iterdir()}

    first = kept(1)
    assert len(first) == 2
    assert kept(-1) == first
