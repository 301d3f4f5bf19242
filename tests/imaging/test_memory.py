"""What a picture of 60 megapixels takes: a few bands of rows, not itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOM_MIB = 250
PROGRAM = """
import re, sys
from pathlib import Path
import numpy as np
from enlarger.imaging import Format, Layout, decode, encode, open_writer

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

folder, orientation, target = Path(sys.argv[1]), int(sys.argv[2]), Format(sys.argv[3])
rng = np.random.default_rng(0)
rows = np.cumsum(rng.integers(-2, 3, (100, 9000, 3)), axis=1).astype(np.uint8)
small = folder / "small.tiff"

def write(path, height):
    with path.open("w+b") as file:
        layout = Layout(width=9000, height=height, channels=3)
        with open_writer(file, Format.TIFF, layout) as writer:
            for _ in range(height // 100):
                writer.write(rows)

def turn(path):
    # The writer always says upright.
    data = path.open("r+b")
    data.seek(4)
    data.seek(int.from_bytes(data.read(4), "little"))
    for _ in range(int.from_bytes(data.read(2), "little")):
        if int.from_bytes(data.read(12)[:2], "little") == 274:
            data.seek(-4, 1)
            data.write(bytes([orientation, 0, 0, 0]))
            break
    data.close()

def run(path):
    with path.open("rb") as file:
        picture = decode(file)
    with (folder / "out").open("w+b") as file:
        encode(picture, file, target)
    return picture

write(small, 100)
run(small)
before = peak()
large = folder / "large.tiff"
write(large, 6700)
turn(large)
picture = run(large)
assert {picture.width, picture.height} == {9000, 6700}
print(peak() - before)
"""


@pytest.mark.parametrize(("orientation", "target"), [(1, "jpeg"), (1, "png"), (6, "tiff")])
def test_sixty_megapixels_take_little_memory(orientation: int, target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(orientation), target]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) < ROOM_MIB
