"""What encoding costs beside the engine: a fast upscale of a photograph, 512x512 to 2048x2048, as PNG.

Beside it Pillow's default, which is what most Python services write a PNG with.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.subjects import Subject
from benchmarks.workplace import fetched
from enlarger.engine.engine import NETWORKS
from enlarger.request import Mode
from tests.support.photos import encoded, photo

TURNS = 5


@dataclass(frozen=True)
class Encoding:
    """Medians of one run."""

    engine_s: float
    encode_s: float
    encode_share: float
    """Of engine and encode together."""
    files_share: float
    """Of `enlarger up` from file to file, warm: reading, decoding, encoding and syncing."""
    encode_bytes: int
    pillow_s: float
    pillow_bytes: int


def measure_encoding() -> Encoding:
    """Run the pipeline with Pillow beside it."""
    fetched(NETWORKS[Mode.FAST][0])
    with TemporaryDirectory() as folder:
        picture = Path(folder) / "astronaut.png"
        picture.write_bytes(encoded(photo("astronaut")))
        with Subject("pipeline", picture, "--pillow") as pipeline:
            turns = [pipeline.run() for _ in range(TURNS)]
    median = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    return Encoding(
        engine_s=median["engine_s"],
        encode_s=median["encode_s"],
        encode_share=median["encode_s"] / (median["engine_s"] + median["encode_s"]),
        files_share=median["files_s"] / median["up_s"],
        encode_bytes=int(median["bytes"]),
        pillow_s=median["pillow_s"],
        pillow_bytes=int(median["pillow_bytes"]),
    )
