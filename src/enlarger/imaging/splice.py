"""Bytes of our own put into what an encoder writes, near its start."""

from __future__ import annotations

from collections.abc import Callable

from enlarger.imaging.png import Sink

Cut = Callable[[bytes], tuple[int, int] | None]
"""Of a file's first bytes: where ours go, and where what they replace ends; None while they are too few."""


class Spliced:
    """Takes an encoder's bytes and passes them on with `ours` among them."""

    def __init__(self, file: Sink, ours: bytes, cut: Cut) -> None:
        self._file = file
        self._ours = ours
        self._cut = cut
        self._start: bytes | None = b""

    def write(self, data: bytes | memoryview, /) -> None:
        if self._start is None:
            self._file.write(data)
            return
        self._start += data
        place = self._cut(self._start)
        if place is not None:
            self._file.write(self._start[: place[0]] + self._ours + self._start[place[1] :])
            self._start = None
