"""What a file says besides its pixels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metadata:
    """Blocks as files carry them; None where a file has none."""

    exif: bytes | None = None
    """A TIFF structure (Exif 3.0), without the `Exif\\0\\0` that JPEG puts before it; orientation 1."""
    xmp: bytes | None = None
    """An XMP packet, UTF-8."""
    iptc: bytes | None = None
    """An IPTC-IIM block as JPEG's APP13 and TIFF's tag 33723 carry it."""
    dpi: tuple[float, float] | None = None
    """Pixels per inch across and down, where the file says so."""
    comments: tuple[tuple[str, str], ...] = ()
    """PNG text chunks and the JPEG comment (key `comment`): keyword and text, in the file's order."""
