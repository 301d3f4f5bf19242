"""Writing JPEG: libvips's pixels behind segments of our own.

libvips takes an Exif block apart and writes those of its tags that it knows; ours goes in as it is.
"""

from __future__ import annotations

import struct
from types import TracebackType
from typing import Self

from enlarger.imaging import xmp
from enlarger.imaging.layout import Layout, Rows, eight_bits, on_white
from enlarger.imaging.metadata import Metadata
from enlarger.imaging.pipe import VipsWriter
from enlarger.imaging.png import Sink
from enlarger.imaging.raster import Samples
from enlarger.imaging.splice import Spliced

QUALITY = 95
"""Above it files grow fast and nothing more is seen."""
START, APP0, APP1, APP2, APP13, COMMENT = b"\xff\xd8", 0xE0, 0xE1, 0xE2, 0xED, 0xFE
SEGMENT_MAX = 65_533
"""Bytes that a segment holds besides its own length."""
DENSITY_MAX = 65_535
ICC_PREFIX = b"ICC_PROFILE\0"
PROFILE_PARTS_MAX = 255


class JpegWriter:
    """Writes one JPEG of 8 bits, 4:4:4, to an open file. A context manager; see VipsWriter.

    Transparency is laid on white; grey stays grey; 16 bits are rounded to 8.
    """

    def __init__(self, file: Sink, layout: Layout, quality: int | None = None) -> None:
        """
        layout   Exif and IPTC go in where they fit one segment of 65,533 bytes; XMP takes more of them.
        quality  1 to 100; up: larger and nearer to the original.
        """
        self._has_alpha = layout.has_alpha
        self._rows = Rows(layout)
        plain = Layout(
            width=layout.width, height=layout.height, channels=layout.channels - layout.has_alpha, bits=8
        )
        self._vips = VipsWriter(
            plain,
            Spliced(file, segments(layout.icc_profile, layout.metadata), _in_place_of_app0).write,
            "jpegsave_target",
            Q=QUALITY if quality is None else quality,
            # 4:4:4: halving the colour resolution smears the very edges that were just made.
            subsample_mode="off",
            keep="none",
        )

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels)."""
        self._rows.take(rows)
        self._vips.write(eight_bits(on_white(rows) if self._has_alpha else rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._vips.__exit__(kind, error, traceback)


def segments(icc_profile: bytes | None, said: Metadata) -> bytes:
    """Everything between the start of a JPEG and its tables."""
    unit, densities = (0, (1, 1)) if said.dpi is None else (1, tuple(round(value) for value in said.dpi))
    across, down = (min(max(value, 1), DENSITY_MAX) for value in densities)
    parts = [_segment(APP0, b"JFIF\0\x01\x02" + struct.pack(">BHHBB", unit, across, down, 0, 0))]
    if said.exif is not None:
        parts.append(_segment(APP1, b"Exif\0\0" + said.exif))
    if said.xmp is not None:
        parts += [_segment(APP1, part) for part in xmp.segments(said.xmp)]
    if icc_profile is not None:
        parts.append(_profile(icc_profile))
    if said.iptc is not None:
        resource = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(said.iptc)) + said.iptc
        parts.append(_segment(APP13, b"Photoshop 3.0\0" + resource + bytes(len(said.iptc) % 2)))
    for key, text in said.comments:
        if key.lower() == "comment":
            parts.append(_segment(COMMENT, text.encode()))
    return b"".join(parts)


def _segment(marker: int, data: bytes) -> bytes:
    """One segment; nothing where it does not fit."""
    if len(data) > SEGMENT_MAX:
        return b""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _profile(profile: bytes) -> bytes:
    """A colour profile in as many segments as it needs (ICC.1:2010, section B.4)."""
    room = SEGMENT_MAX - len(ICC_PREFIX) - 2
    parts = [profile[at : at + room] for at in range(0, len(profile), room)]
    if len(parts) > PROFILE_PARTS_MAX:
        return b""
    return b"".join(
        _segment(APP2, ICC_PREFIX + bytes([number, len(parts)]) + part)
        for number, part in enumerate(parts, 1)
    )


def _in_place_of_app0(start: bytes) -> tuple[int, int] | None:
    """Behind the start, where the APP0 is that an encoder begins with."""
    if len(start) < 6:
        return None
    has_own = start[2:4] == bytes([0xFF, APP0])
    end = 4 + struct.unpack_from(">H", start, 4)[0] if has_own else len(START)
    return (len(START), end) if len(start) >= end else None
