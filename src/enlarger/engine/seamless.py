"""Pictures whose borders fit one another: widened by what lies beyond them, enlarged, cut again."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import numpy as np

from enlarger.errors import BadParameter
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter, Samples
from enlarger.request import Seamless
from enlarger.target import Canvas, Size

MARGIN_PX = 48
"""Input pixels on each side: no stage looks further."""
STRIP_ROWS = 256


def margins(source: Size, canvas: Canvas, kind: Seamless) -> tuple[int, int]:
    """Input pixels to add at the left and at the top, and as many at the right and at the bottom.

    Multiples that make whole pixels of the result, so that a cut falls between two of them.

    Raises BadParameter if the target cuts or pads: then there are no borders left to fit.
    """
    if kind is Seamless.NONE:
        return 0, 0
    if canvas.scaled != canvas.result:
        raise BadParameter(
            f"seamless is {kind}; a target that cuts or pads has no such result", param="seamless"
        )
    return _margin(source.width, canvas.scaled.width), _margin(source.height, canvas.scaled.height)


def widened_canvas(source: Size, canvas: Canvas, margin: tuple[int, int]) -> Canvas:
    """The canvas of the widened picture; what is beyond the result is cut off evenly."""
    across, down = margin
    return Canvas(
        Size(
            canvas.scaled.width + 2 * round(across * canvas.scaled.width / source.width),
            canvas.scaled.height + 2 * round(down * canvas.scaled.height / source.height),
        ),
        canvas.result,
    )


def widened(picture: Picture, kind: Seamless, margin: tuple[int, int]) -> Picture:
    """The picture with what lies beyond its borders."""
    if kind is Seamless.NONE:
        return picture
    alpha = None if picture.alpha is None else _widened(picture.alpha, kind, margin)
    return replace(picture, colour=_widened(picture.colour, kind, margin), alpha=alpha)


def _margin(length: int, scaled: int) -> int:
    step = length // gcd(length, scaled)
    whole = -(-MARGIN_PX // step) * step
    # A factor that makes whole pixels only in multiples of a long side is rounded instead.
    return whole if whole <= 2 * MARGIN_PX else MARGIN_PX


def _widened(raster: Raster, kind: Seamless, margin: tuple[int, int]) -> Raster:
    across, down = margin
    width, height = raster.width, raster.height
    columns = np.arange(-across, width + across) % width
    writer = RasterWriter(width + 2 * across, height + 2 * down, raster.channels, raster.dtype)
    for start in range(-down, height + down, STRIP_ROWS):
        wanted = range(start, min(start + STRIP_ROWS, height + down))
        writer.write(np.concatenate([_row(raster, row, kind) for row in wanted])[:, columns])
    return writer.finish()


def _row(raster: Raster, row: int, kind: Seamless) -> Samples:
    height = raster.height
    if kind is Seamless.TEXTURE or 0 <= row < height:
        inner = row % height
        return raster.rows(inner, inner + 1)
    # Over a pole and down the other side, half way round.
    folded = row % (2 * height)
    inner, is_beyond = (folded, False) if folded < height else (2 * height - 1 - folded, True)
    line = raster.rows(inner, inner + 1)
    return np.roll(line, raster.width // 2, axis=1) if is_beyond else line
