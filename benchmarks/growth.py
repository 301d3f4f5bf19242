"""How time and memory grow with the picture, and how long the slow modes keep a client waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.subjects import Subject

FAST_SIDES = (316, 512, 1000, 2000, 4000)
"""0.1 to 16 megapixels."""
MEMORY_SIDES = {"conservative": (1000, 2000, 4000), "creative": (1000, 4000)}
"""Of the slow modes at 2x: 1 to 16 megapixels."""
WAITING_SIDES = {
    "conservative": (64, 320, 448, 512, 1000, 1550, 3072),
    "creative": (64, 500),
}
"""Conservative to 9.4 megapixels, the most that Stability takes; creative where it works least and most."""
WAITING_TARGET = "4194304px"
TURNS = 2
"""Of the sizes whose times are held against each other; the fastest counts."""


@dataclass(frozen=True)
class Growth:
    """One size in one mode."""

    mode: str
    width: int
    height: int
    target: str
    method: str
    seconds: float
    processor_s: float
    """Of all threads together: hardly grows when other programs take the processors."""
    peak_bytes: int
    planned_bytes: int

    @property
    def seconds_per_megapixel(self) -> float:
        """Of the input."""
        return self.seconds * 1e6 / (self.width * self.height)


def measure_growth() -> tuple[Growth, ...]:
    """Every size in a process of its own."""
    rest = [(mode, "2x", side) for mode, sides in MEMORY_SIDES.items() for side in sides]
    rest += [(mode, WAITING_TARGET, side) for mode, sides in WAITING_SIDES.items() for side in sides]
    return (
        *_measure([("fast", "4x", side) for side in FAST_SIDES], TURNS),
        *(growth for case in rest for growth in _measure([case], 1)),
    )


def _measure(cases: Sequence[tuple[str, str, int]], turns: int) -> list[Growth]:
    """The cases in turn: a machine is not equally fast at all times, and that must not fall on one size."""
    with ExitStack() as subjects:
        waiting = [
            subjects.enter_context(Subject("upscaling", mode, target, side, side))
            for mode, target, side in cases
        ]
        runs = [[subject.run() for subject in waiting] for _ in range(turns)]
        return [
            _grown(case, subject, min(of_case, key=lambda turn: turn["seconds"]))
            for case, subject, of_case in zip(cases, waiting, zip(*runs, strict=True), strict=True)
        ]


def _grown(case: tuple[str, str, int], subject: Subject, best: Mapping[str, float]) -> Growth:
    mode, target, side = case
    return Growth(
        mode=mode,
        width=side,
        height=side,
        target=target,
        method=subject.ready["method"],
        seconds=best["seconds"],
        processor_s=best["processor_s"],
        peak_bytes=subject.peak_bytes,
        planned_bytes=subject.ready["planned_bytes"],
    )
