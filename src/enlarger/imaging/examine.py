"""A file's header and metadata, without its pixels.

Decoders are called by class, not through `PIL.Image.open`: the list below is then the whole list,
and no limit of Pillow's that the hosting program may have set is touched. libvips is not loaded.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from PIL import ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import extras, gif, riff, tiff_header, xmp
from enlarger.imaging.exif import BLOCK_MAX, UPRIGHT, orientation_in
from enlarger.imaging.formats import ALL_FORMATS, START_BYTES, Format, Header, guarded, named, sniff
from enlarger.imaging.metadata import Metadata, upright
from enlarger.imaging.tiff_header import TiffHeader

SIDEWAYS = (5, 6, 7, 8)
"""Orientations (Exif 3.0, table 6) whose turn swaps width and height."""
IPTC_RESOURCE = 0x0404
"""Of Photoshop's image resources, in JPEG's APP13."""
EXIF_PREFIX = b"Exif\0\0"


@dataclass(frozen=True)
class Examined:
    """What is known of a file before its pixels are."""

    header: Header
    orientation: int
    """1 to 8, as Exif numbers them."""
    frames: int
    icc_profile: bytes | None
    said: Metadata
    """Metadata as the file has it; see `metadata`."""
    tiff: TiffHeader | None = None
    """How a TIFF holds its samples."""

    @property
    def metadata(self) -> Metadata:
        """What of the file's metadata holds for the upright picture."""
        return upright(self.said)


def probe(
    source: bytes | BinaryIO, *, max_pixels: int | None = None, formats: frozenset[Format] = ALL_FORMATS
) -> Header:
    """Read a file's header; no pixel is decoded.

    Raises UnsupportedPicture for anything that is not a single picture in one of `formats`, and
    PictureTooLarge if it announces more than `max_pixels`.
    """
    return single(source, max_pixels=max_pixels, formats=formats).header


def single(source: bytes | BinaryIO, *, max_pixels: int | None, formats: frozenset[Format]) -> Examined:
    """What `probe` learns, and more of it; raises what `probe` raises."""
    examined = examine(source, max_pixels=max_pixels, formats=formats)
    if examined.frames != 1:
        raise UnsupportedPicture(
            f"the {examined.header.format} has {examined.frames} frames; only single pictures are enlarged",
            param="image",
        )
    return examined


def examine(source: bytes | BinaryIO, *, max_pixels: int | None, formats: frozenset[Format]) -> Examined:
    """Like `single`, of an animation or several pages as well. The file is left at its start."""
    file = opened(source)
    format_ = sniff(file.read(START_BYTES))
    file.seek(0)
    if format_ is None or format_ not in formats:
        raise UnsupportedPicture(f"the file is not a {named(formats)} picture", param="image")
    with guarded(format_):
        examined = _LOOKS.get(format_, _look_with_pillow)(format_, file)
        file.seek(0)
    header = examined.header
    if min(header.width, header.height) < 1:
        raise UnsupportedPicture(f"the {format_} says that it has no pixels", param="image")
    pixels = header.width * header.height
    if max_pixels is not None and pixels > max_pixels:
        raise PictureTooLarge(
            f"the picture has {header.width}x{header.height} = {pixels} pixels;"
            f" at most {max_pixels} are allowed",
            param="image",
        )
    return examined


def opened(source: bytes | BinaryIO) -> BinaryIO:
    """A file of the bytes, or the file."""
    return io.BytesIO(source) if isinstance(source, bytes) else source


def reader(format_: Format) -> type[ImageFile.ImageFile]:
    """Pillow's decoder of a format.

    Raises UnsupportedPicture, naming the extra, for one that is not installed.
    """
    known: dict[Format, type[ImageFile.ImageFile]] = {
        Format.PNG: PngImageFile,
        Format.JPEG: JpegImageFile,
        Format.GIF: GifImageFile,
    }
    return known.get(format_) or extras.reader(format_)


def _look_with_pillow(format_: Format, file: BinaryIO) -> Examined:
    with reader(format_)(file) as image:
        info = image.info
        said = Metadata(
            exif=_unprefixed(info.get("exif")),
            xmp=_in_utf8(gif.packet_in(file)) if format_ is Format.GIF else _packet(image),
            iptc=_iptc(info),
            dpi=_dpi(format_, info),
            comments=_comments(image),
        )
        # pillow-heif and libavif turn the pixels themselves, and say 1 afterwards.
        return _examined(format_, image.size, getattr(image, "n_frames", 1), info.get("icc_profile"), said)


def _look_at_webp(format_: Format, file: BinaryIO) -> Examined:
    found = riff.read_header(file)
    said = Metadata(exif=_unprefixed(found.metadata.exif), xmp=_in_utf8(found.metadata.xmp))
    return _examined(format_, (found.width, found.height), found.frames, found.icc_profile, said)


def _look_at_tiff(format_: Format, file: BinaryIO) -> Examined:
    found = tiff_header.read_header(file)
    width, height = _upright_size(found.width, found.height, found.orientation)
    header = Header(format_, width, height)
    said = replace(found.metadata, xmp=_in_utf8(found.metadata.xmp))
    return Examined(header, found.orientation, found.pages, found.icc_profile, said, found)


_LOOKS: dict[Format, Callable[[Format, BinaryIO], Examined]] = {
    Format.WEBP: _look_at_webp,
    Format.TIFF: _look_at_tiff,
}


def _examined(
    format_: Format, size: tuple[int, int], frames: int, icc_profile: bytes | None, said: Metadata
) -> Examined:
    orientation = UPRIGHT if said.exif is None else orientation_in(said.exif)
    width, height = _upright_size(*size, orientation)
    return Examined(Header(format_, width, height), orientation, frames, icc_profile or None, said)


def _upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    return (height, width) if orientation in SIDEWAYS else (width, height)


def _unprefixed(block: object) -> bytes | None:
    return block.removeprefix(EXIF_PREFIX) or None if isinstance(block, bytes) else None


def _packet(image: ImageFile.ImageFile) -> bytes | None:
    """The XMP packet, with what a JPEG has of it in further segments."""
    block = image.info.get("xmp")
    packet = _in_utf8(block.encode() if isinstance(block, str) else block)
    if packet is None or not isinstance(image, JpegImageFile):
        return packet
    segments = [data for name, data in image.applist if name == "APP1"]
    return xmp.joined(
        packet, [data for data in segments if data.startswith(xmp.EXTENSION_PREFIX)], BLOCK_MAX
    )


def _in_utf8(block: object) -> bytes | None:
    return xmp.in_utf8(block) if isinstance(block, bytes) else None


def _iptc(info: dict[Any, Any]) -> bytes | None:
    resources = info.get("photoshop")
    found = resources.get(IPTC_RESOURCE) if isinstance(resources, dict) else None
    return found if isinstance(found, bytes) else None


def _dpi(format_: Format, info: dict[Any, Any]) -> tuple[float, float] | None:
    """The resolution in JFIF or pHYs; not Pillow's `dpi` of a JPEG, which is made up if there is none."""
    if format_ is Format.JPEG:
        scale = {1: 1.0, 2: 2.54}.get(info.get("jfif_unit", 0))
        found = info.get("jfif_density") if scale else None
    else:
        scale, found = 1.0, info.get("dpi")
    if not isinstance(found, tuple) or len(found) != 2 or scale is None or min(found) <= 0:
        return None
    return float(found[0]) * scale, float(found[1]) * scale


def _comments(image: ImageFile.ImageFile) -> tuple[tuple[str, str], ...]:
    if isinstance(image, PngImageFile):
        # Not `image.text`, which decodes the picture to find text behind it.
        text = {} if image.png is None else image.png.im_text
        return tuple((key, str(value)) for key, value in text.items() if not key.startswith("XML:"))
    comment = image.info.get("comment")
    if isinstance(comment, bytes) and comment:
        return (("comment", comment.decode("utf-8", "replace")),)
    return ()
