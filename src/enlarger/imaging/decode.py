"""Bytes to Picture, by bands of rows: what a picture takes does not grow with it beyond a Raster."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import ImageCms

from enlarger.errors import UnsupportedPicture
from enlarger.imaging import vips, whole
from enlarger.imaging.examine import Examined, examine, opened, reader, single
from enlarger.imaging.formats import ALL_FORMATS, Format, guarded
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter
from enlarger.imaging.tiff_header import FLOAT, OPACITY, UNSIGNED, TiffHeader
from enlarger.imaging.turning import turned

BAND_ROWS = 128
"""Rows decoded at a time."""
LOADERS = {
    Format.PNG: "pngload_source",
    Format.JPEG: "jpegload_source",
    Format.WEBP: "webpload_source",
    Format.TIFF: "tiffload_source",
}
"""libvips's loaders that read row by row; every other format is read whole by Pillow."""
GREY_SPACES, RGB_SPACES = ("b-w", "grey16"), ("srgb", "rgb", "rgb16")
BELOW_16_BITS = 65_537
"""What a 32-bit sample is divided by to be a 16-bit one: (2**32 - 1) / (2**16 - 1)."""
READ_COMPRESSIONS = (1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946)
"""None, fax, LZW, JPEG, deflate and PackBits: what libvips's wheel is built with."""
CIELAB = 8
"""TIFF's PhotometricInterpretation of Lab."""


def decode(
    source: bytes | BinaryIO, *, max_pixels: int | None = None, formats: frozenset[Format] = ALL_FORMATS
) -> Picture:
    """Decode a single picture, told by its content, upright, to RGB of 8 or 16 bits with optional alpha.

    source   a file is read from its start.
    formats  what is read; anything else is refused.

    An RGB file keeps its samples and its colour profile, so no colour is lost to a smaller space. A
    file in another space (grey, CMYK, Lab) is converted to sRGB, because a profile of its own would
    not fit RGB; grey stays known as grey.

    Raises UnsupportedPicture for damaged, animated or other files and PictureTooLarge for more than
    `max_pixels`, the latter before anything is decoded.
    """
    file = opened(source)
    examined = single(file, max_pixels=max_pixels, formats=formats)
    format_ = examined.header.format
    if examined.tiff is not None:
        _check_readable(examined.tiff)
    with guarded(format_):
        found = _with_vips(file, examined) if format_ in LOADERS else whole.decoded(file, examined)
    colour, alpha, profile, is_grey = found
    return Picture(
        turned(colour, examined.orientation),
        None if alpha is None else turned(alpha, examined.orientation),
        profile,
        examined.metadata,
        is_grey,
    )


@dataclass(frozen=True)
class Outline:
    """What a plan needs to know of a file: the shape of what `decode` makes of it."""

    format: Format
    width: int
    """Upright."""
    height: int
    has_alpha: bool
    bits: int
    """8 or 16, for each sample."""
    frames: int
    """More than 1: an animation, or several pages."""


def outlined(source: bytes | BinaryIO) -> Outline:
    """The outline of a file; no pixel is decoded. It is left at its start.

    Raises UnsupportedPicture for anything that is no picture.
    """
    file = opened(source)
    examined = examine(file, max_pixels=None, formats=ALL_FORMATS)
    header = examined.header
    with guarded(header.format):
        if header.format in LOADERS:
            image = getattr(vips.loaded().Image, LOADERS[header.format])(_source(file))
            has_alpha = _split(image, examined.tiff)[1] is not None
            bits = 8 if image.format == "uchar" else 16
        else:
            with reader(header.format)(file) as frame:
                has_alpha, bits = frame.has_transparency_data, 8
    file.seek(0)
    return Outline(header.format, header.width, header.height, has_alpha, bits, examined.frames)


def _check_readable(tiff: TiffHeader) -> None:
    """Refuse, in words, what would be read only by guessing what its numbers mean."""
    if tiff.is_raw:
        raise UnsupportedPicture("the tiff is a raw photograph; develop it first", param="image")
    if tiff.compression not in READ_COMPRESSIONS:
        raise UnsupportedPicture(
            f"the tiff is compressed with method {tiff.compression}, which is not read; save it with LZW",
            param="image",
        )
    if tiff.sample_format == FLOAT:
        raise UnsupportedPicture(
            "the tiff has floating-point samples, whose white is unknown; save it with 16 bits",
            param="image",
        )
    if tiff.sample_format != UNSIGNED and tiff.photometric != CIELAB:
        raise UnsupportedPicture("the tiff has signed samples; save it with 16 bits", param="image")
    if len(set(tiff.bits)) != 1 or tiff.bits[0] not in (1, 2, 4, 8, 16, 32):
        raise UnsupportedPicture(
            f"the tiff has samples of {tiff.bits} bits; save it with 8 or 16", param="image"
        )


def _with_vips(file: BinaryIO, examined: Examined) -> tuple[Raster, Raster | None, bytes | None, bool]:
    """Colours, opacity, the profile that stays, and whether it is grey; not yet upright."""
    load: Callable[..., Any] = getattr(vips.loaded().Image, LOADERS[examined.header.format])
    tiff = examined.tiff
    if tiff is not None and tiff.photometric == CIELAB and tiff.bits[0] == 8:
        image = whole.lab8(file)  # libvips mistakes three 8-bit samples of Lab for its own packed four
    else:
        image = load(_source(file), access="sequential", fail_on="error")
    if {image.width, image.height} != {examined.header.width, examined.header.height}:
        raise ValueError("the decoder found another size than the header says")
    if image.format == "uint":
        image = (image / BELOW_16_BITS).rint().cast("ushort").copy(interpretation=_space_of(image.bands))
    colours, alpha = _split(image, tiff)
    profile = examined.icc_profile
    is_grey = image.interpretation in GREY_SPACES
    if image.interpretation in RGB_SPACES:
        profile = profile if profile is not None and _space(profile) == "RGB" else None
    else:
        colours, profile = _to_srgb(colours, profile, is_grey), None
    joined = colours if alpha is None else colours.bandjoin(alpha)
    colour, opacity = _read(joined, alpha is not None)
    return colour, opacity, profile, is_grey


def _source(file: BinaryIO) -> Any:
    """What libvips reads from: the file itself where it is one, so that it is never in memory whole."""
    source = vips.loaded().Source
    if isinstance(file, io.BytesIO):
        return source.new_from_memory(file.getbuffer())
    try:
        descriptor = file.fileno()
    except (OSError, AttributeError):
        return source.new_from_memory(file.read())
    return source.new_from_descriptor(descriptor)


def _space_of(bands: int) -> str:
    return "grey16" if bands < 3 else "rgb16"


def _split(image: Any, tiff: TiffHeader | None) -> tuple[Any, Any | None]:
    """The colours in their own space, and opacity of the same format if there is any.

    Of a TIFF's samples beyond the colours only those are opacity that say so: others are selections
    that someone saved, inks, heights.
    """
    colours = {"b-w": 1, "grey16": 1, "cmyk": 4}.get(image.interpretation, 3)
    if image.bands < colours:
        raise ValueError(f"{image.bands} samples in {image.interpretation}")
    if image.bands == colours:
        return image, None
    own = image.extract_band(0, n=colours)
    if tiff is not None and (not tiff.extra or tiff.extra[0] not in OPACITY):
        return own, None
    return own, image.extract_band(colours)


def _to_srgb(image: Any, profile: bytes | None, is_grey: bool) -> Any:
    """Grey, CMYK or Lab in sRGB: three samples of the depth that the file has."""
    depth = 16 if image.format in ("ushort", "short") else 8
    if is_grey and profile is None:
        return image.bandjoin([image, image])
    for attempt in (profile, None):
        fits = attempt is not None and _space(attempt) in ({"GRAY"} if is_grey else {"CMYK"})
        if image.interpretation != "cmyk" and not fits:
            break
        tagged = image.copy()
        if attempt is not None and fits:
            tagged.set_type(vips.loaded().GValue.blob_type, "icc-profile-data", attempt)
        else:
            tagged.remove("icc-profile-data")
        try:
            return _levelled(_transformed(tagged, depth), is_grey)
        except vips.loaded().Error:
            continue  # a profile that the colour engine refuses must not cost the caller the picture
    if is_grey:
        return image.bandjoin([image, image])
    return image.colourspace("rgb16" if depth == 16 else "srgb")


def _transformed(image: Any, depth: int) -> Any:
    return image.icc_transform(
        "srgb",
        embedded=True,
        input_profile="cmyk",
        intent="relative",
        black_point_compensation=True,
        depth=depth,
    )


def _levelled(image: Any, is_grey: bool) -> Any:
    """Equal channels where there is no colour: the conversion rounds each of the three by itself."""
    if not is_grey:
        return image
    green = image.extract_band(1)
    return green.bandjoin([green, green])


def _read(image: Any, has_alpha: bool) -> tuple[Raster, Raster | None]:
    """Read the samples, top to bottom."""
    dtype = np.dtype(np.uint8 if image.format == "uchar" else np.uint16)
    if image.format not in ("uchar", "ushort"):
        raise ValueError(f"samples of {image.format}")
    width, height = image.width, image.height
    colour = RasterWriter(width, height, 3, dtype)
    alpha = RasterWriter(width, height, 1, dtype) if has_alpha else None
    region = vips.loaded().Region.new(image)
    for top in range(0, height, BAND_ROWS):
        count = min(BAND_ROWS, height - top)
        rows = np.frombuffer(region.fetch(0, top, width, count), dtype).reshape(count, width, -1)
        colour.write(rows[..., :3])
        if alpha is not None:
            alpha.write(rows[..., 3:])
    return colour.finish(), None if alpha is None else alpha.finish()


def _space(profile: bytes) -> str | None:
    """The colour space of a profile, such as RGB, GRAY or CMYK; None for one that cannot be read."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except (ImageCms.PyCMSError, OSError):
        return None
