"""Colour difference as seen: CIEDE2000, and the two steps from sRGB to CIE Lab."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.light import to_light

Floats = NDArray[np.float64]
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ (IEC 61966-2-1)."""
WHITE = np.array([0.95047, 1.0, 1.08883])
"""D65, 2 degrees."""


def lab_of(colours: NDArray[np.float32]) -> Floats:
    """CIE Lab under D65 of sRGB values 0..1, (..., 3)."""
    ratio = to_light(colours).astype(np.float64) @ TO_XYZ.T / WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def delta_e(one: Floats, other: Floats) -> Floats:
    """CIEDE2000 between Lab colours, (..., 3); about 1 is just visible side by side.

    Source: Sharma, Wu, Dalal 2005, equations 2 to 22, with all weights 1.
    """
    light1, a1, b1 = np.moveaxis(one, -1, 0)
    light2, a2, b2 = np.moveaxis(other, -1, 0)
    chroma7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    stretch = 1.5 - 0.5 * np.sqrt(chroma7 / (chroma7 + 25.0**7))
    chroma1, chroma2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    hue1 = np.degrees(np.arctan2(b1, stretch * a1)) % 360
    hue2 = np.degrees(np.arctan2(b2, stretch * a2)) % 360
    is_grey = chroma1 * chroma2 == 0
    turn = np.where(is_grey, 0.0, (hue2 - hue1 + 180) % 360 - 180)
    hue = np.where(is_grey, hue1 + hue2, (hue1 + turn / 2) % 360)
    light, chroma = (light1 + light2) / 2, (chroma1 + chroma2) / 2

    def cos(degrees: Floats) -> Floats:
        return np.cos(np.radians(degrees))

    weight = (
        1 - 0.17 * cos(hue - 30) + 0.24 * cos(2 * hue) + 0.32 * cos(3 * hue + 6) - 0.2 * cos(4 * hue - 63)
    )
    by_light = (light2 - light1) / (1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2))
    by_chroma = (chroma2 - chroma1) / (1 + 0.045 * chroma)
    by_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * chroma * weight)
    rotation = 60 * np.exp(-(((hue - 275) / 25) ** 2))
    mixed = -np.sin(np.radians(rotation)) * 2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    squared = by_light**2 + by_chroma**2 + by_hue**2 + mixed * by_chroma * by_hue
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
