"""Picture to bytes: one way in for every format, rows as they come."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, cast

import numpy as np

from enlarger.errors import PictureTooLarge
from enlarger.imaging import jpeg, png, tiff, webp, whole
from enlarger.imaging.formats import Format
from enlarger.imaging.layout import Layout, Writer
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Samples

BAND_ROWS = 256
"""Rows joined and encoded at a time: 6 MB for an 8,000-pixel-wide RGB picture."""
SIDE_MAX = {
    Format.PNG: png.SIDE_MAX,
    Format.JPEG: 65_535,
    Format.WEBP: 16_383,
    Format.TIFF: tiff.SIDE_MAX,
    Format.GIF: 65_535,
    Format.AVIF: 65_536,
    Format.HEIC: 16_384,
    Format.JXL: 2**30,
}
"""Pixels along one side that the format itself, or its common encoder, can hold."""
QUALITY = {
    Format.JPEG: jpeg.QUALITY,
    Format.WEBP: webp.QUALITY,
    Format.AVIF: whole.QUALITY,
    Format.HEIC: whole.QUALITY,
    Format.JXL: whole.QUALITY,
}
"""Of the formats that have one, where none is asked for."""
Opener = Callable[[BinaryIO, Layout, int | None], AbstractContextManager[Writer]]
WRITERS: dict[Format, Opener] = {
    Format.PNG: lambda file, layout, _: png.PngWriter(file, layout),
    Format.TIFF: lambda file, layout, _: tiff.TiffWriter(file, layout),
    Format.JPEG: jpeg.JpegWriter,
    Format.WEBP: webp.WebpWriter,
}
"""The formats that are written as rows come; the others are written whole, by Pillow."""


def check_size(format_: Format, width: int, height: int) -> None:
    """Raise PictureTooLarge if `format_` has no room for these pixels; nothing is encoded."""
    limit = SIDE_MAX[format_]
    if max(width, height) > limit:
        raise PictureTooLarge(
            f"the result has {width}x{height} pixels; {format_} holds at most {limit} a side",
            param="output_format",
        )


def quality_for(format_: Format, quality: int | None) -> int | None:
    """What `quality` comes to: 1 to 100, the format's own measure for None; None where it has none."""
    return QUALITY.get(format_) if quality is None or format_ not in QUALITY else quality


def open_writer(
    file: BinaryIO, format_: Format, layout: Layout, quality: int | None = None
) -> AbstractContextManager[Writer]:
    """A context that takes rows, top to bottom, and leaves a whole file when it ends without an error.

    file     open for writing; a TIFF's can seek as well.
    quality  1 to 100 of JPEG, WebP and the like, 95 if None; PNG, TIFF and GIF have none.

    JPEG lays transparency on white. PNG, TIFF and JPEG take the memory of a few rows, whatever the
    size; WebP holds the whole picture, and so do the formats that Pillow writes.

    Raises PictureTooLarge before the first byte if the format cannot hold the size, and
    ValueError for a quality that there is not.
    """
    if quality is not None and not 1 <= quality <= 100:
        raise ValueError(f"quality {quality} is not between 1 and 100")
    check_size(format_, layout.width, layout.height)
    opener = WRITERS.get(format_)
    if opener is None:
        return whole.WholeWriter(file, format_, layout, quality)
    return opener(file, layout, quality)


def encode(picture: Picture, file: BinaryIO, format_: Format, quality: int | None = None) -> None:
    """Write `picture` to `file`, a grey one with one channel; see `open_writer`."""
    with open_writer(file, format_, layout_of(picture), quality) as writer:
        for top in range(0, picture.height, BAND_ROWS):
            writer.write(joined(picture, top, min(top + BAND_ROWS, picture.height)))


def layout_of(picture: Picture) -> Layout:
    """What a file of this picture holds."""
    return Layout(
        width=picture.width,
        height=picture.height,
        channels=picture.channels,
        bits=picture.bits,
        icc_profile=picture.icc_profile,
        metadata=picture.metadata,
    )


def joined(picture: Picture, top: int, bottom: int) -> Samples:
    """Rows of a picture with the channels of `layout_of`."""
    colour = picture.colour.rows(top, bottom)
    if picture.is_grey:
        colour = colour[..., :1]
    if picture.alpha is None:
        return colour
    rows: Any = np.concatenate((colour, picture.alpha.rows(top, bottom)), axis=2)
    return cast(Samples, rows)
