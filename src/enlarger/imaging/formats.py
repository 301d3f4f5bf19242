"""Which file formats are read, told by the first bytes and never by a name or a declared type.

The decoders are called by class, not through `PIL.Image.open`: the list below is then the whole
list, and no limit of Pillow's that the hosting program may have set is touched.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from enlarger.errors import PictureTooLarge, UnsupportedPicture

ORIENTATION_TAG = 0x0112
UPRIGHT = 1
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture of each EXIF orientation upright (Exif 3.0, table 6); 1 is upright."""
SIDEWAYS = (5, 6, 7, 8)
"""Orientations whose turn swaps width and height."""


class Format(StrEnum):
    """A format that is read and written."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def ending(self) -> str:
        """What a file name of this format ends in, with the dot."""
        return ".jpg" if self is Format.JPEG else f".{self}"


SUFFIXES = {
    ".png": Format.PNG,
    ".jpg": Format.JPEG,
    ".jpeg": Format.JPEG,
    ".webp": Format.WEBP,
}
"""What endings of file names, in lower case, say about how a file is to be written."""


@dataclass(frozen=True)
class Header:
    """What a file says of itself, learned without decoding a pixel."""

    format: Format
    width: int
    """Upright: after the file's orientation."""
    height: int


READERS: dict[Format, type[ImageFile.ImageFile]] = {
    Format.PNG: PngImageFile,
    Format.JPEG: JpegImageFile,
    Format.WEBP: WebPImageFile,
}


def sniff(start: bytes) -> Format | None:
    """The format that a file's first 12 bytes announce, or None."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    if start.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return Format.WEBP
    return None


def probe(source: bytes | BinaryIO, *, max_pixels: int | None = None) -> Header:
    """Read a file's header; no pixel is decoded.

    Raises UnsupportedPicture for anything that is not a single-frame PNG, JPEG or WebP, and
    PictureTooLarge if it announces more than `max_pixels`.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    with opened(file, max_pixels=max_pixels) as (header, _):
        return header


@contextmanager
def opened(file: BinaryIO, *, max_pixels: int | None) -> Iterator[tuple[Header, ImageFile.ImageFile]]:
    """The header and Pillow's undecoded image; see `probe` for what is raised."""
    format_ = sniff(file.read(12))
    file.seek(0)
    if format_ is None:
        raise UnsupportedPicture("the file is not a PNG, JPEG or WebP picture", param="image")
    with guarded(format_):
        image = READERS[format_](file)
        frames = getattr(image, "n_frames", 1)
    with image:
        if frames != 1:
            raise UnsupportedPicture(
                f"the {format_} has {frames} frames; only single pictures are enlarged", param="image"
            )
        width, height = image.size
        if max_pixels is not None and width * height > max_pixels:
            raise PictureTooLarge(
                f"the picture has {width}x{height} = {width * height} pixels;"
                f" at most {max_pixels} are allowed",
                param="image",
            )
        if orientation_of(image) in SIDEWAYS:
            width, height = height, width
        yield Header(format_, width, height), image


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8, of what has been read of the file so far; 1 where it makes no sense.

    Read from the raw block: Pillow's own `getexif` decodes a PNG to its end.
    """
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        value = exif.get(ORIENTATION_TAG, UPRIGHT)
    except Exception:
        # Broad for the reason of `guarded`; but a picture is whole though its EXIF is not.
        return UPRIGHT
    return value if isinstance(value, int) and value in TURNS else UPRIGHT


@contextmanager
def guarded(format_: Format) -> Iterator[None]:
    """Turn whatever a decoder raises on a damaged file into UnsupportedPicture.

    Broad on purpose: on hostile files Pillow raises OSError, SyntaxError, ValueError, IndexError,
    struct.error and others, all of which mean the same to the caller.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise UnsupportedPicture(
            f"the {format_} is damaged or cut short and cannot be read", param="image"
        ) from error
