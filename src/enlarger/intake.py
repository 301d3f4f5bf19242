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
from enlarger.imaging.layout import eight_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ImageLike = (
        str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8] | NDArray[np.uint16] | Picture
    )
    """A path, an encoded file's bytes, a PIL image, RGB(A) or grey samples of 8 or 16 bits, (height,
    width[, c]), or a Picture that was decoded before."""


PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA")
"""Pillow's modes that a PNG holds as they are."""
TIFF_MODES = ("CMYK", "LAB")
"""Those that a TIFF holds, so that they are converted by their own profile."""
WHOLE_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N")
"""Grey as whole numbers, of 16 bits by custom."""
DEEPEST = 65_535


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
    if upright.mode == "F" or upright.mode in WHOLE_MODES:
        return _from_numbers(upright)
    if upright.mode not in (*PNG_MODES, *TIFF_MODES):
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # The one decoder knows palettes, depths and profiles; a detour of milliseconds keeps it the one.
    buffer = io.BytesIO()
    profile = image.info.get("icc_profile")
    if upright.mode in TIFF_MODES:
        upright.save(buffer, "TIFF", icc_profile=profile)
    else:
        upright.save(buffer, "PNG", compress_level=0, icc_profile=profile)
    return decode(buffer.getvalue())


def _from_numbers(image: Image.Image) -> Picture:
    """Grey: whole numbers are of 16 bits, others are 0 to 255, as Pillow has them.

    What would be black throughout, or be cut off, is refused: it has another white.
    """
    numbers = np.asarray(image)
    lowest, highest = float(numbers.min()), float(numbers.max())
    is_whole = image.mode != "F"
    peak = DEEPEST if is_whole else 255
    if not 0 <= lowest <= highest <= peak or (not is_whole and 0 < highest <= 1):
        raise BadParameter(
            f"an image of mode {image.mode} has values from 0 to {peak}, this one from {lowest:g} to"
            f" {highest:g}; give an array of uint8 or uint16",
            param="image",
        )
    return _from_array(numbers.astype(np.uint16) if is_whole else np.rint(numbers).astype(np.uint8))


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
    samples = eight_bits(samples)
    image = Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)
    if picture.icc_profile is not None:
        image.info["icc_profile"] = picture.icc_profile
    return image
