"""Files cut anywhere or with bytes changed: refused in words, quickly, or read as they were."""

from __future__ import annotations

import io
import time
from functools import cache

import numpy as np
import pytest
from PIL import Image

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import Format, decode, probe
from enlarger.imaging.tiff import TiffWriter
from tests.support.files import phone_jpeg, tiff
from tests.support.photos import crop, encoded, flat

SLOW_S = 2.0
PIXELS = crop("coffee", 90, 70)


def _saved(format_: str, **options: object) -> bytes:
    return encoded(PIXELS, format_, **options)


@cache
def corpus() -> dict[str, bytes]:
    return {
        "png": _saved("PNG"),
        "interlaced.png": _interlaced(),
        "palette.png": _palette(),
        "jpg": _saved("JPEG", quality=90),
        "progressive.jpg": _saved("JPEG", quality=90, progressive=True),
        "phone.jpg": phone_jpeg(),
        "webp": _saved("WEBP", quality=90),
        "lossless.webp": _saved("WEBP", lossless=True, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
        "gif": _saved("GIF"),
        "tiff": tiff(PIXELS, photometric="rgb"),
        "deflate.tiff": tiff(PIXELS, photometric="rgb", compression="zlib", rowsperstrip=16),
        "tiles.tiff": tiff(PIXELS, photometric="rgb", tile=(32, 32)),
        "lzw.tiff": _saved("TIFF", compression="tiff_lzw"),
        "lab.tiff": tiff(PIXELS, photometric="cielab"),
    }


def _interlaced() -> bytes:
    import pyvips

    data: bytes = pyvips.Image.new_from_array(PIXELS).pngsave_buffer(interlace=True)
    return data


def _palette() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).quantize(8).save(buffer, "PNG", transparency=0)
    return buffer.getvalue()


@pytest.mark.parametrize("name", corpus())
def test_every_truncation_is_refused_or_loses_nothing(name: str) -> None:
    data = corpus()[name]
    whole = flat(decode(data).colour)
    refused = 0
    cuts = sorted({*range(0, min(len(data), 200), 3), *range(200, len(data), max(1, len(data) // 150))})
    for cut in (*cuts, len(data) - 1):
        started = time.perf_counter()
        try:
            found = flat(decode(data[:cut]).colour)
        except UnsupportedPicture:
            refused += 1
        else:
            np.testing.assert_array_equal(found, whole)
            assert cut > 0.9 * len(data), cut
        assert time.perf_counter() - started < SLOW_S
    assert refused >= len(cuts) * 0.9


@pytest.mark.parametrize("name", corpus())
def test_changed_bytes_are_one_kind_of_error_or_a_picture(name: str) -> None:
    data = corpus()[name]
    rng = np.random.default_rng(len(data))
    for _ in range(150):
        broken = bytearray(data)
        # Most of the changes where the structure is.
        limit = 400 if rng.random() < 0.7 else len(data)
        for place in rng.integers(0, min(limit, len(data)), rng.integers(1, 5)):
            broken[place] = rng.integers(0, 256)
        started = time.perf_counter()
        try:
            picture = decode(bytes(broken), max_pixels=1_000_000)
        except (UnsupportedPicture, PictureTooLarge):
            pass
        else:
            assert picture.width * picture.height <= 1_000_000
        assert time.perf_counter() - started < SLOW_S


@pytest.mark.parametrize(("kind", "limit"), [(Format.PNG, 16), (Format.TIFF, 0)], ids=["png", "tiff"])
def test_a_header_that_lies_about_its_size_is_refused_before_decoding(kind: Format, limit: int) -> None:
    if kind is Format.PNG:
        data = bytearray(corpus()["png"])
        data[limit : limit + 8] = (60_000).to_bytes(4) + (60_000).to_bytes(4)
    else:
        data = bytearray(tiff(PIXELS, photometric="rgb"))
        first = int.from_bytes(data[4:8], "little")
        for entry in range(first + 2, first + 2 + 12 * 4, 12):
            if int.from_bytes(data[entry : entry + 2], "little") in (256, 257):
                data[entry + 2 : entry + 12] = b"\x04\0\x01\0\0\0" + (60_000).to_bytes(4, "little")
    for look in (probe, decode):
        with pytest.raises((PictureTooLarge, UnsupportedPicture)):
            look(bytes(data), max_pixels=50_000_000)
    with pytest.raises(UnsupportedPicture):
        decode(bytes(data[:2000]))


def test_a_writer_that_is_left_with_an_error_leaves_no_readable_tiff() -> None:
    from enlarger.imaging import Layout

    file = io.BytesIO()
    writer = TiffWriter(file, Layout(width=90, height=70, channels=3))
    writer.write(PIXELS)
    writer.__exit__(OSError, OSError(), None)
    with pytest.raises(UnsupportedPicture):
        decode(file.getvalue())
