"""Our engine against `ncnn`, the runtime that most command-line upscalers are made of.

Time, arithmetic rate and peak memory of the same network on the same picture with the same threads.
One round is: the machine's matrix rate, ours, `ncnn`; medians over rounds. What takes seconds a round
gets few of them.
"""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.subjects import Subject
from benchmarks.workplace import fetched
from enlarger.models import known_networks
from tests.support.photos import crop

LEVEL_TOLERANCE = 0.5
"""How far the mean levels (0..255) of the two results may lie apart: both must do the same work."""


@dataclass(frozen=True)
class Case:
    """A network, the side of its square input, and how often."""

    network: str
    side_px: int
    rounds: int


CASES = (
    Case("span-x4-ch48", 256, 11),
    Case("span-x4-ch48", 512, 7),
    Case("realesrgan-x4plus", 128, 5),
    Case("realesrgan-x4plus", 256, 3),
)


@dataclass(frozen=True)
class Performance:
    """What one engine did."""

    precision: str
    seconds: tuple[float, ...]
    """Every round's."""
    median_s: float
    gflops: float
    """Of the median, counting the convolutions as published, whatever shortcut computes them."""
    peak_bytes: int


@dataclass(frozen=True)
class Comparison:
    """Both engines on one case."""

    case: Case
    ours: Performance
    ncnn: Performance
    time_ratio: float
    """`ncnn`'s median time over ours."""
    memory_ratio: float
    """`ncnn`'s peak memory over ours."""


def compare(case: Case, machine: Subject) -> tuple[Comparison, list[dict[str, Any]]]:
    """Run the case's rounds; returns the comparison and the machine's turns."""
    network = fetched(case.network).load(known_networks()[case.network])
    flops = network.flops_per_px * case.side_px**2
    seconds: tuple[list[float], list[float]] = ([], [])
    machine_turns = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        np.save(folder / "picture.npy", crop("astronaut", case.side_px, case.side_px))
        engines = [
            stack.enter_context(Subject("contender", engine, case.network, folder / "picture.npy"))
            for engine in ("ours", "ncnn")
        ]
        for _ in range(case.rounds):
            machine_turns.append(machine.run())
            for engine, taken in zip(engines, seconds, strict=True):
                taken.append(engine.run()["seconds"])
        ours, ncnn = (
            _performance(engine, taken, flops) for engine, taken in zip(engines, seconds, strict=True)
        )
        levels = [engine.ready["level"] for engine in engines]
    assert abs(levels[0] - levels[1]) < LEVEL_TOLERANCE, f"the two results differ: {levels}"
    comparison = Comparison(
        case, ours, ncnn, ncnn.median_s / ours.median_s, ncnn.peak_bytes / ours.peak_bytes
    )
    return comparison, machine_turns


def _performance(engine: Subject, seconds: list[float], flops: int) -> Performance:
    median = statistics.median(seconds)
    return Performance(
        precision=engine.ready["precision"],
        seconds=tuple(seconds),
        median_s=median,
        gflops=flops / median / 1e9,
        peak_bytes=engine.peak_bytes,
    )
