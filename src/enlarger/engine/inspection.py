"""Measures a result against its input while it streams by; see `receipt` for what the numbers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.bands import Band, Bands, Reader, Sliding, as_floats, forked
from enlarger.engine.colour import delta_e, lab_of
from enlarger.engine.look.small import LUMA
from enlarger.engine.resample import resample_areas, resample_values
from enlarger.target import Size

PATCH_PX = 8
"""Colours are compared as means over squares of this side of the input: what the eye takes as one."""
LAG_BYTES = 24 * 1024 * 1024
"""About so much of the result is kept for the comparison, which lags behind."""
CLIP_LEVEL = np.float32(0.5 / 255)
"""Nearer to black or white than this counts as clipped."""
INSIDE_LEVEL = np.float32(4 / 255)
"""Farther from black and white than this was not: a paper of 254 that becomes 255 has lost nothing."""
SLOPE_FLOOR = 2 / 255
"""Slopes below this say nothing of where a picture lies: an empty sky would seem to move by pixels."""
BESIDE_PX = 6
"""How far on both sides of a seam the steps are that it is compared with."""
SMOOTH_STEP = 4 / 255
"""A seam is looked at where the input beside it has no step larger than this: elsewhere an edge of the
picture itself, which may well lie on the border of a tile, would count as one."""
SMOOTH_REACH_PX = 2
"""How far a network draws an edge out, in input pixels."""
STEP_FLOOR = 1 / 255
"""Added to the steps at seams and beside them: a level more or less in a flat sky is not seen."""
DB_MAX = 99.0


@dataclass(frozen=True)
class Measures:
    """The numbers of a receipt; its docstrings say what they mean."""

    consistency_db: float
    colour_drift: float
    shift_px: float
    seam_energy: float
    clipped_share: float
    opacity_db: float | None = None


Compare = Callable[[Band, Band, Band], None]
"""Told some rows of the input, and the same of the result made small by bicubic and by means over areas;
float32, the latter two not clipped."""


class _Lagging:
    """Compares a result, scaled down, with the input while its bands go by, some rows behind them."""

    def __init__(self, source: Reader, size: Size) -> None:
        self._source = source
        self._size = size
        # Input rows at a time; whole patches.
        row_bytes = size.width * 3 * size.height / source.size.height
        self._rows = max(PATCH_PX, min(256, int(LAG_BYTES / row_bytes) // PATCH_PX * PATCH_PX))
        self._small: Reader = source
        self._averaged: Reader = source
        self._compared = 0

    def watch(self, bands: Bands, compare: Compare) -> Bands:
        own, measured, again = forked(bands, 3)
        small = resample_values(Sliding(measured, self._size), self._source.size)
        self._small = Sliding(small, self._source.size)
        # A picture of single pixels is no other picture made small by a filter with negative weights:
        # its own pixels, larger, come back at 10 dB. It is one made small by averaging.
        averaged = resample_areas(Sliding(again, self._size), self._source.size)
        self._averaged = Sliding(averaged, self._source.size)
        top = 0
        for band in own:
            top += len(band)
            # What is compared lags behind what has gone by, so that little is kept for either.
            ready = top * self._source.size.height // self._size.height - self._rows // 2
            self._compare_to(ready // self._rows * self._rows, compare)
            yield band

    def finish(self, compare: Compare) -> None:
        """Compare what is left; after the last band."""
        self._compare_to(self._source.size.height, compare)

    def _compare_to(self, end: int, compare: Compare) -> None:
        while self._compared < end:
            stop = min(self._compared + self._rows, self._source.size.height)
            wanted = as_floats(self._source.read(self._compared, stop))
            rows = self._compared, stop
            compare(wanted, self._small.read(*rows), self._averaged.read(*rows))
            self._compared = stop


class Inspection:
    """One result's measures: let its bands through `watch`, then ask for them."""

    def __init__(self, source: Reader, size: Size, seams: tuple[Sequence[int], Sequence[int]]) -> None:
        """
        source  the input; may be read from anywhere.
        size    of the result.
        seams   result rows and columns at which a tile begins.
        """
        self._source = source
        self._size = size
        self._lagging = _Lagging(source, size)
        self._seam_rows, self._seam_columns = (np.asarray(side, np.int64) for side in seams)
        self._squared = np.zeros(2)
        self._clipped = 0.0
        self._normal = np.zeros((2, 2))
        self._projection = np.zeros(2)
        self._drifts: list[NDArray[np.float64]] = []
        self._at_seam = np.zeros(2)
        self._beside = np.zeros(2)

    def watch(self, bands: Bands) -> Bands:
        """The same bands, measured on their way; the measures are whole when the last is out."""
        above: Band | None = None
        top = 0
        for band in self._lagging.watch(bands, self._compare):
            self._look_at_seams(above, band, top)
            above = (
                band[-2 * BESIDE_PX :] if above is None else np.concatenate((above, band))[-2 * BESIDE_PX :]
            )
            top += len(band)
            yield band

    def measures(self) -> Measures:
        """Of everything that went through; call it once, after the last band."""
        self._lagging.finish(self._compare)
        consistency = _decibels(float(self._squared.min()) / (3 * self._source.size.pixels))
        floor = max(1, self._source.size.pixels) * SLOPE_FLOOR**2 * np.eye(2)
        shift = float(np.hypot(*np.linalg.solve(self._normal + floor, self._projection)))
        drift = np.concatenate(self._drifts) if self._drifts else np.zeros(1)
        beside = self._beside.sum()
        seams = float(self._at_seam.sum() / beside) if beside > 0 else 1.0
        return Measures(consistency, float(drift.mean()), shift, seams, self._clipped)

    def _compare(self, wanted: Band, have: Band, mean: Band) -> None:
        have = np.clip(have, 0, 1)
        mean = np.clip(mean, 0, 1)
        self._squared += [np.sum((one - wanted) ** 2, dtype=np.float64) for one in (have, mean)]
        white = (have >= 1 - CLIP_LEVEL) & (wanted < 1 - INSIDE_LEVEL)
        black = (have <= CLIP_LEVEL) & (wanted > INSIDE_LEVEL)
        self._clipped += float(np.count_nonzero(white | black)) / (3 * self._source.size.pixels)
        self._drifts.append(delta_e(lab_of(_patches(wanted)), lab_of(_patches(have))))
        luma = wanted @ LUMA
        moved = have @ LUMA - luma
        if min(luma.shape) < 3:
            return
        # A picture moved by s differs by -s times its slope; least squares over all pixels.
        across = (luma[1:-1, 2:] - luma[1:-1, :-2]) / 2
        down = (luma[2:, 1:-1] - luma[:-2, 1:-1]) / 2
        slopes = np.stack((across.ravel(), down.ravel())).astype(np.float64)
        self._normal += slopes @ slopes.T
        self._projection -= slopes @ moved[1:-1, 1:-1].ravel()

    def _look_at_seams(self, above: Band | None, band: Band, top: int) -> None:
        if self._seam_columns.size:
            self._look_along(band, self._seam_columns, axis=1, top=top)
        if above is None or not self._seam_rows.size:
            window, first = band, top
        else:
            window, first = np.concatenate((above, band)), top - len(above)
        # Each seam once: when the last of the rows below it has come.
        last = top + len(band) - BESIDE_PX
        due = self._seam_rows[(self._seam_rows > top - BESIDE_PX) & (self._seam_rows <= last)]
        self._look_along(window, due, axis=0, top=first)

    def _look_along(self, window: Band, seams: NDArray[np.int64], axis: int, top: int) -> None:
        """Steps across `seams` (rows of the result, or columns) in a window whose first row is `top`."""
        first = top if axis == 0 else 0
        for seam in seams:
            start, stop = seam - first - BESIDE_PX - 1, seam - first + BESIDE_PX
            if start < 0 or stop > window.shape[axis]:
                continue
            near = as_floats(np.take(window, np.arange(start, stop), axis))
            steps = np.abs(np.diff(near, axis=axis)).mean(axis=2, dtype=np.float64)
            smooth = self._smooth(int(seam), axis, top, top + window.shape[0])
            along = steps[:, smooth] if axis == 0 else steps[smooth].T
            self._at_seam[axis] += along[BESIDE_PX].sum() + STEP_FLOOR * along.shape[1]
            beside = np.delete(along, BESIDE_PX, axis=0).mean(axis=0)
            self._beside[axis] += beside.sum() + STEP_FLOOR * along.shape[1]

    def _smooth(self, seam: int, axis: int, top: int, bottom: int) -> NDArray[np.bool_]:
        """Where along a seam the input has no edge: for each column of a row, each row of a column."""
        size, own = self._source.size, self._size
        length, whole = (size.height, own.height) if axis == 0 else (size.width, own.width)
        reach = BESIDE_PX * length / whole + SMOOTH_REACH_PX
        place = seam * length / whole
        low, high = max(0, int(place - reach)), min(length, int(np.ceil(place + reach)))
        if axis == 0:
            near = as_floats(self._source.read(low, high))
            ours, theirs = np.arange(own.width), (size.width, own.width)
        else:
            rows = np.arange(top, bottom) * size.height // own.height
            near = as_floats(self._source.read(int(rows[0]), int(rows[-1]) + 1)[:, low:high])
            ours, theirs = np.arange(top, bottom), (size.height, own.height)
        places = ours * theirs[0] // theirs[1]
        is_smooth = np.abs(np.diff(near, axis=axis)).max(axis=(axis, 2), initial=0) <= SMOOTH_STEP
        return np.asarray(is_smooth[places - (0 if axis == 0 else int(places[0]))])


class OpacityInspection:
    """One result's opacity, held against the input's: let its bands through `watch`, then ask."""

    def __init__(self, source: Reader, size: Size) -> None:
        """
        source  the input's opacity; may be read from anywhere. Its first channel counts.
        size    of the result.
        """
        self._lagging = _Lagging(source, size)
        self._pixels = source.size.pixels
        self._squared = np.zeros(2)

    def watch(self, bands: Bands) -> Bands:
        """The same bands, measured on their way."""
        return self._lagging.watch(bands, self._compare)

    def consistency_db(self) -> float:
        """PSNR of the result scaled down against the input, DB_MAX at most; after the last band."""
        self._lagging.finish(self._compare)
        return _decibels(float(self._squared.min()) / self._pixels)

    def _compare(self, wanted: Band, have: Band, mean: Band) -> None:
        for index, made in enumerate((have, mean)):
            missed = np.clip(made[..., 0], 0, 1) - wanted[..., 0]
            self._squared[index] += np.sum(missed**2, dtype=np.float64)


def _decibels(mean_square: float) -> float:
    """PSNR; a mean that is not a number stays one."""
    return DB_MAX if mean_square == 0 else float(np.minimum(DB_MAX, -10 * np.log10(mean_square)))


def _patches(values: Band) -> Band:
    """Means over squares; what is left at the borders joins in only if there is no square at all."""
    height, width = values.shape[:2]
    down, across = height // PATCH_PX, width // PATCH_PX
    if not (down and across):
        return np.asarray(values.mean(axis=(0, 1), keepdims=True).reshape(1, 3))
    whole = values[: down * PATCH_PX, : across * PATCH_PX]
    squares = whole.reshape(down, PATCH_PX, across, PATCH_PX, 3)
    return np.asarray(squares.mean(axis=(1, 3)).reshape(-1, 3))
