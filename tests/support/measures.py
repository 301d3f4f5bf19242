"""Numbers of the literature on pictures: luma PSNR, high frequencies, blocks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.support.photos import psnr

Pixels = NDArray[np.uint8]
SHAVE_PX = 4
"""Rim that the classical comparison leaves out: as many pixels as the factor."""


def luma(pixels: Pixels) -> NDArray[np.float64]:
    """Y of ITU-R BT.601 in studio range, 16 to 235, as MATLAB's rgb2ycbcr gives it."""
    weighted: NDArray[np.float64] = pixels.astype(np.float64) @ (65.481, 128.553, 24.966) / 255 + 16
    return weighted


def y_psnr(result: Pixels, truth: Pixels, shave: int = SHAVE_PX) -> float:
    """PSNR of luma in dB without the rim."""
    inner = slice(shave, -shave)
    return psnr(luma(result)[inner, inner], luma(truth)[inner, inner])


def fine_energy(pixels: Pixels, factor: float) -> float:
    """Mean squared luma beyond what a picture smaller by `factor` can hold: its own new detail."""
    plane = luma(pixels)
    plane = plane - plane.mean()
    spectrum = np.abs(np.fft.fft2(plane * _window(plane.shape))) ** 2
    down, across = (np.abs(np.fft.fftfreq(length)) for length in plane.shape)
    limit = 0.5 / factor
    beyond = (down[:, np.newaxis] > limit) | (across[np.newaxis] > limit)
    return float(spectrum[beyond].sum() / plane.size**2)


def blockiness(pixels: Pixels, factor: int, block: int = 8) -> float:
    """Steps across the lines of the input's grid of blocks over steps in the middle between them.

    1 where the grid cannot be seen. `factor`: result pixels per input pixel; the steps around a line
    are taken over as many, because enlarging spreads them.
    """
    plane = luma(pixels)
    period = block * factor
    ratios = []
    for values in (plane, plane.T):
        steps = np.abs(np.diff(values, n=1, axis=1))
        lines = np.arange(period, values.shape[1] - period, period) - 1
        reach = range(-(factor // 2), factor // 2 + 1)
        at = np.mean([steps[:, lines + offset].mean() for offset in reach])
        middle = np.mean([steps[:, lines + period // 2 + offset].mean() for offset in reach])
        ratios.append(at / middle)
    return float(np.mean(ratios))


def _window(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Hann, so that the jump from one border to the other is no detail."""
    return np.hanning(shape[0])[:, np.newaxis] * np.hanning(shape[1])[np.newaxis]
