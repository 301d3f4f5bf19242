"""Bytes to Picture."""

from __future__ import annotations

import io
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, ImageOps

from enlarger.errors import UnsupportedPicture
from enlarger.imaging.formats import guarded, opened
from enlarger.imaging.picture import Picture

WIDE_MODES = ("I;16", "I;16B", "I;16L", "I")
"""Pillow's modes for 16-bit grey; its own conversion to 8 bits clips instead of scaling."""


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
        upright = ImageOps.exif_transpose(image)
        profile = image.info.get("icc_profile") or None
        if upright.mode in WIDE_MODES:
            upright = Image.fromarray((np.asarray(upright, np.uint32) // 257).astype(np.uint8))
        alpha = None
        if upright.has_transparency_data:
            upright = upright.convert("RGBA")
            alpha = np.asarray(upright.getchannel("A"))
        if upright.mode in ("RGB", "RGBA", "P") or profile is None:
            upright = upright.convert("RGB")
        else:
            upright, profile = _to_srgb(upright, profile), None
        return Picture(np.asarray(upright), alpha, profile)


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
        return image.convert("RGB")
    if converted is None:
        raise UnsupportedPicture("the picture's colour profile gave no result", param="image")
    return converted
