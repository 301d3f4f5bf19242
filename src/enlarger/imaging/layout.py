"""What a file will hold, and the one shape of everything that writes one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from enlarger.imaging.metadata import Metadata
from enlarger.imaging.raster import Samples

CHANNELS_MAX = 4


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Size and kind of the samples, and what is written beside them."""

    width: int
    height: int
    channels: int
    """1 grey, 2 grey with alpha, 3 RGB, 4 RGBA."""
    bits: int = 8
    """8 or 16 of each sample as it is given; JPEG, WebP and GIF are written with 8."""
    icc_profile: bytes | None = field(default=None, repr=False)
    """An RGB profile; None means sRGB."""
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    """Written as far as the format has a place for it."""

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 1 or self.bits not in (8, 16):
            raise ValueError(f"no picture has {self.width}x{self.height} with {self.bits} bits")
        if not 1 <= self.channels <= CHANNELS_MAX:
            raise ValueError(f"no picture has {self.channels} channels")
        if self.icc_profile is not None and not self.has_colour:
            raise ValueError("an RGB profile does not fit a grey picture")

    @property
    def has_alpha(self) -> bool:
        """The last channel is opacity."""
        return self.channels in (2, 4)

    @property
    def has_colour(self) -> bool:
        """RGB, not grey."""
        return self.channels > 2

    @property
    def dtype(self) -> np.dtype:
        """The type of the samples."""
        return np.dtype(np.uint8 if self.bits == 8 else np.uint16)

    @property
    def stride(self) -> int:
        """Bytes of one row."""
        return self.width * self.channels * self.bits // 8


class Writer(Protocol):
    """Takes the rows of one file, top to bottom."""

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels), of the layout's type.

        Raises ValueError for rows that do not fit, and OSError where the file cannot be written.
        """


class Rows:
    """Counts the rows of a layout as they come."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.left = layout.height
        """Rows that have not come yet."""

    def take(self, rows: Samples) -> None:
        """Note these rows. Raises ValueError for rows of another shape or type, or too many."""
        layout = self._layout
        shape = (len(rows), layout.width, layout.channels)
        if rows.shape != shape or rows.dtype != layout.dtype or len(rows) > self.left:
            raise ValueError(f"{rows.shape} {rows.dtype} is more or other than what is left of {layout}")
        self.left -= len(rows)

    def finish(self) -> None:
        """Raises ValueError if rows are missing."""
        if self.left:
            raise ValueError(f"{self.left} rows were never written")


def eight_bits(rows: Samples) -> Samples:
    """Samples of 16 bits rounded to 8; samples of 8 bits as they are."""
    if rows.dtype == np.uint8:
        return rows
    return ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8)


def on_white(rows: Samples) -> Samples:
    """Rows whose last channel is opacity, laid on white: without that channel, rounded."""
    peak = int(np.iinfo(rows.dtype).max)
    wide: NDArray[Any] = rows.astype(np.uint16 if peak == 255 else np.uint64)
    opacity = wide[..., -1:]
    mixed = wide[..., :-1] * opacity + peak * (peak - opacity)
    flat: Samples = ((mixed + peak // 2) // peak).astype(rows.dtype)
    return flat
