"""Making a raster upright, in bands of rows, so that it need not fit in memory.

Not in the decoder: libvips would keep the whole picture somewhere to turn it, in a second copy.
"""

from __future__ import annotations

import numpy as np

from enlarger.imaging.raster import SPOOL_BYTES, Raster, RasterWriter, Samples

BAND_ROWS = 256
"""Rows read at a time."""


def turned(raster: Raster, orientation: int) -> Raster:
    """The raster as a viewer shows it that follows `orientation`, 1 to 8 (Exif 3.0, table 6)."""
    match orientation:
        case 1:
            return raster
        case 2 | 3 | 4:
            return _flipped(raster, orientation)
        case _:
            return _transposed(raster, orientation)


def _flipped(raster: Raster, orientation: int) -> Raster:
    writer = RasterWriter(raster.width, raster.height, raster.channels, raster.dtype)
    for top in range(0, raster.height, BAND_ROWS):
        bottom = min(top + BAND_ROWS, raster.height)
        if orientation == 2:
            writer.write(raster.rows(top, bottom)[:, ::-1])
            continue
        rows = raster.rows(raster.height - bottom, raster.height - top)[::-1]
        writer.write(rows[:, ::-1] if orientation == 3 else rows)
    return writer.finish()


def _transposed(raster: Raster, orientation: int) -> Raster:
    """Columns become rows: as many of them at a time as fit into what a raster may hold in memory."""
    writer = RasterWriter(raster.height, raster.width, raster.channels, raster.dtype)
    column_bytes = raster.height * raster.channels * raster.dtype.itemsize
    step = max(1, SPOOL_BYTES // column_bytes)
    for start in range(0, raster.width, step):
        stop = min(start + step, raster.width)
        # 5 is the plain transpose; 6 also mirrors across, 8 down, 7 both.
        left, right = (
            (raster.width - stop, raster.width - start) if orientation in (7, 8) else (start, stop)
        )
        columns = _columns(raster, left, right)
        if orientation in (7, 8):
            columns = columns[::-1]
        writer.write(columns[:, ::-1] if orientation in (6, 7) else columns)
    return writer.finish()


def _columns(raster: Raster, left: int, right: int) -> Samples:
    """Columns as rows: (right - left, height, channels)."""
    found = np.empty((right - left, raster.height, raster.channels), raster.dtype)
    for top in range(0, raster.height, BAND_ROWS):
        rows = raster.rows(top, min(top + BAND_ROWS, raster.height))
        found[:, top : top + len(rows)] = rows[:, left:right].swapaxes(0, 1)
    return found
