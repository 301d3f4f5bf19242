"""Encoding by libvips as rows come: a thread of its own reads them from a pipe.

libvips pulls its pixels, and ours are pushed. Between the two runs an uncompressed PNG, a stream
that libvips reads row by row, so that nothing holds the picture.
"""

from __future__ import annotations

import fcntl
import os
import select
import threading
import zlib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from enlarger.imaging import vips
from enlarger.imaging.layout import Layout, Rows
from enlarger.imaging.png import FILTER_NONE, Chunks, as_bytes
from enlarger.imaging.raster import Samples

PIPE_BYTES = 1024 * 1024
"""Room in the pipe, so that the two sides seldom wait for each other; Linux gives 64 KiB unasked."""
LOOK_MS = 500
"""How often a writer that waits looks whether there still is a reader."""
Take = Callable[[bytes], object]
Fields = Sequence[tuple[str, str, object]]
"""Kind, such as `gint_type`, name and value."""


class VipsWriter:
    """Writes rows through one of libvips's savers. A context manager.

    Leaving the context without an error waits for the encoder; with one, the encoder is ended and what
    it has written is no whole file. Errors of the encoder, and those that `take` raises in its
    thread, are raised by `write` or on leaving.
    """

    def __init__(
        self, layout: Layout, take: Take, saver: str, *, fields: Fields = (), **options: object
    ) -> None:
        """
        layout   of 8 bits.
        take     gets the encoded bytes in order, in the encoder's thread.
        saver    such as `jpegsave_target`, with its options.
        fields   metadata in libvips's terms.
        """
        self._rows = Rows(layout)
        self._error: BaseException | None = None
        reading, writing = os.pipe()
        _enlarge(writing)
        os.set_blocking(writing, False)
        self._sink = _Sink(writing, self._is_read)
        self._thread = threading.Thread(
            target=self._encode, args=(reading, take, saver, fields, options), name="encoder", daemon=True
        )
        self._thread.start()
        self._deflate = zlib.compressobj(0)
        try:
            self._chunks = Chunks(self._sink, layout)
        except BaseException:
            self._end()
            raise

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels), uint8."""
        self._rows.take(rows)
        flat = as_bytes(rows)
        marked = np.empty((len(flat), flat.shape[1] + 1), np.uint8)
        marked[:, 0] = FILTER_NONE
        marked[:, 1:] = flat
        try:
            self._chunks.write(b"IDAT", self._deflate.compress(marked.data))
        except BrokenPipeError:
            self._end()
            raise self._reason() from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self._rows.finish()
                self._chunks.write(b"IDAT", self._deflate.flush())
                self._chunks.write(b"IEND", b"")
        except BrokenPipeError:
            pass  # the encoder's own error says why
        finally:
            self._end()
        if error is None and self._error is not None:
            raise self._reason()

    def _end(self) -> None:
        """Close our side, which ends the stream, and wait for the encoder."""
        self._sink.close()
        self._thread.join()

    def _is_read(self) -> bool:
        return self._thread.is_alive()

    def _reason(self) -> BaseException:
        error = self._error or OSError("the encoder ended before the picture did")
        return error if isinstance(error, (OSError, MemoryError)) else OSError(f"encoding failed: {error}")

    def _encode(
        self, reading: int, take: Take, saver: str, fields: Fields, options: dict[str, object]
    ) -> None:
        failed: list[BaseException] = []

        def pass_on(data: Any) -> int:
            try:
                take(bytes(data))
            except BaseException as error:
                failed.append(error)
                return -1
            return len(data)

        try:
            _run(reading, pass_on, saver, fields, options)
        except BaseException as error:
            # Without its traceback, whose frames would keep the pipe's end open.
            self._error = (failed[0] if failed else error).with_traceback(None)


def _run(
    reading: int, pass_on: Callable[[Any], int], saver: str, fields: Fields, options: dict[str, object]
) -> None:
    pyvips = vips.loaded()
    try:
        source = pyvips.Source.new_from_descriptor(reading)
    finally:
        os.close(reading)  # the source has a descriptor of its own
    target = pyvips.TargetCustom()
    target.on_write(pass_on)
    image = pyvips.Image.pngload_source(source, access="sequential", fail_on="error", unlimited=True)
    image = image.copy()
    for kind, name, value in fields:
        image.set_type(getattr(pyvips.GValue, kind), name, value)
    getattr(image, saver)(target, **options)


def _enlarge(descriptor: int) -> None:
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except (OSError, AttributeError):
        return  # only slower: the system allows this user less, or has no such call


class _Sink:
    """The writing end of the pipe. Raises BrokenPipeError as soon as nobody reads any longer."""

    def __init__(self, descriptor: int, is_read: Callable[[], bool]) -> None:
        self._descriptor: int | None = descriptor
        self._is_read = is_read
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def write(self, data: bytes | memoryview, /) -> None:
        if self._descriptor is None:
            raise BrokenPipeError
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:
                # Alone, the end of the pipe would not do: libvips may hold on to its descriptor.
                if not self._poll.poll(LOOK_MS) and not self._is_read():
                    raise BrokenPipeError from None

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
