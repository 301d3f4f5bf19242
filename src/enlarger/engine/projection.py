"""Holds a result to its input: what it shows when scaled down again, and how strong its new detail is.

One step of iterative back-projection (Irani and Peleg 1991): whatever the result, scaled down,
lacks of the input is scaled up and added. The same two resamples separate the detail that the
input cannot hold, so its gain costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from enlarger.engine.bands import Band, Bands, Reader, Sliding, as_floats, forked, together
from enlarger.engine.resample import resample_values
from enlarger.target import Size


def projected(bands: Bands, size: Size, source: Reader, *, gain: float, weight: float) -> Bands:
    """The picture in `bands`, of `size`, drawn to `source`; float32, not clipped.

    gain    how much stronger the detail becomes that `source`'s size cannot hold: 0 leaves it, 0.5
            makes half as much more of it.
    weight  0 leaves the picture as it is; 1 makes it, scaled down, the source again (to more than
            50 dB after one step, for what SPAN and RealSR give).

    With D scaling down and U up: (1 + gain) y + U(weight x - (weight + gain) D y).
    """

    def lacking(small: Reader) -> Bands:
        return together(
            lambda wanted, have: (
                np.float32(weight) * as_floats(wanted) - np.float32(weight + gain) * as_floats(have)
            ),
            source,
            small,
        )

    return _corrected(bands, size, source.size, np.float32(1 + gain), lacking)


def sharpened(bands: Bands, size: Size, *, gain: float) -> Bands:
    """The picture in `bands`, of `size`, its finest octave raised by `gain`; float32, not clipped."""
    half = Size(-(-size.width // 2), -(-size.height // 2))

    def lacking(small: Reader) -> Bands:
        return together(lambda have: np.float32(-gain) * as_floats(have), small)

    return _corrected(bands, size, half, np.float32(1 + gain), lacking)


def _corrected(
    bands: Bands, size: Size, small: Size, factor: np.float32, lacking: Callable[[Reader], Bands]
) -> Bands:
    """factor * y + U(lacking(D y))."""
    own, measured = forked(bands, 2)
    down = Sliding(resample_values(Sliding(measured, size), small), small)
    up = Sliding(resample_values(Sliding(lacking(down), small), size), size)

    def correct(band: Band, correction: Band) -> Band:
        return factor * as_floats(band) + correction

    return together(correct, Sliding(own, size), up)
