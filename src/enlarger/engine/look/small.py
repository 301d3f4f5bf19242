"""Small copies of pictures, for what looks at a picture as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Weights of red, green and blue in brightness: Rec. 601, for coded values."""
REDUCING_GAP = 2.0
"""Shrinking by more than this is done by averaging whole blocks first: six times faster."""


def luma(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brightness (height, width) of coded RGB (height, width, 3).

    Sample by sample, not by a matrix product, whose last bit depends on the picture's shape.
    """
    red, green, blue = LUMA
    grey: NDArray[np.float32] = rgb[..., 0] * red + rgb[..., 1] * green + rgb[..., 2] * blue
    return grey


def resized(samples: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """(height, width) or (height, width, channels), cubic, antialiased where it shrinks; unclipped."""
    if samples.ndim == 2:
        plane = Image.fromarray(np.ascontiguousarray(samples, np.float32))
        return np.asarray(
            plane.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP)
        )
    return np.stack(
        [resized(samples[..., index], height, width) for index in range(samples.shape[2])], axis=2
    )


def fit_within(samples: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A copy whose longest side is `side` pixels; the same samples where it is shorter already."""
    height, width = samples.shape[:2]
    if max(height, width) <= side:
        return samples
    scale = side / max(height, width)
    return resized(samples, max(1, round(height * scale)), max(1, round(width * scale)))
