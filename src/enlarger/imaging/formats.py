"""Which file formats there are, told by the first bytes and never by a name or a declared type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from enlarger.errors import OutOfMemory, UnsupportedPicture

START_BYTES = 32
"""What `sniff` wants to see of a file."""


class Format(StrEnum):
    """A format that is read and written."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    TIFF = "tiff"
    GIF = "gif"
    """256 colours a frame: for animations; a single picture is written only because someone asks."""
    AVIF = "avif"
    HEIC = "heic"
    """Needs the extra `heic`."""
    JXL = "jxl"
    """Needs the extra `jxl`."""

    @property
    def ending(self) -> str:
        """What a file name of this format ends in, with the dot."""
        return ".jpg" if self is Format.JPEG else f".{self}"


API_FORMATS = frozenset({Format.PNG, Format.JPEG, Format.WEBP})
"""What the doors for strangers read: the formats of the vendors' documents."""
ALL_FORMATS = frozenset(Format)

SUFFIXES = {
    ".png": Format.PNG,
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".webp": Format.WEBP,
    ".tif": Format.TIFF,
    ".tiff": Format.TIFF,
    ".gif": Format.GIF,
    ".avif": Format.AVIF,
    ".heic": Format.HEIC,
    ".heif": Format.HEIC,
    ".jxl": Format.JXL,
}
"""What endings of file names, in lower case, say about how a file is to be written."""

BRANDS = {
    b"avif": Format.AVIF,
    b"avis": Format.AVIF,
    b"heic": Format.HEIC,
    b"heix": Format.HEIC,
    b"mif1": Format.HEIC,
}
"""Brands of ISO base media files (ISO/IEC 14496-12, section 4.3)."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself, learned without decoding a pixel."""

    format: Format
    width: int
    """Upright: after the file's orientation."""
    height: int


def sniff(start: bytes) -> Format | None:
    """The format that a file's first START_BYTES announce, or None."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if start.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return Format.WEBP
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return Format.TIFF
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return Format.GIF
    if start[:2] == b"\xff\x0a" or start[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return Format.JXL
    if start[4:8] == b"ftyp":
        # `mif1` is what AVIF files of some writers lead with as well: then the list behind decides.
        return Format.AVIF if b"avif" in start[8:] else BRANDS.get(start[8:12])
    return None


def named(formats: frozenset[Format]) -> str:
    """A list for a message: `PNG, JPEG or WebP`, in the order of the enum."""
    proper = {Format.WEBP: "WebP", Format.JXL: "JPEG XL"}
    names = [proper.get(one, one.upper()) for one in Format if one in formats]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


@contextmanager
def guarded(format_: Format) -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into UnsupportedPicture.

    Broad on purpose: on hostile files decoders raise OSError, SyntaxError, ValueError, IndexError,
    struct.error and others, all of which mean the same to the caller.
    """
    try:
        yield
    except UnsupportedPicture:
        raise
    except MemoryError as error:
        raise OutOfMemory(
            f"there is not enough memory to read this {format_}; close other programs"
        ) from error
    except Exception as error:
        raise UnsupportedPicture(
            f"the {format_} is damaged or cut short and cannot be read", param="image"
        ) from error
