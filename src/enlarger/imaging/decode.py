"""Bytes to Picture."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms

from enlarger.imaging.formats import TURNS, guarded, opened, orientation_of
from enlarger.imaging.picture import Picture, Plane

WIDE_MODES = ("I;16", "I;16B", "I;16L", "I")
"""Pillow's modes for 16-bit grey; its own conversion to 8 bits clips instead of scaling."""
RGB_MODES = ("RGB", "RGBA", "P", "PA")
"""Modes whose colours are RGB, so that an RGB profile fits them as they are."""
OPAQUE = 255


def decode(source: bytes | BinaryIO, *, max_pixels: int | None = None) -> Picture:
    """Decode a PNG, JPEG or WebP, told by its content, upright, to 8-bit RGB with optional alpha.

    An RGB file keeps its colour profile with its values. A file in another colour space (grey,
    CMYK) with a profile is converted to sRGB, because its profile would not fit RGB values.

    Raises UnsupportedPicture for damaged, animated or other files and PictureTooLarge for more than
    `max_pixels`, the latter before anything is decoded.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    with opened(file, max_pixels=max_pixels) as (header, image), guarded(header.format):
        image.load()
        turn = TURNS.get(orientation_of(image))
        upright = image if turn is None else image.transpose(turn)
        profile = image.info.get("icc_profile") or None
        colours, alpha = _split(upright, image.info.get("transparency"))
        if colours.mode in RGB_MODES:
            profile = profile if profile is not None and _space(profile) == "RGB" else None
        elif profile is not None:
            colours, profile = _to_srgb(colours, profile), None
        return Picture(np.asarray(colours.convert("RGB")), alpha, profile)


def _split(image: Image.Image, transparency: object) -> tuple[Image.Image, Plane | None]:
    """The colours, in their own space and at most 8 bits, and the opacity if there is any."""
    if image.mode in WIDE_MODES:
        values = np.asarray(image, np.uint32)
        grey = Image.fromarray(np.rint(values / 257).astype(np.uint8))
        if not isinstance(transparency, int):
            return grey, None
        return grey, np.where(values == transparency, 0, OPAQUE).astype(np.uint8)
    if not image.has_transparency_data:
        return image, None
    rgba = image.convert("RGBA")
    alpha = np.asarray(rgba.getchannel("A"))
    return (rgba if image.mode in RGB_MODES else image.convert("L")), alpha


def _space(profile: bytes) -> str | None:
    """The colour space of a profile, such as RGB, GRAY or CMYK; None for one that cannot be read."""
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()
    except (ImageCms.PyCMSError, OSError):
        return None


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError):
        # A profile that the colour engine refuses must not cost the caller the picture.
        return image
    return converted or image
