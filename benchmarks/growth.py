"""How time and memory grow with the picture, and how long the slow modes keep a client waiting."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.subjects import Subject

FAST_SIDES = (316, 512, 1000, 2000, 4000)
"""0.1 to 16 megapixels."""
CONSERVATIVE_MEMORY_SIDES = (1000, 2000, 4000)
WAITING_SIDES = {
    "conservative": (64, 320, 448, 512, 1000, 1550, 3072),
    "creative": (64, 500),
}
"""Conservative to 9.4 megapixels, the most that Stability takes; creative where it works least and most."""
WAITING_TARGET = "4194304px"
TURNS_BELOW_PX = 1_500_000
TURNS = 3
"""For pictures below so many pixels; the fastest counts. Larger ones take long enough for one."""


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
    cases = [("fast", "4x", side) for side in FAST_SIDES]
    cases += [("conservative", "2x", side) for side in CONSERVATIVE_MEMORY_SIDES]
    cases += [(mode, WAITING_TARGET, side) for mode, sides in WAITING_SIDES.items() for side in sides]
    return tuple(_measure(*case) for case in cases)


def _measure(mode: str, target: str, side: int) -> Growth:
    with Subject("upscaling", mode, target, side, side) as subject:
        turns = TURNS if side * side <= TURNS_BELOW_PX and mode == "fast" else 1
        best = min((subject.run() for _ in range(turns)), key=lambda turn: turn["seconds"])
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
