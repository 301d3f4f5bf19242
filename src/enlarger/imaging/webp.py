"""Writing WebP: libvips's pixels in a container of our own, with the blocks as they are."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from enlarger.imaging.layout import Layout, eight_bits
from enlarger.imaging.pipe import VipsWriter
from enlarger.imaging.png import Sink
from enlarger.imaging.raster import Samples
from enlarger.imaging.riff import contained

QUALITY = 95
"""Above it files grow fast and nothing more is seen."""
EFFORT = 0
"""A third of the default's time for 15 % more bytes."""


class WebpWriter:
    """Writes one WebP of 8 bits, with its transparency, to an open file. A context manager.

    The encoder holds the whole picture, about 5 bytes a pixel, and nothing reaches the file before
    the end. Grey becomes RGB, which is all that WebP has; 16 bits are rounded to 8.
    """

    def __init__(self, file: Sink, layout: Layout, quality: int | None = None) -> None:
        """
        layout   Exif and XMP are written; resolution, IPTC and comments have no place in WebP.
        quality  1 to 100; up: larger and nearer to the original. Transparency is always exact.
        """
        self._file = file
        self._layout = layout
        self._encoded = bytearray()
        plain = Layout(width=layout.width, height=layout.height, channels=3 + layout.has_alpha)
        self._vips = VipsWriter(
            plain,
            self._encoded.extend,
            "webpsave_target",
            Q=QUALITY if quality is None else quality,
            effort=EFFORT,
            keep="none",
        )

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels)."""
        rows = eight_bits(rows)
        if not self._layout.has_colour:
            grey = np.repeat(rows[..., :1], 3, axis=2)
            rows = np.concatenate((grey, rows[..., 1:]), axis=2)
        self._vips.write(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._vips.__exit__(kind, error, traceback)
        if error is None:
            layout = self._layout
            parts = contained(
                self._encoded, layout.width, layout.height, layout.icc_profile, layout.metadata
            )
            for part in parts:
                self._file.write(part)
