"""A picture in memory, as every room between decoding and encoding sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""RGB, (height, width, 3)."""
Plane = NDArray[np.uint8]
"""One channel, (height, width)."""


@dataclass(frozen=True)
class Picture:
    """Upright pixels with their transparency and colour profile."""

    pixels: Pixels = field(repr=False)
    """RGB as stored in the file, not multiplied with alpha; the profile says which RGB."""
    alpha: Plane | None = field(default=None, repr=False)
    """Opacity, 0 to 255; None where the file has none."""
    icc_profile: bytes | None = field(default=None, repr=False)
    """The profile of `pixels`; None means sRGB."""

    @property
    def width(self) -> int:
        """Pixels across, after the file's orientation was applied."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Pixels down, after the file's orientation was applied."""
        return int(self.pixels.shape[0])
