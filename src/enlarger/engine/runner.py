"""Runs one network on tiles and heals what goes wrong with a tile: numbers, and memory.

Nothing is repaired in silence: each repair is kept for the receipt.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

import numpy as np

from enlarger.engine.bands import Band
from enlarger.engine.runtimes import CompiledNetwork, Precision
from enlarger.engine.tiling import Span, Window, cut_axis
from enlarger.errors import Collapsed, OutOfMemory

MEAN_DRIFT_MAX = 0.3
"""How far, of 0..1, a tile's mean may move before the tile counts as collapsed.

Enlarging keeps the mean: no network moves a photograph's by more than 0.03, and SPAN that of a picture
dithered to black and white by 0.19 at most."""
FLAT_MAX, ALIVE_MIN = 0.004, 0.1
"""Largest range of values in an answer that is one colour, and least range of a tile that is not."""
SPLIT_MIN_PX = 2
"""A tile is halved down to this many times the halo; a smaller one would be all overlap."""


class Repair(StrEnum):
    """What was done to a tile."""

    F32 = "f32"
    """Run again in f32, because its values were not finite or no picture of the input."""
    SPLIT = "split"
    """Run in halves, because there was not enough memory for it."""
    PLAIN = "plain"
    """Shown in the input's own pixels over more than a hundredth of it: `steadying` says when."""


class Runner:
    """One network at one precision, with its repairs."""

    def __init__(
        self, compile_: Callable[[Precision], CompiledNetwork], precision: Precision, halo_px: int
    ) -> None:
        """
        compile_  gives the network at a precision; asked for f32 only when a repair needs it.
        """
        self._compile = compile_
        self._network = compile_(precision)
        self.halo_px = halo_px
        self.scale = self._network.scale
        self.repairs: Counter[Repair] = Counter()
        self.run_s = 0.0
        """Seconds that the network has taken, runs that had to be repeated too."""

    def release(self) -> None:
        """Give back the memory that a tile took; the next one takes it again."""
        self._network.release()

    def run(self, tile: Band, *extras: Band) -> Band:
        """The tile enlarged, in memory that the next call overwrites.

        extras  the network's further inputs, of the tile's height and width.

        Raises Collapsed if it is no picture in f32 either, OutOfMemory if the smallest tile does
        not find memory.
        """
        try:
            return self._checked(self._network, tile, extras)
        except OutOfMemory:
            halves = self._halves(tile, extras)
        except Collapsed:
            if self._network.precision is Precision.F32:
                raise
            self.repairs[Repair.F32] += 1
            return self._checked(self._compile(Precision.F32), tile, extras)
        self.repairs[Repair.SPLIT] += 1
        return halves()

    def enlarge(self, tile: Band, kept: Window) -> Band:
        """What a picture keeps of the tile, enlarged as `run` does."""
        return enlarged_part(self.run(tile), kept, self.scale)

    def _halves(self, tile: Band, extras: tuple[Band, ...]) -> Callable[[], Band]:
        """Later than the failed call, so that its memory is free again."""
        height, width = tile.shape[:2]
        axis = 0 if height >= width else 1
        length = max(height, width)
        if length <= 2 * SPLIT_MIN_PX * self.halo_px:
            raise OutOfMemory(f"there is no memory for a tile of {width}x{height}")
        return lambda: np.concatenate(
            [self._half(tile, extras, axis, span) for span in cut_axis(length, 2, self.halo_px)], axis
        )

    def _half(self, tile: Band, extras: tuple[Band, ...], axis: int, span: Span) -> Band:
        part = np.s_[span.start : span.stop] if axis == 0 else np.s_[:, span.start : span.stop]
        answer = self.run(tile[part], *(extra[part] for extra in extras))
        kept = slice(
            (span.keep_start - span.start) * self.scale, (span.keep_stop - span.start) * self.scale
        )
        return (answer[kept] if axis == 0 else answer[:, kept]).copy()

    def _checked(self, network: CompiledNetwork, tile: Band, extras: tuple[Band, ...]) -> Band:
        """The answer, if its mean is near the tile's; the runtime looks for values that are not finite."""
        started = time.perf_counter()
        try:
            answer = network.run(tile, *extras)
        finally:
            self.run_s += time.perf_counter() - started
        mean, lowest, highest = _extent(answer)
        wanted, darkest, brightest = _extent(tile)
        drift = abs(mean - wanted)
        is_flat = highest - lowest < FLAT_MAX and brightest - darkest > ALIVE_MIN
        if is_flat or not drift <= MEAN_DRIFT_MAX:
            height, width = tile.shape[:2]
            what = "one colour" if is_flat else f"{drift:.2f} of 1 away in its mean"
            raise Collapsed(
                f"the answer for a tile of {width}x{height} is {what}; that is no picture of it"
            )
        return answer


def enlarged_part(answer: Band, part: tuple[slice, ...], scale: int) -> Band:
    """What an answer shows of a part of its tile."""
    return answer[tuple(slice(one.start * scale, one.stop * scale) for one in part)]


def _extent(band: Band) -> tuple[float, float, float]:
    """Mean, least and greatest value, of 0..1."""
    peak = 255 if band.dtype == np.uint8 else 1
    return float(band.mean()) / peak, float(band.min()) / peak, float(band.max()) / peak
