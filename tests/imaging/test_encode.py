"""Pictures out."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from enlarger.errors import PictureTooLarge
from enlarger.imaging import Format, Picture, decode, encode
from enlarger.imaging.layout import eight_bits, on_white
from tests.support.photos import crop, flat, large_profile, psnr

STREAMED = (Format.PNG, Format.JPEG, Format.WEBP, Format.TIFF)


def file_of(picture: Picture, format_: Format) -> bytes:
    buffer = io.BytesIO()
    encode(picture, buffer, format_)
    return buffer.getvalue()


def sample(channels: int, bits: int) -> Picture:
    """A photograph, 200x300, with a large profile if it has colours."""
    colour = crop("coffee", 200, 300)
    if channels < 3:
        colour = np.dstack([colour[..., 1]] * 3)
    alpha = np.tile(np.linspace(60, 255, 200).astype(np.uint8), (300, 1)) if channels in (2, 4) else None
    if bits == 16:
        # Not multiples of 257: the low byte counts.
        colour = colour.astype(np.uint16) * 256 + 77
        alpha = None if alpha is None else alpha.astype(np.uint16) * 256 + 9
    picture = Picture.of(colour, alpha, large_profile() if channels > 2 else None)
    return replace(picture, is_grey=channels < 3)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("format_", STREAMED)
def test_what_is_written_is_read_again(format_: Format, channels: int, bits: int) -> None:
    picture = sample(channels, bits)
    again = decode(file_of(picture, format_))
    is_lossless = format_ in (Format.PNG, Format.TIFF)
    assert again.icc_profile == picture.icc_profile
    assert again.bits == (bits if is_lossless else 8)
    assert again.is_grey == (picture.is_grey and format_ is not Format.WEBP)
    colour = flat(picture.colour) / (257 if bits == 16 else 1)
    if is_lossless:
        np.testing.assert_array_equal(flat(again.colour), flat(picture.colour))
    elif picture.alpha is None:
        assert psnr(flat(again.colour), np.rint(colour)) > 35
    if format_ is Format.JPEG or picture.alpha is None:
        assert again.alpha is None
    else:
        expected = (
            flat(picture.alpha)
            if is_lossless
            else np.rint(flat(picture.alpha) / (257 if bits == 16 else 1))
        )
        np.testing.assert_array_equal(flat(again.alpha), expected)


def test_jpeg_lays_transparency_on_white() -> None:
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, 16:] = 255
    again = decode(file_of(Picture.of(np.zeros((32, 32, 3), np.uint8), alpha), Format.JPEG))
    assert flat(again.colour)[:, :8].min() > 245
    assert flat(again.colour)[:, 24:].max() < 10


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_laying_on_white_is_exact(dtype: type) -> None:
    peak = np.iinfo(dtype).max
    rows = np.random.default_rng(3).integers(0, peak, (600, 70, 4), dtype, endpoint=True)
    opacity = rows[..., 3:] / peak
    expected = rows[..., :3] * opacity + peak * (1 - opacity)
    assert np.abs(on_white(rows) - expected).max() <= 0.5 + 1e-6


def test_sixteen_bits_become_eight_by_rounding() -> None:
    values = np.arange(65536, dtype=np.uint16)
    np.testing.assert_array_equal(eight_bits(values), np.rint(values / 257))


def test_a_size_that_the_format_cannot_hold_is_refused_before_the_first_byte() -> None:
    buffer = io.BytesIO()
    with pytest.raises(PictureTooLarge, match="webp holds at most 16383 a side"):
        encode(Picture.of(np.zeros((1, 16_384, 3), np.uint8)), buffer, Format.WEBP)
    assert buffer.getvalue() == b""


def test_a_png_is_no_larger_than_a_quarter_more_than_pillows() -> None:
    picture = Picture.of(crop("astronaut", 512, 512))
    buffer = io.BytesIO()
    Image.fromarray(flat(picture.colour)).save(buffer, "PNG")
    assert len(file_of(picture, Format.PNG)) < 1.25 * len(buffer.getvalue())
