"""Picture to bytes."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
from PIL import Image

from enlarger.errors import PictureTooLarge
from enlarger.imaging import png
from enlarger.imaging.formats import Format
from enlarger.imaging.picture import Picture, Pixels

QUALITY = 95
"""JPEG and WebP quality: above it files grow fast and nothing more is seen."""
STRIP_ROWS = 256
"""Rows joined, filtered and compressed at a time: 6 MB for an 8,000-pixel-wide RGB picture."""
SIDE_MAX = {Format.JPEG: 65_535, Format.WEBP: 16_383, Format.PNG: png.SIDE_MAX}
"""Pixels along one side that the format itself can hold."""
WHITE = 255


def check_size(format_: Format, width: int, height: int) -> None:
    """Raise PictureTooLarge if `format_` has no room for these pixels; nothing is encoded."""
    limit = SIDE_MAX[format_]
    if max(width, height) > limit:
        raise PictureTooLarge(
            f"the result has {width}x{height} pixels; {format_} holds at most {limit} a side",
            param="output_format",
        )


def encode(picture: Picture, file: BinaryIO, format_: Format) -> None:
    """Write `picture` to `file`. The colour profile is embedded; JPEG lays transparency on white.

    Raises PictureTooLarge before the first byte if the format cannot hold the size.
    """
    check_size(format_, picture.width, picture.height)
    match format_:
        case Format.PNG:
            _encode_png(picture, file)
        case Format.JPEG:
            pixels = picture.pixels if picture.alpha is None else _on_white(picture)
            # 4:4:4: halving the colour resolution smears the very edges that were just made.
            Image.fromarray(pixels).save(
                file, "JPEG", quality=QUALITY, subsampling="4:4:4", icc_profile=picture.icc_profile
            )
        case Format.WEBP:
            # method 0: a third of the default's time for 15 % more bytes.
            Image.fromarray(_interleaved(picture)).save(
                file, "WEBP", quality=QUALITY, method=0, icc_profile=picture.icc_profile
            )


def _encode_png(picture: Picture, file: BinaryIO) -> None:
    channels = 3 if picture.alpha is None else 4
    with png.PngWriter(file, picture.width, picture.height, channels, picture.icc_profile) as writer:
        for top in range(0, picture.height, STRIP_ROWS):
            writer.write(_interleaved(picture, slice(top, top + STRIP_ROWS)))


def _interleaved(picture: Picture, rows: slice = slice(None)) -> Pixels:
    if picture.alpha is None:
        return picture.pixels[rows]
    return np.dstack((picture.pixels[rows], picture.alpha[rows]))


def _on_white(picture: Picture) -> Pixels:
    """The picture laid on white, in strips, so that the wider numbers in between stay small."""
    assert picture.alpha is not None  # noqa: S101 (for the type checker)
    flat = np.empty_like(picture.pixels)
    for top in range(0, picture.height, STRIP_ROWS):
        rows = slice(top, top + STRIP_ROWS)
        opacity = picture.alpha[rows, :, np.newaxis].astype(np.uint16)
        mixed = picture.pixels[rows] * opacity + WHITE * (WHITE - opacity)
        flat[rows] = (mixed + WHITE // 2) // WHITE
    return flat
