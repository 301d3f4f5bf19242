"""A TIFF writer: strips with the horizontal predictor and ISA-L's deflate at level 1.

Our own, because libvips leaves Exif out of a TIFF. Rows are written as they come; the directory,
which says where they are, stands behind them.
"""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from isal import isal_zlib

from enlarger.imaging import exif
from enlarger.imaging.ifd import BYTE, UNDEFINED, Entry, Structure, Tags, serialised, turned
from enlarger.imaging.layout import Layout, Rows
from enlarger.imaging.metadata import Metadata
from enlarger.imaging.raster import Samples
from enlarger.imaging.tiff_header import DESCRIPTIVE, ICC_PROFILE, IPTC, XMP

STRIP_BYTES = 1024 * 1024
"""A strip's samples before deflate, about; one row at least."""
CLASSIC_MAX = 4 * 1024**3 - 64 * 1024**2
"""Bytes of samples that surely fit below TIFF's 4 GiB, with the directory; BigTIFF beyond."""
SIDE_MAX = 2**31 - 1
ADOBE_DEFLATE, HORIZONTAL, INCH, UNASSOCIATED = 8, 2, 2, 2


class TiffWriter:
    """Writes one TIFF of 8 or 16 bits to an open file. A context manager.

    Leaving the context without an error finishes the file; with one, the file is left unfinished.
    """

    def __init__(self, file: BinaryIO, layout: Layout) -> None:
        """
        file    can seek: its first bytes are written again at the end.
        layout  everything of its metadata but comments has a tag.
        """
        size = layout.stride * layout.height
        self._structure = Structure(is_big=size > CLASSIC_MAX)
        self._file = file
        self._layout = layout
        self._rows = Rows(layout)
        self._strip_rows = min(max(1, STRIP_BYTES // layout.stride), layout.height)
        self._waiting: list[Samples] = []
        self._offsets: list[int] = []
        self._counts: list[int] = []
        self._begin = file.tell()
        self._at = 16 if self._structure.is_big else 8
        file.write(bytes(self._at))

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels)."""
        self._rows.take(rows)
        step = self._strip_rows
        waiting = sum(len(some) for some in self._waiting)
        taken = 0
        while waiting + len(rows) - taken >= step:
            upto = taken + step - waiting
            self._strip(*self._waiting, rows[taken:upto])
            self._waiting, waiting, taken = [], 0, upto
        if taken < len(rows):
            # Copied: the caller may use its array again.
            self._waiting.append(rows[taken:].copy())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        self._rows.finish()
        if self._waiting:
            self._strip(*self._waiting)
        directory = serialised(self._tags(), self._at, self._structure)
        self._file.write(directory)
        end = self._begin + self._at + len(directory)
        self._file.seek(self._begin)
        start = struct.pack("<2sHHHQ", b"II", 43, 8, 0, self._at)
        self._file.write(start if self._structure.is_big else struct.pack("<2sHI", b"II", 42, self._at))
        self._file.seek(end)

    def _strip(self, *parts: Samples) -> None:
        rows: Any = parts[0] if len(parts) == 1 else np.concatenate(parts)
        predicted = np.empty(rows.shape, rows.dtype)
        predicted[:, 0] = rows[:, 0]
        np.subtract(rows[:, 1:], rows[:, :-1], out=predicted[:, 1:])
        data = isal_zlib.compress(predicted.astype(predicted.dtype.newbyteorder("<"), copy=False), 1)
        self._offsets.append(self._at)
        self._counts.append(len(data))
        data += bytes(len(data) % 2)  # the next strip, or the directory, lies at an even offset
        self._file.write(data)
        self._at += len(data)

    def _tags(self) -> Tags:
        layout, shape = self._layout, self._structure
        tags = _described(layout.metadata, shape)
        tags |= {
            256: shape.number(layout.width),
            257: shape.number(layout.height),
            258: shape.shorts(*[layout.bits] * layout.channels),
            259: shape.shorts(ADOBE_DEFLATE),
            262: shape.shorts(2 if layout.has_colour else 1),
            273: self._numbers(self._offsets),
            274: shape.shorts(1),
            277: shape.shorts(layout.channels),
            278: shape.number(self._strip_rows),
            279: self._numbers(self._counts),
            284: shape.shorts(1),
            317: shape.shorts(HORIZONTAL),
            339: shape.shorts(*[1] * layout.channels),
        }
        if layout.has_alpha:
            tags[338] = shape.shorts(UNASSOCIATED)
        if layout.icc_profile is not None:
            tags[ICC_PROFILE] = Entry(UNDEFINED, len(layout.icc_profile), layout.icc_profile)
        return tags

    def _numbers(self, values: list[int]) -> Entry:
        one = self._structure.number(0)
        data = struct.pack(f"<{len(values)}{self._structure.pointer}", *values)
        return Entry(one.kind, len(values), data)


def _described(said: Metadata, shape: Structure) -> Tags:
    """Metadata as tags of a TIFF: those of Exif's first directory are tags of TIFF itself."""
    tags: Tags = {}
    if said.exif is not None:
        try:
            source, read = exif.parsed(said.exif)
        except exif.DOUBTFUL:
            read, source = {}, shape
        tags = turned({tag: value for tag, value in read.items() if tag in DESCRIPTIVE}, source, shape)
    if said.xmp is not None:
        tags[XMP] = Entry(BYTE, len(said.xmp), said.xmp)
    if said.iptc is not None:
        tags[IPTC] = Entry(UNDEFINED, len(said.iptc), said.iptc)
    if said.dpi is not None:
        for tag, value in zip((exif.X_RESOLUTION, exif.Y_RESOLUTION), said.dpi, strict=True):
            tags[tag] = shape.ratio(value)
        tags[exif.RESOLUTION_UNIT] = shape.shorts(INCH)
    return tags
