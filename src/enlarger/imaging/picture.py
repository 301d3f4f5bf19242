"""A picture as every room between decoding and encoding sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from enlarger.imaging.metadata import Metadata
from enlarger.imaging.raster import Raster, Samples


@dataclass(frozen=True)
class Picture:
    """Upright samples with their transparency, colour profile and metadata."""

    colour: Raster = field(repr=False)
    """RGB, 3 channels, as stored in the file, not multiplied with alpha; the profile says which RGB."""
    alpha: Raster | None = field(default=None, repr=False)
    """Opacity, one channel of the same size and bits, 0 to the peak; None where the file has none."""
    icc_profile: bytes | None = field(default=None, repr=False)
    """The profile of `colour`, always an RGB one; None means sRGB."""
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    """What the file said besides, orientation already applied."""
    is_grey: bool = False
    """The file has no colours: the three channels are equal, a result has one, and there is no profile."""

    @classmethod
    def of(cls, colour: Samples, alpha: Samples | None = None, icc_profile: bytes | None = None) -> Picture:
        """A picture from arrays: (height, width, 3), and (height, width) for alpha."""
        return cls(Raster.of(colour), None if alpha is None else Raster.of(alpha), icc_profile)

    @property
    def width(self) -> int:
        """Pixels across, after the file's orientation was applied."""
        return self.colour.width

    @property
    def height(self) -> int:
        """Pixels down, after the file's orientation was applied."""
        return self.colour.height

    @property
    def bits(self) -> int:
        """8 or 16, for each sample."""
        return self.colour.bits

    @property
    def channels(self) -> int:
        """What a file of this picture holds for each pixel: 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA."""
        return (1 if self.is_grey else 3) + (self.alpha is not None)
