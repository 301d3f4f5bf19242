"""Noise for a network's features: seeded, and tied to the place in the picture.

A value is a function of the seed, the layer and the absolute row and column, and of nothing else, so
that tiles agree where they overlap and the order in which they run does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlarger.target import Size

Floats = NDArray[np.float32]
SPACING_MAX = 3.0
"""Pixels of input between independent values at fractality 0; 1 pixel at fractality 1."""
NOISE_KEY = 0xE1
"""Tells these streams from others with the same seed."""


@dataclass(frozen=True)
class Field:
    """An endless field of unit noise over a picture."""

    seed: int
    """0 to 2^64 - 1."""
    layer: int
    """Fields of different layers are independent."""
    channels: int
    spacing: float = 1.0
    """Pixels between independent values, 1 or more; values between them are interpolated."""
    period: Size | None = None
    """Repeats after so many pixels; None never does."""
    origin: tuple[int, int] = (0, 0)
    """Row and column at which the field's own (0, 0) lies."""

    def window(self, top: int, bottom: int, left: int, right: int) -> Floats:
        """Rows top..bottom and columns left..right, (n, m, channels), mean 0, variance 1."""
        rows, row_shares = self._places(top - self.origin[0], bottom - self.origin[0], 0)
        columns, column_shares = self._places(left - self.origin[1], right - self.origin[1], 1)
        first = int(columns.min())
        count = int(columns.max()) - first + 1
        lines: dict[int, Floats] = {}
        found = np.empty((bottom - top, right - left, self.channels), np.float32)
        across = [columns[side] - first for side in (0, 1)]
        for index in range(bottom - top):
            needed = {
                int(rows[side][index]): row_shares[side][index]
                for side in (0, 1)
                if row_shares[side][index]
            }
            lines = {row: lines[row] if row in lines else self._line(row, first, count) for row in needed}
            line = sum(share * lines[row] for row, share in needed.items())
            if self.spacing == 1.0:
                found[index] = line[across[0]]
            else:
                found[index] = sum(
                    column_shares[side][:, np.newaxis] * line[across[side]] for side in (0, 1)
                )
        return found

    def _places(self, start: int, stop: int, axis: int) -> tuple[NDArray[np.int64], Floats]:
        """For each pixel the two values around it and their shares, whose squares sum to 1."""
        place = np.arange(start, stop, dtype=np.float64)
        spacing, count = self.spacing, 0
        if self.period is not None:
            length = self.period.height if axis == 0 else self.period.width
            # A whole number of values in a period, or it would not close.
            count = max(1, round(length / spacing))
            spacing = length / count
            place = place % length
        grid = place / spacing
        lower = np.floor(grid).astype(np.int64)
        upper = lower + 1
        if count:
            lower, upper = lower % count, upper % count
        share = (grid - np.floor(grid)).astype(np.float32)
        scale = 1 / np.sqrt(share**2 + (1 - share) ** 2)
        return np.stack((lower, upper)), np.stack(((1 - share) * scale, share * scale))

    def _line(self, row: int, first: int, count: int) -> Floats:
        """`count` values of one row of the grid from column `first`, (count, channels)."""
        # Rows and columns may be negative where a picture was widened; both are lifted above 0.
        key = np.array([self.seed, NOISE_KEY << 56 | self.layer << 40 | (row + 2**20)], np.uint64)
        generator = np.random.Philox(key=key)
        # One value takes one 64-bit word, and a step of the generator makes four.
        begin = (first + 2**20) * self.channels
        generator.advance(begin // 4)
        words = generator.random_raw(begin % 4 + count * self.channels)[begin % 4 :]
        # The sum of a word's four parts is nearly normal, at a tenth of a normal's time.
        parts = words.view(np.uint16).reshape(-1, 4).sum(1, dtype=np.int32)
        unit = (parts - np.float32(2 * 65535)) / np.float32(65535 / np.sqrt(3))
        return np.asarray(unit, np.float32).reshape(count, self.channels)


def spacing_of(fractality: float) -> float:
    """Pixels between independent values for a fractality of 0 to 1: larger is finer."""
    return float(SPACING_MAX ** (1 - fractality))
