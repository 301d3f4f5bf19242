"""Colours under transparent pixels, replaced by those of their surroundings.

What lies under full transparency is often garbage (black, a chroma key, an older picture). Nobody
sees it until a network or a filter that takes no notice of alpha mixes it into the visible edge.

Source: push-pull, Gortler et al., "The Lumigraph", 1996, section 3.3.2: averages weighted with
opacity, halved again and again, fill what has no weight from the level above.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter

CELL = 4
"""Pixels along a side of the finest cells that are kept for the whole picture: at 16 bytes each they
are one byte a pixel. Finer ones are made again for each band."""
BAND_ROWS = 256
"""Rows at a time; the result does not depend on it."""
SEEN = 8 / 255
"""Opacity from which a pixel keeps its colour unchanged; below, it moves towards its surroundings."""

Cells = NDArray[np.float32]
"""(rows, columns, 4): colour times weight, and weight, 0 to 1."""


def bleed(picture: Picture) -> Picture:
    """The picture with every hidden colour replaced by those of the nearest visible pixels.

    A pixel of an opacity of SEEN or more keeps its colour to the bit, and alpha stays as it is. The
    reach has no limit. Takes about 2 bytes a pixel while it runs. Returns the picture itself if it
    has no alpha, is opaque everywhere or transparent everywhere.
    """
    alpha = picture.alpha
    if alpha is None:
        return picture
    bands = [(top, min(top + BAND_ROWS, picture.height)) for top in range(0, picture.height, BAND_ROWS)]
    if all(int(alpha.rows(*band).min()) >= SEEN * alpha.peak for band in bands):
        return picture
    cells = np.concatenate([_halved(_halved(_weighted(picture, alpha, *band))) for band in bands])
    if not cells[..., 3].any():
        return picture
    colours = _filled(cells)
    writer = RasterWriter(picture.width, picture.height, 3, picture.colour.dtype)
    for top, bottom in bands:
        writer.write(_bled(picture, alpha, colours, top, bottom).astype(picture.colour.dtype))
    return replace(picture, colour=writer.finish())


def _weighted(picture: Picture, alpha: Raster, top: int, bottom: int) -> Cells:
    weight = alpha.rows(top, bottom).astype(np.float32) / alpha.peak
    return np.concatenate((picture.colour.rows(top, bottom) * weight, weight), axis=2)


def _halved(cells: Cells) -> Cells:
    """Cells of twice the side: sums, of which the weight counts up to 1, so that the nearest win."""
    height, width = cells.shape[:2]
    if height % 2 or width % 2:
        cells = np.pad(cells, ((0, height % 2), (0, width % 2), (0, 0)))
    sums = cells[::2, ::2] + cells[1::2, ::2] + cells[::2, 1::2] + cells[1::2, 1::2]
    sums /= np.maximum(sums[..., 3:], 1)
    return sums


def _filled(cells: Cells) -> NDArray[np.float32]:
    """Colours of all cells, those without weight from the coarser ones: (rows, columns, 3)."""
    if cells.shape[:2] == (1, 1):
        return _blended(cells, np.zeros((1, 1, 3), np.float32), 1.0)
    coarse = _filled(_halved(cells))
    return _blended(cells, _doubled(coarse, 0, *cells.shape[:2]))


def _blended(cells: Cells, behind: NDArray[np.float32], least: float = 0.0) -> NDArray[np.float32]:
    """Colours of cells over those behind them, by weight, which counts as at least `least`."""
    weight = cells[..., 3:]
    own = cells[..., :3] / np.where(weight > 0, weight, 1)
    kept = np.maximum(weight, least)
    found: NDArray[np.float32] = own * kept + behind * (1 - kept)
    return found


def _doubled(colours: NDArray[np.float32], top: int, height: int, width: int) -> NDArray[np.float32]:
    """Cells of half the side, linearly between the centres: rows from `top`, cut to height and width.

    `colours` starts with the row that contains `top`, one more above it if there is one; see `_bled`.
    """
    down = _between(colours, top, height)
    return _between(down.swapaxes(0, 1), 0, width).swapaxes(0, 1)


def _between(colours: NDArray[np.float32], start: int, count: int) -> NDArray[np.float32]:
    """Along the first axis: samples start .. start + count of twice as many."""
    at = np.arange(start, start + count)
    # The centre of fine sample i lies at i / 2 - 1 / 4 in coarse samples.
    left = (at - 1) // 2
    share = np.where(at % 2, np.float32(0.25), np.float32(0.75))[:, np.newaxis, np.newaxis]
    last = len(colours) - 1
    mixed: NDArray[np.float32] = (
        colours[np.clip(left, 0, last)] * (1 - share) + colours[np.clip(left + 1, 0, last)] * share
    )
    return mixed


def _bled(
    picture: Picture, alpha: Raster, colours: NDArray[np.float32], top: int, bottom: int
) -> NDArray[np.generic]:
    """Rows of the result; `colours` are those of cells of CELL pixels, for the whole picture."""
    width = picture.width
    # Cells of 2 pixels, with one row of them more above and below, which the pixels at the rim need.
    above, below = max(top - 2, 0), min(bottom + 2, picture.height)
    fine = _halved(_weighted(picture, alpha, above, below))
    first = max(above // CELL - 1, 0)
    behind = _doubled(
        colours[first : -(-below // CELL) + 1], above // 2 - 2 * first, fine.shape[0], fine.shape[1]
    )
    middle = _blended(fine, behind)
    surroundings = _doubled(middle, top - above, bottom - top, width)
    own = picture.colour.rows(top, bottom)
    kept = np.minimum(alpha.rows(top, bottom) / np.float32(SEEN * alpha.peak), 1)
    mixed = np.rint(own * kept + surroundings * (1 - kept))
    return np.where(kept == 1, own, np.clip(mixed, 0, alpha.peak))
