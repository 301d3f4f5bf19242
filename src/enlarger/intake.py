"""Whatever a Python program may call a picture, as the one Picture that the engine knows, and back."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from enlarger.errors import BadParameter
from enlarger.imaging import Picture, decode

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ImageLike = (
        str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8] | NDArray[np.uint16] | Picture
    )
    """A path, an encoded file's bytes, a PIL image, RGB(A) or grey samples of 8 or 16 bits, (height,
    width[, c]), or a Picture that was decoded before."""


PNG_MODES = ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA")
"""Pillow's modes that a PNG holds as they are."""


def as_picture(image: ImageLike) -> Picture:
    """Any kind of picture that the library takes, decoded.

    Raises BadParameter for an array that is no picture, UnsupportedPicture for a file that is none.
    """
    if isinstance(image, Picture):
        return image
    if isinstance(image, bytes):
        return decode(image)
    if isinstance(image, str | os.PathLike):
        with Path(image).open("rb") as file:
            return decode(file)
    if isinstance(image, np.ndarray):
        return _from_array(image)
    if not isinstance(image, Image.Image):
        kind = type(image).__name__
        raise BadParameter(
            f"a {kind} is no image; give a path, bytes, a PIL image or an array", param="image"
        )
    if 0 in image.size:
        raise BadParameter(f"the image has no pixels: {image.width}x{image.height}", param="image")
    upright = ImageOps.exif_transpose(image.convert("LA") if image.mode == "La" else image)
    if upright.mode not in PNG_MODES:
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # The one decoder knows palettes, depths and profiles; a detour of milliseconds keeps it the one.
    buffer = io.BytesIO()
    upright.save(buffer, "PNG", compress_level=0, icc_profile=image.info.get("icc_profile"))
    return decode(buffer.getvalue())


def _from_array(array: NDArray[np.uint8] | NDArray[np.uint16]) -> Picture:
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3, 4))
    if array.dtype not in (np.uint8, np.uint16) or not is_picture or 0 in array.shape:
        raise BadParameter(
            f"an array of {array.dtype} {array.shape} is no picture; it must be uint8 or uint16, (height,"
            " width), (height, width, 1), (height, width, 3) or (height, width, 4)",
            param="image",
        )
    samples = array[..., np.newaxis] if array.ndim == 2 else array
    is_grey = samples.shape[2] == 1
    colour = np.repeat(samples, 3, axis=2) if is_grey else samples[..., :3]
    picture = Picture.of(colour, samples[..., 3] if samples.shape[2] == 4 else None)
    return replace(picture, is_grey=is_grey)


def as_image(picture: Picture) -> Image.Image:
    """A picture as a PIL image: L, LA, RGB or RGBA of 8 bits, its colour profile in `info`."""
    samples = picture.colour.array()[..., : 1 if picture.is_grey else 3]
    if picture.alpha is not None:
        samples = np.dstack((samples, picture.alpha.array()))
    if picture.bits == 16:
        samples = ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    if picture.icc_profile is not None:
        image.info["icc_profile"] = picture.icc_profile
    return image
