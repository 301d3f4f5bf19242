"""Encoded values to linear light and back (sRGB transfer curve, IEC 61966-2-1).

Pictures of other RGB profiles go through the same curve: Display P3's is this one, Adobe RGB's
differs by less than what a resample could show.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.bands import Band

STEPS = 65_535
"""Quantisation of the tables: 20 steps of linear light for the darkest 8-bit step."""
Floats = NDArray[np.float32]


def to_light(band: Band) -> Floats:
    """Linear light, 0..1."""
    if band.dtype == np.uint8:
        light: Floats = _to_linear(255)[band]
        return light
    return _to_linear(STEPS)[np.rint(np.clip(band, 0, 1) * np.float32(STEPS)).astype(np.uint16)]


def from_light(light: Floats, dtype: np.dtype) -> Band:
    """Encoded values as uint8 or float32 0..1; light beyond 0..1 is clipped."""
    if dtype == np.uint8:
        steps = np.rint(np.clip(light, 0, 1) * np.float32(STEPS)).astype(np.uint16)
        encoded: Band = _to_bytes()[steps]
        return encoded
    clipped = np.clip(light, 0, 1)
    curve = np.float32(1.055) * clipped ** np.float32(1 / 2.4) - np.float32(0.055)
    straight = clipped * np.float32(12.92)
    return np.asarray(np.where(clipped <= np.float32(0.0031308), straight, curve))


@cache
def _to_linear(steps: int) -> Floats:
    encoded = np.arange(steps + 1) / steps
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear.astype(np.float32)


@cache
def _to_bytes() -> NDArray[np.uint8]:
    light = np.arange(STEPS + 1) / STEPS
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    levels: NDArray[np.uint8] = np.rint(encoded * 255).astype(np.uint8)
    return levels
