"""Pictures out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from enlarger.errors import PictureTooLarge
from enlarger.imaging import Format, Picture, decode, encode
from enlarger.imaging.encode import _on_white
from tests.support.photos import crop, large_profile, psnr


def file_of(picture: Picture, format_: Format) -> bytes:
    buffer = io.BytesIO()
    encode(picture, buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("has_alpha", [False, True])
def test_what_is_written_is_read_again(format_: Format, has_alpha: bool) -> None:
    alpha = np.full((300, 200), 128, np.uint8) if has_alpha else None
    picture = Picture(crop("coffee", 200, 300), alpha, large_profile())
    again = decode(file_of(picture, format_))
    assert again.icc_profile == large_profile()
    if format_ is Format.PNG:
        np.testing.assert_array_equal(again.pixels, picture.pixels)
    if format_ is Format.JPEG:
        assert again.alpha is None
    elif has_alpha:
        np.testing.assert_array_equal(again.alpha, alpha)
    if not has_alpha:
        assert psnr(again.pixels, picture.pixels) > 35


def test_jpeg_lays_transparency_on_white() -> None:
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, 16:] = 255
    again = decode(file_of(Picture(np.zeros((32, 32, 3), np.uint8), alpha), Format.JPEG))
    assert again.pixels[:, :8].min() > 245
    assert again.pixels[:, 24:].max() < 10


def test_laying_on_white_is_exact_and_goes_in_strips() -> None:
    rng = np.random.default_rng(3)
    pixels, alpha = rng.integers(0, 256, (600, 70, 3), np.uint8), rng.integers(0, 256, (600, 70), np.uint8)
    opacity = alpha[..., np.newaxis] / 255
    expected = np.rint(pixels * opacity + 255 * (1 - opacity))
    assert np.abs(_on_white(Picture(pixels, alpha)) - expected).max() <= 0.5


def test_a_size_that_the_format_cannot_hold_is_refused_before_the_first_byte() -> None:
    buffer = io.BytesIO()
    with pytest.raises(PictureTooLarge, match="webp holds at most 16383 a side"):
        encode(Picture(np.zeros((1, 16_384, 3), np.uint8)), buffer, Format.WEBP)
    assert buffer.getvalue() == b""


def test_a_png_is_no_larger_than_a_quarter_more_than_pillows() -> None:
    picture = Picture(crop("astronaut", 512, 512))
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "PNG")
    assert len(file_of(picture, Format.PNG)) < 1.25 * len(buffer.getvalue())
