"""Samples by rows: in memory while they are few, in an unnamed temporary file beyond that.

So the memory of a run does not grow with the picture. Not a memory map: mapped pages count as the
process's own until the system takes them back, and then nobody can say what a run takes.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[Any]
"""Samples as files have them: 8 bits, 0 to 255, or 16 bits, 0 to 65535."""

SPOOL_BYTES = 48 * 1024 * 1024
"""More than this goes to a file: 16 megapixels of 8-bit RGB stay in memory."""


class _Spool:
    """An unnamed temporary file that lives as long as this object, and ends without a word.

    Unnamed: nothing is left behind, however the process ends.
    """

    def __init__(self) -> None:
        with tempfile.TemporaryFile(prefix="enlarger-", buffering=0) as file:
            self._descriptor = os.dup(file.fileno())

    def append(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]

    def read_into(self, view: memoryview, offset: int) -> None:
        while view:
            count = os.preadv(self._descriptor, [view], offset)
            if count == 0:
                raise OSError("the temporary file of a picture has been cut short")
            view, offset = view[count:], offset + count

    def __del__(self) -> None:
        os.close(self._descriptor)


class Raster:
    """A rectangle of samples that gives any of its rows at any time. Immutable.

    Made whole with `Raster.of`, or row by row with a `RasterWriter`.
    """

    def __init__(self, shape: tuple[int, int, int], rows: Samples | _Spool, dtype: np.dtype) -> None:
        """Use `of` or `RasterWriter.finish`."""
        self.height, self.width, self.channels = shape
        self.dtype = dtype
        self._rows = rows

    @classmethod
    def of(cls, samples: Samples) -> Self:
        """A raster of an array that is (height, width) or (height, width, channels); not copied."""
        whole = samples[..., np.newaxis] if samples.ndim == 2 else samples
        height, width, channels = whole.shape
        return cls((height, width, channels), whole, whole.dtype)

    @property
    def bits(self) -> int:
        """8 or 16, for each sample."""
        return 8 * self.dtype.itemsize

    @property
    def peak(self) -> int:
        """The largest sample: 255 or 65535."""
        return int(np.iinfo(self.dtype).max)

    def rows(self, start: int, stop: int) -> Samples:
        """Rows start..stop, (stop - start, width, channels); not to be written to.

        Raises ValueError for rows that are not there.
        """
        if not 0 <= start <= stop <= self.height:
            raise ValueError(f"rows {start} to {stop} of {self.height}")
        if isinstance(self._rows, np.ndarray):
            return self._rows[start:stop]
        stride = self.width * self.channels * self.dtype.itemsize
        found = np.empty((stop - start, self.width, self.channels), self.dtype)
        self._rows.read_into(found.reshape(-1).view(np.uint8).data, start * stride)
        return found

    def array(self) -> Samples:
        """All of it, (height, width, channels)."""
        return self.rows(0, self.height)


class RasterWriter:
    """Takes the rows of one raster, top to bottom."""

    def __init__(self, width: int, height: int, channels: int, dtype: np.dtype | type) -> None:
        self._shape = (height, width, channels)
        self._dtype = np.dtype(dtype)
        self._written = 0
        size = height * width * channels * self._dtype.itemsize
        self._array = np.empty(self._shape, self._dtype) if size <= SPOOL_BYTES else None
        self._spool = None if self._array is not None else _Spool()

    def write(self, rows: Samples) -> None:
        """The next rows, (n, width, channels), of this raster's type."""
        count = rows.shape[0]
        if rows.shape[1:] != self._shape[1:] or rows.dtype != self._dtype:
            raise ValueError(f"rows of {rows.shape} {rows.dtype} for {self._shape} {self._dtype}")
        if self._written + count > self._shape[0]:
            raise ValueError(f"more than {self._shape[0]} rows")
        if self._array is not None:
            self._array[self._written : self._written + count] = rows
        elif self._spool is not None:
            self._spool.append(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)
        self._written += count

    def finish(self) -> Raster:
        """The raster. Raises ValueError if rows are missing."""
        if self._written != self._shape[0]:
            raise ValueError(f"{self._written} of {self._shape[0]} rows were written")
        if self._array is not None:
            return Raster(self._shape, self._array, self._dtype)
        assert self._spool is not None  # noqa: S101 (for the type checker)
        return Raster(self._shape, self._spool, self._dtype)
