"""MATLAB's bicubic `imresize`: what super-resolution is measured with, made from its definition.

Keys' kernel with a = -0.5 (R. G. Keys, "Cubic convolution interpolation for digital image
processing", 1981, equation 15), stretched by the factor where a picture shrinks (antialiasing),
pixel centres at half integers, symmetric borders. Values are kept in float64 and rounded once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HALF_WIDTH = 2.0
"""Of the kernel, in pixels of the smaller picture."""


def keys(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The kernel's value at a distance in pixels."""
    x = np.abs(distance)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < HALF_WIDTH, far, 0.0))


def weights(length: int, result: int) -> NDArray[np.float64]:
    """The matrix (result, length) that scales one axis."""
    scale = result / length
    stretch = min(scale, 1.0)
    centres = (np.arange(result) + 0.5) / scale - 0.5
    reach = int(np.ceil(HALF_WIDTH / stretch)) + 1
    taps = np.floor(centres).astype(int)[:, np.newaxis] + np.arange(-reach, reach + 1)
    values = keys((centres[:, np.newaxis] - taps) * stretch)
    values /= values.sum(axis=1, keepdims=True)
    # Symmetric: the border pixel is seen twice, then its neighbour, and so on.
    mirrored = taps % (2 * length)
    mirrored = np.where(mirrored < length, mirrored, 2 * length - 1 - mirrored)
    matrix = np.zeros((result, length))
    np.add.at(matrix, (np.arange(result)[:, np.newaxis], mirrored), values)
    return matrix


def imresize(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """The picture, (h, w, c), at another size, rounded to bytes."""
    down, across = weights(pixels.shape[0], height), weights(pixels.shape[1], width)
    scaled = np.einsum("ij,jkc->ikc", down, pixels.astype(np.float64), optimize=True)
    scaled = np.einsum("ij,kjc->kic", across, scaled, optimize=True)
    result: NDArray[np.uint8] = np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
    return result


def smaller(truth: NDArray[np.uint8], factor: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The input and the truth of the classical check: the truth cut to a multiple of `factor`."""
    height, width = (side // factor * factor for side in truth.shape[:2])
    cut = truth[:height, :width]
    return imresize(cut, width // factor, height // factor), cut
