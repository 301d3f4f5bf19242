"""From the enlarged colours and opacity to the rows of a file: depth, grey, transparency, the box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from enlarger.engine.bands import BYTE, FLOAT, Band, Bands, Reader, Sliding, as_floats, like, strips
from enlarger.engine.plan import Plan
from enlarger.engine.receipt import Receipt
from enlarger.engine.synthesis import snapped
from enlarger.errors import OutOfMemory
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter, Samples
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


@contextmanager
def memory_told() -> Iterator[None]:
    """Memory that is not found, and not for a tile, which would be made smaller: with a remedy."""
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(
            "there is not enough memory for this picture; close other programs, or choose smaller tiles or"
            " another mode"
        ) from error


class Rendering:
    """A result that is made while its rows are taken. They can be taken once."""

    def __init__(
        self,
        picture: Picture,
        plan: Plan,
        rows: Iterator[Samples],
        close: Callable[[], Receipt],
        run_s: Callable[[], float],
    ) -> None:
        self.plan = plan
        """What is being done."""
        self.size = plan.canvas.result
        """Of the result."""
        self.source = picture
        """The input, for its colour profile and metadata; channels and bits are the result's too."""
        scaled = plan.canvas.scaled
        self.scale = scaled.width / plan.source.width, scaled.height / plan.source.height
        """Result pixels per input pixel, across and down."""
        self._rows = rows
        self._close = close
        self._run_s = run_s

    def rows(self) -> Iterator[Samples]:
        """Bands of rows, (n, width, channels), uint8 or uint16, top to bottom.

        Raises Collapsed, OutOfMemory, and whatever `on_tile` raises.
        """
        with memory_told():
            yield from self._rows

    @memory_told()
    def receipt(self) -> Receipt:
        """Of all rows; call it after the last."""
        return self._close()

    def run_s(self) -> float:
        """Seconds that the networks have taken until now."""
        return self._run_s()

    @memory_told()
    def collect(self) -> Picture:
        """All rows as a picture."""
        picture = self.source
        colours = RasterWriter(self.size.width, self.size.height, 3, picture.colour.dtype)
        opacity = None
        if picture.alpha is not None:
            opacity = RasterWriter(self.size.width, self.size.height, 1, picture.colour.dtype)
        for band in self._rows:
            own = band[..., :-1] if opacity is not None else band
            colours.write(np.repeat(own, 3, axis=2) if picture.is_grey else own)
            if opacity is not None:
                opacity.write(band[..., -1:])
        return Picture(
            colours.finish(),
            None if opacity is None else opacity.finish(),
            picture.icc_profile,
            picture.metadata,
            picture.is_grey,
        )


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
    # What a box cuts off at the bottom is made and measured all the same, and not kept.
    for source in sources:
        for start, stop in strips(size):
            if start >= result.height - top:
                source.read(start, stop)


def one_channel(bands: Bands) -> Bands:
    """Opacity out of three equal channels, as (n, width, 1) bands."""
    for band in bands:
        yield like(snapped(as_floats(band).mean(axis=2, keepdims=True)), band.dtype)


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
