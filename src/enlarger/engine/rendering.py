"""From the enlarged colours and opacity to the rows of a file: depth, grey, transparency, the box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from enlarger.engine.bands import BYTE, FLOAT, Band, Bands, Reader, Sliding, as_floats, like, strips
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, Samples
from enlarger.target import Canvas, Size


def working_type(picture: Picture) -> np.dtype:
    """What bands of this picture are made of: bytes for 8 bits, float32 for 16."""
    return BYTE if picture.bits == 8 else FLOAT


class Colours:
    """The colours of a picture as a Reader of bands."""

    def __init__(self, raster: Raster) -> None:
        self.size = Size(raster.width, raster.height)
        self._raster = raster

    def read(self, start: int, stop: int) -> Band:
        return _band(self._raster.rows(start, stop))


class Opacity:
    """The opacity of a picture as a Reader of grey pictures, so that a network can enlarge it."""

    def __init__(self, raster: Raster) -> None:
        self.size = Size(raster.width, raster.height)
        self._raster = raster

    def read(self, start: int, stop: int) -> Band:
        return np.repeat(_band(self._raster.rows(start, stop)), 3, axis=2)


def rows_of(colours: Bands, opacity: Bands | None, canvas: Canvas, picture: Picture) -> Bands:
    """The result's rows, (n, width, picture.channels), in the working type.

    Where the canvas is larger than the scaled picture the rest is transparent, or white where the
    picture has no transparency.
    """
    size = canvas.scaled
    sources: list[Reader] = [Sliding(colours, size)]
    if opacity is not None:
        sources.append(Sliding(opacity, size))
    left, top = canvas.offset
    result = canvas.result
    fill = 1.0 if opacity is None else 0.0
    for start, stop in strips(result):
        first, last = max(start - top, 0), min(stop - top, size.height)
        if first >= last:
            kind = working_type(picture)
            yield _filled(stop - start, result.width, picture.channels, kind, fill)
            continue
        parts = [source.read(first, last) for source in sources]
        band = parts[0].mean(axis=2, keepdims=True) if picture.is_grey else parts[0]
        if band.dtype != parts[0].dtype:
            band = np.rint(band).astype(BYTE) if parts[0].dtype == BYTE else band.astype(FLOAT)
        if opacity is not None:
            band = np.concatenate((band, parts[1]), axis=2)
        if (first + top, last + top, left, size.width) == (start, stop, 0, result.width):
            yield band
            continue
        whole = _filled(stop - start, result.width, picture.channels, band.dtype, fill)
        across = slice(max(0, left), max(0, left) + min(size.width, result.width))
        inner = band[:, max(0, -left) : max(0, -left) + result.width]
        whole[first + top - start : last + top - start, across] = inner
        yield whole


def one_channel(bands: Bands) -> Bands:
    """The mean of three equal channels, as an (n, width, 1) band."""
    for band in bands:
        yield like(as_floats(band).mean(axis=2, keepdims=True), band.dtype)


def samples(bands: Bands, bits: int) -> Iterator[Samples]:
    """Bands as samples of a file: 8 or 16 bits."""
    for band in bands:
        yield _samples(band, bits)


def _samples(band: Band, bits: int) -> Samples:
    if bits == 8:
        return like(band, BYTE)
    steps: Samples = np.rint(np.clip(as_floats(band), 0, 1) * np.float32(65_535)).astype(np.uint16)
    return steps


def _band(rows: Samples) -> Band:
    return rows if rows.dtype == BYTE else rows * np.float32(1 / 65_535)


def _filled(height: int, width: int, channels: int, kind: np.dtype, value: float) -> Band:
    return np.full((height, width, channels), value * (255 if kind == BYTE else 1), kind)
