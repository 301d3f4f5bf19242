"""A second look at what a network ran away from, and the input's own pixels where that does not help.

SPAN runs away beside hard edges at full contrast, which no photograph that was ever scaled down has and
every screenshot has: black text on white comes back in clouds of dots. A network that enlarged a pixel
gives that pixel's value again when its answer is averaged over it, so running away can be measured, and
where it is measured another answer is shown. Everything here looks at most REACH_PX input pixels aside,
so that tiles stay bit-identical to the whole picture as long as a halo has room for that beside the
network's radius.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.bands import BYTE_MAX, Band, as_floats, like
from enlarger.engine.runner import Repair, Runner, enlarged_part
from enlarger.engine.runtimes import CompiledNetwork, Precision
from enlarger.engine.tiling import Window

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
SPECK = np.float32(32 / 255)
"""An answer whose mean over an input pixel is farther than this from it, in any channel, ran away there.

Of twelve photographs one is beyond it where dots can be seen, at a highlight on a spoon, and two at one
pixel each where none can; the rest stay below 30 levels. Specks beside drawn lines begin at 40."""
LOST = np.float32(48 / 255)
"""A second answer farther away than this is none either. Small text that was scaled down with care
departs by 45 levels and looks as it should."""
SECOND_CONTRAST = np.float32(0.75)
"""Contrast at which the network is asked again. Pixels beyond SPECK in 256x160 of rendered text of 10,
12 and 22 px, and in an inked drawing: 6926, 1812, 623 and 69; again at 0.85 of the contrast 980, 279, 79
and 34, at 0.75 487, 111, 114 and 1, at 0.65 243, 168, 890 and 11. Photographs lose 0.1 dB at 0.75."""
WORTH = np.float32(0.8)
"""A second answer is taken where it departs by less than this share of the first's departure: where both
depart as far, as at one pixel in a grass, the detail is one that the network means."""
MIDDLE = np.float32(0.5)
GROWN_PX = 2
"""Around a pixel beyond a limit: the dots reach as far."""
REACH_PX = GROWN_PX + 1
"""Input pixels that a limit reaches beyond its own: the last of them is the ramp from one answer to the
other."""
WAY_OUT = (
    "hard edges of full contrast, as pixel art and dithers have, come through the fast mode at 4x; those of"
    " text through the conservative mode at any size"
)
"""Measured on text, drawings, sprites, chequers, dithers and noise: all of them pass so. In between a
resample in light makes the edges broader and lighter than the input says."""
CELL_SIDES_PX = (24, 64)
"""Sides of the squares that a tile's second run is made of, where that is less work than the tile: small
ones around single specks, large ones where many lie together. Half of a large photograph's tiles have a
speck; it costs 2 % of the largest tile's time then and not all of it."""
STRIP_PX = 32
"""Input rows that are mixed at a time, so that no whole tile lies in memory as floats."""
REPAIRED_SHARE = 0.01
"""A tile with more of its pixels lost than this counts as repaired."""


class SteadyRunner(Runner):
    """Runs a network that may run away at hard edges, and shows something better where it did.

    First the network's answer at SECOND_CONTRAST, and where that is lost too, as on a dither of black and
    white pixels, those pixels themselves, larger. Costs a look at every answer, 1 to 2 % of the network's
    time, and a second run of what is around the places that need it.
    """

    def __init__(
        self, compile_: Callable[[Precision], CompiledNetwork], precision: Precision, halo_px: int
    ) -> None:
        super().__init__(compile_, precision, halo_px)
        self.kept_px = 0
        """Input pixels that were enlarged so far, overlaps counted once."""
        self.second_px = 0
        """Of these, those at which the first answer was given up."""
        self.lost_px = 0
        """Of these, those at which the second answer was given up too."""

    def enlarge(self, tile: Band, kept: Window) -> Band:
        near = _grown(kept[0], tile.shape[0]), _grown(kept[1], tile.shape[1])
        inner = (
            slice(kept[0].start - near[0].start, kept[0].stop - near[0].start),
            slice(kept[1].start - near[1].start, kept[1].stop - near[1].start),
        )
        own = tile[near]
        shown = enlarged_part(self.run(tile), near, self.scale)
        first = departure(shown, own)
        self.kept_px += first[inner].size
        if not (first > SPECK).any():
            return enlarged_part(shown, inner, self.scale)
        shown = shown.copy()
        is_speck = first > SPECK
        second = self._second(shown, tile, near, is_speck)
        again = np.zeros_like(first)
        for part in _strips(own):
            # Beside a speck too an answer may be lost, as far as it is mixed in.
            if is_speck[_apart(part, 2 * REACH_PX, slice(0, len(own)))].any():
                answer = _restored(enlarged_part(second, (part,), self.scale))
                again[part] = departure(answer, as_floats(own[part]))
        is_lost = again > LOST
        is_away = is_speck & ((again < WORTH * first) | is_lost)
        _mix(shown, second, own, is_away, is_lost)
        lost = int(np.count_nonzero((is_away & is_lost)[inner]))
        self.second_px += int(np.count_nonzero(is_away[inner]))
        self.lost_px += lost
        if lost > REPAIRED_SHARE * first[inner].size:
            self.repairs[Repair.PLAIN] += 1
        return enlarged_part(shown, inner, self.scale)

    def _second(self, shown: Band, tile: Band, near: Window, is_speck: Mask) -> Band:
        """The answer at SECOND_CONTRAST for the part of a tile that `shown` and `is_speck` are of.

        Where no speck is near it may be `shown` instead, which nobody looks at.
        """
        rows, columns = near
        # A speck's second answer reaches as far as it is mixed in, and there it may be lost or not.
        reach, radius = 2 * REACH_PX, self.halo_px - REACH_PX
        height, width = tile.shape[:2]
        cells: list[Window] | None = None
        least = height * width
        for side in CELL_SIDES_PX:
            found = [
                (_apart(row, reach, rows), _apart(column, reach, columns))
                for row in _pieces(rows, side)
                for column in _pieces(columns, side)
                if is_speck[_within((row, column), near)].any()
            ]
            work = len(found) * (side + 2 * (reach + radius)) ** 2
            if work < least:
                cells, least = found, work
        if cells is None:
            return enlarged_part(self.run(_paler(tile)), near, self.scale)
        second = shown.copy()
        for cell in cells:
            read = _apart(cell[0], radius, slice(0, height)), _apart(cell[1], radius, slice(0, width))
            answer = self.run(_paler(tile[read]))
            part = enlarged_part(second, _within(cell, near), self.scale)
            part[:] = enlarged_part(answer, _within(cell, read), self.scale)
        return second


def told(runners: Iterable[Runner]) -> tuple[str, ...]:
    """What the receipt says of second looks, in words; nothing if there were none."""
    steady = [runner for runner in runners if isinstance(runner, SteadyRunner)]
    kept = max(1, sum(runner.kept_px for runner in steady))
    second = sum(runner.second_px for runner in steady)
    lost = sum(runner.lost_px for runner in steady)
    notes = []
    if second:
        notes.append(
            f"hard edges at which the network is unsteady, in {_percent(second / kept)} of the input, were"
            " enlarged at less contrast"
        )
    if lost:
        notes.append(
            f"{_percent(lost / kept)} of the input, single pixels of full contrast for the most part, is"
            " beyond the network and shown as it is, larger"
        )
    return tuple(notes)


def way_out(runners: Iterable[Runner]) -> str | None:
    """What whoever asked can do if the result fails all the same."""
    if any(isinstance(runner, SteadyRunner) and runner.second_px for runner in runners):
        return WAY_OUT
    return None


def _mix(shown: Band, second: Band, own: Band, is_away: Mask, is_lost: Mask) -> None:
    """Put the second answer into `shown` around what is away, and the tile's own pixels into that around
    what is lost."""
    scale = shown.shape[0] // own.shape[0]
    around_away, around_lost = _around(is_away), _around(is_lost)
    for part in _strips(own):
        rows = slice(part.start, part.stop + 2)
        if around_away[rows].any():
            mine = enlarged_part(shown, (part,), scale)
            other = _restored(enlarged_part(second, (part,), scale))
            if around_lost[rows].any():
                other += _weights(around_lost[rows], scale) * (_larger(as_floats(own[part]), scale) - other)
            floats = as_floats(mine)
            mine[:] = like(floats + _weights(around_away[rows], scale) * (other - floats), mine.dtype)


def departure(answer: Band, tile: Band) -> Floats:
    """How far the mean of the answer over each pixel of the tile is from it, in the channel where it
    is farthest: (height, width), 0..1.

    Answer and tile have one type. What of the answer lies beyond black and white counts as these.
    """
    scale = answer.shape[0] // tile.shape[0]
    # Sums of whole numbers, or always in one order: a tile must give what the whole picture gives.
    is_byte = answer.dtype == np.uint8
    values = answer if is_byte else np.clip(answer, 0, 1)
    kind = np.int32 if is_byte else np.float32
    down: Band = values[0::scale].astype(np.uint16 if is_byte else np.float32)
    for row in range(1, scale):
        down += values[row::scale]
    cells = down.reshape(*tile.shape[:2], scale, tile.shape[2])
    total: Band = cells[:, :, 0].astype(kind)
    for column in range(1, scale):
        total += cells[:, :, column]
    apart = np.abs(total - tile.astype(kind) * scale**2)
    farthest = apart[..., 0]
    for channel in range(1, tile.shape[2]):
        farthest = np.maximum(farthest, apart[..., channel])
    peak = BYTE_MAX if is_byte else np.float32(1)
    return np.asarray(farthest * (np.float32(1) / (peak * scale**2)), np.float32)


def _paler(tile: Band) -> Band:
    return like(MIDDLE + (as_floats(tile) - MIDDLE) * SECOND_CONTRAST, tile.dtype)


def _restored(answer: Band) -> Floats:
    """At the whole contrast again."""
    return np.asarray(MIDDLE + (as_floats(answer) - MIDDLE) / SECOND_CONTRAST)


def _strips(own: NDArray[Any]) -> list[slice]:
    return [slice(top, min(top + STRIP_PX, len(own))) for top in range(0, len(own), STRIP_PX)]


def _around(mask: Mask) -> Floats:
    """1 on what is set and GROWN_PX around it, 0 elsewhere; a pixel more at every border."""
    grown = mask
    for axis in (0, 1):
        wide = grown.copy()
        for step in range(1, GROWN_PX + 1):
            ahead, behind = _shifted(axis, step)
            wide[ahead] |= grown[behind]
            wide[behind] |= grown[ahead]
        grown = wide
    return np.pad(grown.astype(np.float32), 1, mode="edge")


def _weights(around: Floats, scale: int) -> Floats:
    """Rows of `_around`, the outermost pixels dropped, at `scale` with ramps of one input pixel."""
    return _spread(_spread(around, scale).T, scale).T[..., np.newaxis]


def _shifted(axis: int, step: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    every = (slice(None),) * axis
    return (*every, slice(step, None)), (*every, slice(None, -step))


def _spread(values: Floats, scale: int) -> Floats:
    """Linear between the columns' middles, `scale` times as many; the outermost columns are dropped."""
    inner = values[:, 1:-1]
    found = np.empty((*inner.shape, scale), np.float32)
    for phase in range(scale):
        offset = np.float32((phase + 0.5) / scale - 0.5)
        beside = values[:, :-2] if offset < 0 else values[:, 2:]
        found[..., phase] = inner + abs(offset) * (beside - inner)
    return found.reshape(len(values), -1)


def _larger(values: Floats, scale: int) -> Floats:
    return values.repeat(scale, axis=0).repeat(scale, axis=1)


def _grown(span: slice, length: int) -> slice:
    return _apart(span, REACH_PX, slice(0, length))


def _apart(span: slice, aside: int, whole: slice) -> slice:
    """`aside` more at both ends, but nothing outside of `whole`."""
    return slice(max(whole.start, span.start - aside), min(whole.stop, span.stop + aside))


def _pieces(span: slice, length: int) -> list[slice]:
    return [slice(start, min(start + length, span.stop)) for start in range(span.start, span.stop, length)]


def _within(part: tuple[slice, ...], whole: tuple[slice, ...]) -> Window:
    """A part of a tile, counted from where `whole` begins."""
    rows, columns = (
        slice(one.start - outer.start, one.stop - outer.start)
        for one, outer in zip(part, whole, strict=True)
    )
    return rows, columns


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "less than 0.1 %"
