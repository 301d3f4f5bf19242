"""Real photographs, from scikit-image's wheel, and encodings of them."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image


@cache
def photo(name: str) -> NDArray[np.uint8]:
    """`astronaut` 512x512, `coffee` 600x400, `chelsea` (a cat) 451x300, `rocket` 640x427: RGB."""
    pixels: NDArray[np.uint8] = np.ascontiguousarray(getattr(skimage.data, name)()[..., :3])
    pixels.setflags(write=False)
    return pixels


def crop(name: str, width: int, height: int) -> NDArray[np.uint8]:
    """The middle of a photograph."""
    pixels = photo(name)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def scaled(name: str, width: int, height: int) -> NDArray[np.uint8]:
    """A photograph at another size."""
    return np.asarray(Image.fromarray(photo(name)).resize((width, height), Image.Resampling.BICUBIC))


def encoded(pixels: NDArray[np.uint8], format: str = "PNG", **options: object) -> bytes:
    """A file with these pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def psnr(left: NDArray[np.generic], right: NDArray[np.generic], peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures."""
    error = np.mean((left.astype(np.float64) - right.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))
