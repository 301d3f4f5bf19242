"""What a file says besides its pixels, and what of it a caller lets through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from enlarger.imaging import exif as exif_blocks
from enlarger.imaging import xmp as xmp_packets
from enlarger.imaging.exif import BLOCK_MAX, DOUBTFUL


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


NOTHING = Metadata()
"""Of a file that says nothing."""


class MetadataPolicy(StrEnum):
    """What of a file's metadata its result has. The colour profile is never part of it."""

    KEEP = "keep"
    """Everything that still holds."""
    PRIVATE = "private"
    """How a picture was taken stays; where, with which camera's number and whose does not: no XMP, no
    IPTC, no comments, and of Exif only tags known to be harmless."""
    STRIP = "strip"
    """Nothing but the resolution."""


class DpiPolicy(StrEnum):
    """What becomes of the pixels per inch that a file states, where no number is asked for."""

    KEEP = "keep"
    """The number stays, and so a print grows as the picture did."""
    SCALE = "scale"
    """It grows as the picture did, and a print keeps its size."""


Dpi = DpiPolicy | float
"""A policy, or pixels per inch, 1 to DPI_MAX."""
DPI_MAX = 65_535
"""What a JPEG can state."""


def printed(metadata: Metadata, dpi: Dpi, scale: tuple[float, float]) -> Metadata:
    """Metadata that states the resolution that `dpi` comes to, in its Exif as well.

    scale  result pixels per input pixel, across and down. A file that states nothing has nothing that
           grows.
    """
    if dpi is DpiPolicy.KEEP or (dpi is DpiPolicy.SCALE and metadata.dpi is None):
        return metadata
    if isinstance(dpi, DpiPolicy):
        assert metadata.dpi is not None  # noqa: S101 (for the type checker)
        stated = metadata.dpi[0] * scale[0], metadata.dpi[1] * scale[1]
    else:
        stated = dpi, dpi
    exif = metadata.exif
    if exif is not None:
        try:
            exif = exif_blocks.resolved(exif, stated)
        except DOUBTFUL:
            exif = None
    return replace(metadata, exif=exif, dpi=stated)


def kept(metadata: Metadata, policy: MetadataPolicy) -> Metadata:
    """What `policy` leaves of `metadata`."""
    match policy:
        case MetadataPolicy.KEEP:
            return metadata
        case MetadataPolicy.PRIVATE:
            cleaned = None if metadata.exif is None else exif_blocks.cleaned(metadata.exif)
            return Metadata(exif=cleaned, dpi=metadata.dpi)
        case MetadataPolicy.STRIP:
            return Metadata(dpi=metadata.dpi)


def upright(metadata: Metadata) -> Metadata:
    """Metadata as read from a file, made fit for the upright picture; what is damaged is left out.

    The resolution that Exif states is taken where the file states none.
    """
    exif, dpi = None, metadata.dpi
    if metadata.exif is not None and len(metadata.exif) <= BLOCK_MAX:
        try:
            structure, tags = exif_blocks.parsed(metadata.exif)
        except DOUBTFUL:
            pass
        else:
            dpi = dpi or exif_blocks.resolution_in(structure, tags)
            exif = exif_blocks.normalised(structure, tags)
    return replace(
        metadata,
        exif=exif,
        xmp=None if metadata.xmp is None else xmp_packets.upright(metadata.xmp, BLOCK_MAX),
        iptc=metadata.iptc if metadata.iptc and len(metadata.iptc) <= BLOCK_MAX else None,
        dpi=dpi,
        comments=_within(metadata.comments),
    )


def _within(comments: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """The comments from the first on that fit into BLOCK_MAX together."""
    room = BLOCK_MAX
    chosen = []
    for key, text in comments:
        room -= len(key) + len(text)
        if room < 0:
            break
        chosen.append((key, text))
    return tuple(chosen)
