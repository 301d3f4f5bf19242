"""Pictures as they flow through the engine: bands of whole rows, top to bottom, made when asked for.

A stage is a generator that reads bands and yields bands. So no stage ever holds a whole picture,
and what a run takes does not grow with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from enlarger.target import Size

Band = NDArray[Any]
"""Consecutive rows, (n, width, channels): uint8, or float32 nominally 0..1."""
Bands = Iterator[Band]
STRIP_BYTES = 8 * 1024 * 1024
"""About so much of a picture is worked on at a time by stages that may choose."""
VIEWED_MAX = 64 * 1024 * 1024
"""Of a larger band strips are copied: at 16 megapixels of input that takes 61 MiB off the peak, of 344
without the runtime's own. Of smaller ones copies would take more than they spare."""
BYTE_MAX = np.float32(255)
BYTE = np.dtype(np.uint8)
FLOAT = np.dtype(np.float32)


class Reader(Protocol):
    """Rows by number."""

    @property
    def size(self) -> Size:
        """Of the picture that is read."""
        ...

    def read(self, start: int, stop: int) -> Band:
        """Rows start..stop; not to be written to."""
        ...


class Sliding:
    """A Reader over bands that are made only once: reads must never go back.

    Keeps the rows from the start of the last read on, and nothing before them.
    """

    def __init__(self, bands: Iterable[Band], size: Size) -> None:
        """
        size  of the whole picture that `bands` add up to.
        """
        self.size = size
        self._bands = iter(bands)
        self._kept: deque[Band] = deque()
        self._first = 0
        self._end = 0

    def read(self, start: int, stop: int) -> Band:
        if start < self._first:
            raise ValueError(f"row {start} was asked for, {self._first} is the first that is kept")
        while self._kept and self._first + len(self._kept[0]) <= start:
            self._first += len(self._kept.popleft())
        if self._end < stop and start > self._first and self._is_large:
            # What is left of a band would keep all of it alive while the next one is made.
            self._kept[0] = self._kept[0][start - self._first :].copy()
            self._first = start
        while self._end < stop:
            band = next(self._bands)
            self._end += len(band)
            if self._end <= start:
                self._first = self._end
            else:
                self._kept.append(band)
        pieces = []
        top = self._first
        for band in self._kept:
            if top >= stop:
                break
            pieces.append(band[max(0, start - top) : stop - top])
            top += len(band)
        if len(pieces) > 1:
            return np.concatenate(pieces)
        # A view would keep all of its band alive, for as long as anybody has the strip.
        return pieces[0].copy() if self._is_large and 2 * len(pieces[0]) < len(self._kept[0]) else pieces[0]

    @property
    def _is_large(self) -> bool:
        """Whether the first of the bands that are kept is not to be alive for longer than it must."""
        return bool(self._kept) and self._kept[0].nbytes > VIEWED_MAX


def strips(size: Size, *, least: int = 16) -> list[tuple[int, int]]:
    """Starts and stops of equal strips of about STRIP_BYTES of float32, and of at least `least` rows."""
    rows = max(least, STRIP_BYTES // (size.width * 3 * 4))
    return [(start, min(start + rows, size.height)) for start in range(0, size.height, rows)]


def forked(bands: Bands, count: int) -> tuple[Bands, ...]:
    """The same bands `count` times, each at its own pace: a band is kept until the last has had it.

    Not `itertools.tee`, which lets go of what all have had only when that is 57 bands.
    """
    waiting: list[deque[Band]] = [deque() for _ in range(count)]

    def one(mine: deque[Band]) -> Bands:
        while True:
            if not mine:
                band = next(bands, None)
                if band is None:
                    return
                for other in waiting:
                    other.append(band)
                del band
            yield mine.popleft()

    return tuple(one(mine) for mine in waiting)


def read_all(source: Reader) -> Bands:
    """Everything, in strips."""
    for start, stop in strips(source.size):
        yield source.read(start, stop)


def together(combine: Callable[..., Band], *sources: Reader) -> Bands:
    """`combine` of the same rows of pictures of one size."""
    for start, stop in strips(sources[0].size):
        yield combine(*(source.read(start, stop) for source in sources))


def as_floats(band: Band) -> NDArray[np.float32]:
    """0..1, whatever the band holds."""
    if band.dtype == np.float32:
        return band
    return band * (np.float32(1) / BYTE_MAX)


def as_bytes(band: Band) -> NDArray[np.uint8]:
    """0..255, clipped and rounded."""
    if band.dtype == np.uint8:
        return band
    return np.rint(np.clip(band, 0, 1) * BYTE_MAX).astype(np.uint8)


def like(band: Band, dtype: np.dtype) -> Band:
    """The band as uint8 or float32."""
    return as_bytes(band) if dtype == np.uint8 else as_floats(band)
