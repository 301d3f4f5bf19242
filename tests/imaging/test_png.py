"""Our PNG writer against an independent reader."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from enlarger.imaging.png import PngWriter


def written(rows: np.ndarray, cuts: list[int], icc_profile: bytes | None = None) -> bytes:
    file = io.BytesIO()
    height, width, channels = rows.shape
    with PngWriter(file, width, height, channels, icc_profile) as png:
        for strip in np.split(rows, cuts):
            if len(strip):
                png.write(strip)
    return file.getvalue()


@settings(max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([3, 4]),
    st.lists(st.integers(0, 40), max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_any_pixels_in_any_strips_read_back_exactly(
    width: int, height: int, channels: int, cuts: list[int], seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    data = written(pixels, sorted(min(cut, height) for cut in cuts))
    with Image.open(io.BytesIO(data)) as image:
        image.verify()
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_a_profile_is_embedded_and_without_one_the_file_says_srgb() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    with Image.open(io.BytesIO(written(pixels, [], b"some profile"))) as image:
        assert image.info["icc_profile"] == b"some profile"
    with Image.open(io.BytesIO(written(pixels, []))) as image:
        assert "srgb" in image.info


@pytest.mark.parametrize(("width", "height", "channels"), [(0, 1, 3), (1, 2**31, 3), (1, 1, 2)])
def test_what_png_cannot_hold_is_refused(width: int, height: int, channels: int) -> None:
    with pytest.raises(ValueError, match="PNG cannot hold"):
        PngWriter(io.BytesIO(), width, height, channels)


def test_too_many_or_too_few_rows_are_an_error_and_no_file() -> None:
    with pytest.raises(ValueError, match="more or other than what is left"):
        PngWriter(io.BytesIO(), 2, 1, 3).write(np.zeros((2, 2, 3), np.uint8))
    file = io.BytesIO()
    with (
        pytest.raises(ValueError, match="1 rows of the PNG were never written"),
        PngWriter(file, 2, 2, 3) as png,
    ):
        png.write(np.zeros((1, 2, 3), np.uint8))
    assert b"IEND" not in file.getvalue()
