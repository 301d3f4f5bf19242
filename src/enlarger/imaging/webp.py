"""Writing WebP: libvips's pixels in a container of our own, with the blocks as they are."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np

from enlarger.imaging.layout import Layout, Rows, eight_bits
from enlarger.imaging.pipe import VipsWriter
from enlarger.imaging.png import Sink
from enlarger.imaging.raster import Raster, RasterWriter, Samples
from enlarger.imaging.riff import contained

QUALITY = 95
"""Above it files grow fast and nothing more is seen."""
SURE_PIXELS = 8_000_000
"""Lossy WebP has 512 KiB for what it says of its blocks of 16x16 pixels (RFC 6386, section 9.3): up to
here 134 bits each, more than they need. Beyond, encoders fail at the very end, at high quality sooner."""
BAND_ROWS = 256
EFFORT = 0
"""A third of the default's time for 15 % more bytes."""


class WebpWriter:
    """Writes one WebP of 8 bits, with its transparency, to an open file. A context manager.

    The encoder holds the whole picture, about 5 bytes a pixel and 16 without loss, and nothing reaches
    the file before the end. Grey becomes RGB, which is all that WebP has; 16 bits are rounded to 8.
    A large picture of much detail that lossy WebP has no room for is written without loss.
    """

    def __init__(self, file: Sink, layout: Layout, quality: int | None = None) -> None:
        """
        layout   Exif and XMP are written; resolution, IPTC and comments have no place in WebP.
        quality  1 to 100; up: larger and nearer to the original. Transparency is always exact.
        """
        self._file = file
        self._rows = Rows(layout)
        self._layout = layout
        self._plain = Layout(width=layout.width, height=layout.height, channels=3 + layout.has_alpha)
        self._kept: RasterWriter | None = None
        if layout.width * layout.height > SURE_PIXELS:
            self._kept = RasterWriter(layout.width, layout.height, self._plain.channels, np.uint8)
        self._encoded = bytearray()
        self._vips = self._encoder(Q=QUALITY if quality is None else quality)

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels)."""
        self._rows.take(rows)
        rows = eight_bits(rows)
        if not self._layout.has_colour:
            grey = np.repeat(rows[..., :1], 3, axis=2)
            rows = np.concatenate((grey, rows[..., 1:]), axis=2)
        if self._kept is not None:
            self._kept.write(rows)
        self._vips.write(rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._vips.__exit__(kind, error, traceback)
        except OSError:
            if self._kept is None:
                raise
            self._encode_without_loss(self._kept.finish())
        if error is None:
            layout = self._layout
            parts = contained(
                self._encoded, layout.width, layout.height, layout.icc_profile, layout.metadata
            )
            for part in parts:
                self._file.write(part)

    def _encoder(self, **options: Any) -> VipsWriter:
        take = self._encoded.extend
        return VipsWriter(self._plain, take, "webpsave_target", effort=EFFORT, keep="none", **options)

    def _encode_without_loss(self, rows: Raster) -> None:
        self._encoded.clear()
        with self._encoder(lossless=True) as encoder:
            for top in range(0, rows.height, BAND_ROWS):
                encoder.write(rows.rows(top, min(top + BAND_ROWS, rows.height)))
