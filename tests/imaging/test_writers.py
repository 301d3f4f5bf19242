"""Writers that encode as rows come: their errors come through, and nothing of them stays behind."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from enlarger.errors import PictureTooLarge
from enlarger.imaging import Format, Layout, Picture, decode, encode, open_writer
from enlarger.imaging.webp import SURE_PIXELS
from tests.support.photos import flat, photo

THREADED = (Format.JPEG, Format.WEBP)
STREAMED = (Format.PNG, Format.JPEG, Format.TIFF)
ROWS = np.random.default_rng(1).integers(0, 256, (64, 3000, 3), np.uint8)


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def _nothing_stays_behind() -> Iterator[None]:
    encode(Picture.of(ROWS), io.BytesIO(), Format.JPEG)  # libvips starts threads of its own, once
    time.sleep(0.05)  # and lets go of what it read a moment later
    before, threads = descriptors(), threading.active_count()
    yield
    deadline = time.monotonic() + 5
    while descriptors() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert descriptors() <= before
    assert threading.active_count() == threads


class Full(io.BytesIO):
    """A file on a disk that has room for so many bytes."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self._room = room

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._room -= len(data)
        if self._room < 0:
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("room", [0, 100, 60_000])
@pytest.mark.parametrize("format_", [*STREAMED, Format.WEBP])
def test_a_full_disk_is_the_error_that_the_caller_sees(format_: Format, room: int) -> None:
    picture = Picture.of(np.tile(ROWS, (10, 1, 1)))
    with pytest.raises(OSError, match="No space left"):
        encode(picture, Full(room), format_)


@pytest.mark.parametrize("format_", [*STREAMED, Format.WEBP])
def test_giving_up_ends_the_encoder(format_: Format) -> None:
    layout = Layout(width=3000, height=6400, channels=3)
    writing = open_writer(io.BytesIO(), format_, layout)
    writer = writing.__enter__()
    writer.write(ROWS)
    assert not writing.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)


@pytest.mark.parametrize("format_", [*STREAMED, Format.WEBP])
def test_missing_rows_are_an_error(format_: Format) -> None:
    layout = Layout(width=3000, height=65, channels=3)
    with (
        pytest.raises(ValueError, match="1 rows were never written"),
        open_writer(io.BytesIO(), format_, layout) as writer,
    ):
        writer.write(ROWS)


@pytest.mark.parametrize("format_", [*STREAMED, Format.WEBP])
def test_rows_of_another_kind_are_refused(format_: Format) -> None:
    layout = Layout(width=3000, height=64, channels=3)
    for wrong in (ROWS[:, :-1], ROWS[..., :2], ROWS.astype(np.uint16)):
        with (
            pytest.raises(ValueError, match="is more or other than what is left"),
            open_writer(io.BytesIO(), format_, layout) as writer,
        ):
            writer.write(wrong)


@pytest.mark.parametrize("format_", [*STREAMED, Format.WEBP])
def test_rows_may_come_in_any_portions_and_arrays_be_used_again(format_: Format) -> None:
    layout = Layout(width=3000, height=64, channels=3)
    whole, parts = io.BytesIO(), io.BytesIO()
    encode(Picture.of(ROWS), whole, format_)
    with open_writer(parts, format_, layout) as writer:
        for start, stop in ((0, 1), (1, 1), (1, 30), (30, 64)):
            rows = ROWS[start:stop].copy()
            writer.write(rows)
            rows[...] = 0
    np.testing.assert_array_equal(
        flat(decode(parts.getvalue()).colour), flat(decode(whole.getvalue()).colour)
    )


@pytest.mark.parametrize("format_", THREADED)
def test_quality_counts_and_nonsense_is_refused(format_: Format) -> None:
    sizes = []
    for quality in (20, 60, None, 100):
        file = io.BytesIO()
        encode(Picture.of(photo("coffee")), file, format_, quality)
        sizes.append(file.tell())
    assert sizes == sorted(set(sizes))
    for quality in (0, 101):
        with pytest.raises(ValueError, match="not between 1 and 100"):
            encode(Picture.of(ROWS), io.BytesIO(), format_, quality)


def test_a_webp_that_lossy_has_no_room_for_is_written_without_loss() -> None:
    side = 5600
    assert side * side > SURE_PIXELS
    file = io.BytesIO()
    noise = np.random.default_rng(2).integers(0, 256, (560, side, 3), np.uint8)
    with open_writer(file, Format.WEBP, Layout(width=side, height=side, channels=3)) as writer:
        for _ in range(10):
            writer.write(noise)
    assert b"VP8L" in file.getvalue()[:64]
    np.testing.assert_array_equal(decode(file.getvalue()).colour.rows(0, 560), noise)


def test_a_tiff_of_more_than_four_gibibytes_is_a_bigtiff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.imaging.tiff.CLASSIC_MAX", 1000)
    file = io.BytesIO()
    encode(Picture.of(photo("coffee")), file, Format.TIFF)
    assert file.getvalue()[:4] == b"II+\0"
    np.testing.assert_array_equal(flat(decode(file.getvalue()).colour), photo("coffee"))


def test_sizes_beyond_a_format_are_refused_before_the_first_byte() -> None:
    for format_, side in ((Format.JPEG, 65_536), (Format.WEBP, 16_384), (Format.PNG, 2**31)):
        file = io.BytesIO()
        with pytest.raises(PictureTooLarge, match="holds at most"):
            open_writer(file, format_, Layout(width=1, height=side, channels=3))
        assert file.getvalue() == b""
