"""Our PNG writer against an independent reader."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from enlarger.imaging import Layout, decode
from enlarger.imaging.png import PngWriter
from tests.support.photos import flat


def layout(rows: np.ndarray, **more: Any) -> Layout:
    height, width, channels = rows.shape
    return Layout(width=width, height=height, channels=channels, bits=8 * rows.itemsize, **more)


def written(rows: np.ndarray, cuts: list[int], **more: Any) -> bytes:
    file = io.BytesIO()
    with PngWriter(file, layout(rows, **more)) as png:
        for strip in np.split(rows, cuts):
            if len(strip):
                png.write(strip)
    return file.getvalue()


@settings(max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 4),
    st.sampled_from([np.uint8, np.uint16]),
    st.lists(st.integers(0, 40), max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_any_pixels_in_any_strips_read_back_exactly(
    width: int, height: int, channels: int, dtype: type, cuts: list[int], seed: int
) -> None:
    peak = np.iinfo(dtype).max
    pixels = np.random.default_rng(seed).integers(0, peak, (height, width, channels), dtype, endpoint=True)
    data = written(pixels, sorted(min(cut, height) for cut in cuts))
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    picture = decode(data)
    expected = pixels if channels > 2 else np.dstack((*[pixels[..., :1]] * 3, pixels[..., 1:]))
    assert picture.channels == channels
    np.testing.assert_array_equal(flat(picture.colour), expected[..., :3])
    assert (picture.alpha is not None) == (channels in (2, 4))
    if picture.alpha is not None:
        np.testing.assert_array_equal(flat(picture.alpha), pixels[..., -1])


def test_a_profile_is_embedded_and_without_one_the_file_says_srgb() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    with Image.open(io.BytesIO(written(pixels, [], icc_profile=b"some profile"))) as image:
        assert image.info["icc_profile"] == b"some profile"
    with Image.open(io.BytesIO(written(pixels, []))) as image:
        assert "srgb" in image.info


@pytest.mark.parametrize(
    ("width", "height", "channels", "bits"), [(0, 1, 3, 8), (1, 2**31, 3, 8), (1, 1, 5, 8), (1, 1, 3, 4)]
)
def test_what_png_cannot_hold_is_refused(width: int, height: int, channels: int, bits: int) -> None:
    with pytest.raises(ValueError, match=r"PNG cannot hold|no picture has"):
        PngWriter(io.BytesIO(), Layout(width=width, height=height, channels=channels, bits=bits))


def test_too_many_or_too_few_rows_are_an_error_and_no_file() -> None:
    with pytest.raises(ValueError, match="more or other than what is left"):
        PngWriter(io.BytesIO(), Layout(width=2, height=1, channels=3)).write(np.zeros((2, 2, 3), np.uint8))
    file = io.BytesIO()
    with (
        pytest.raises(ValueError, match="1 rows were never written"),
        PngWriter(file, Layout(width=2, height=2, channels=3)) as png,
    ):
        png.write(np.zeros((1, 2, 3), np.uint8))
    assert b"IEND" not in file.getvalue()
