"""Numbers that say what a look did to a picture: each preset declares one that it moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.look.small import luma

Samples = NDArray[np.float32]


class Statistic(StrEnum):
    """One number of a picture; `measure` computes it."""

    SATURATION = "saturation"
    """Mean distance of the largest channel from the smallest."""
    WARMTH = "warmth"
    """Mean of red less blue."""
    GREEN = "green"
    """Mean of green less the mean of red and blue: below 0 is magenta."""
    LIGHT = "light"
    """Mean brightness."""
    CONTRAST = "contrast"
    """Standard deviation of brightness."""
    GRAIN = "grain"
    """Mean bend of brightness between three neighbours in a row: fine noise and texture."""
    TONES = "tones"
    """Entropy of brightness in 64 steps, in bits: how many different tones there are."""


def measure(statistic: Statistic, picture: Samples) -> float:
    """The statistic of an RGB picture (height, width, 3), 0..1."""
    return float(MEASURES[statistic](picture))


def _grain(picture: Samples) -> float:
    level = luma(picture)
    return float(np.abs(2 * level[:, 1:-1] - level[:, :-2] - level[:, 2:]).mean())


def _tones(picture: Samples) -> float:
    counts, _ = np.histogram(luma(picture), bins=64, range=(0, 1))
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log2(share)).sum())


MEASURES: Mapping[Statistic, Callable[[Samples], float]] = {
    Statistic.SATURATION: lambda picture: float(np.ptp(picture, axis=2).mean()),
    Statistic.WARMTH: lambda picture: float((picture[..., 0] - picture[..., 2]).mean()),
    Statistic.GREEN: lambda picture: float(
        (picture[..., 1] - (picture[..., 0] + picture[..., 2]) / 2).mean()
    ),
    Statistic.LIGHT: lambda picture: float(luma(picture).mean()),
    Statistic.CONTRAST: lambda picture: float(luma(picture).std()),
    Statistic.GRAIN: _grain,
    Statistic.TONES: _tones,
}
