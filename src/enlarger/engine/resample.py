"""The one classical resample after the networks: Lanczos-3, antialiased, in linear light.

Averaging the stored (gamma-encoded) values darkens fine bright detail; averaging light does not.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.geometry import Size
from enlarger.imaging.picture import Pixels, Plane

LANCZOS_SUPPORT = 3.0
"""Half width of the kernel in output pixels; Pillow's LANCZOS."""
STRIP_ROWS = 128
"""Output rows at a time; bounds the float copies."""
LINEAR_STEPS = 65_535
"""Quantisation of linear light on the way back: 20 steps for the darkest 8-bit step."""


def resample(pixels: Pixels, size: Size) -> Pixels:
    """RGB pixels at `size`, filtered in linear light (sRGB transfer curve, IEC 61966-2-1)."""
    to_linear, to_encoded = _curves()
    result = np.empty((size.height, size.width, 3), np.uint8)
    for top, rows, box, source in _strips(pixels, size):
        for channel in range(3):
            light = Image.fromarray(to_linear[source[..., channel]])
            scaled = light.resize((size.width, rows), Image.Resampling.LANCZOS, box=box)
            steps = np.clip(np.asarray(scaled), 0.0, 1.0) * np.float32(LINEAR_STEPS)
            result[top : top + rows, :, channel] = to_encoded[np.rint(steps).astype(np.uint16)]
    return result


def resample_plane(plane: Plane, size: Size) -> Plane:
    """One channel at `size`, bicubic, as it is stored: for opacity, which is linear already.

    Bicubic, because Lanczos rings more around the hard edges that opacity has.
    """
    scaled = Image.fromarray(plane).resize((size.width, size.height), Image.Resampling.BICUBIC)
    return np.asarray(scaled)


def _strips(pixels: Pixels, size: Size) -> list[tuple[int, int, tuple[float, float, float, float], Pixels]]:
    """(top row, rows, box in the source strip, source strip) so that strips equal the whole."""
    height, width = pixels.shape[:2]
    ratio = height / size.height
    margin = int(np.ceil(LANCZOS_SUPPORT * max(ratio, 1.0))) + 1
    strips = []
    for top in range(0, size.height, STRIP_ROWS):
        rows = min(STRIP_ROWS, size.height - top)
        upper, lower = top * ratio, min((top + rows) * ratio, height)
        first = max(0, int(upper) - margin)
        last = min(height, int(np.ceil(lower)) + margin)
        strips.append((top, rows, (0.0, upper - first, width, lower - first), pixels[first:last]))
    return strips


@cache
def _curves() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """8-bit sRGB to linear 0..1, and linear 0..LINEAR_STEPS to 8-bit sRGB, as tables."""
    encoded = np.arange(256) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    steps = np.arange(LINEAR_STEPS + 1) / LINEAR_STEPS
    back = np.where(steps <= 0.0031308, steps * 12.92, 1.055 * steps ** (1 / 2.4) - 0.055)
    return linear.astype(np.float32), np.rint(back * 255).astype(np.uint8)
