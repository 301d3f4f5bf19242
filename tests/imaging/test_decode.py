"""Files in: by content, upright, with transparency and profile, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import Format, decode, probe
from tests.support.broken import BROKEN, huge_png
from tests.support.photos import crop, encoded, psnr

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("format_", Format)
def test_every_format_is_told_by_its_content(format_: Format) -> None:
    pixels = crop("coffee", 64, 48)
    data = encoded(pixels, str(format_), **({} if format_ is Format.PNG else {"quality": 95}))
    header = probe(data)
    assert (header.format, header.width, header.height) == (format_, 64, 48)
    picture = decode(data)
    assert picture.pixels.shape == (48, 64, 3)
    assert picture.alpha is None
    assert psnr(picture.pixels, pixels) > 30


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied(orientation: int, format_: str) -> None:
    pixels = np.zeros((24, 40, 3), np.uint8)
    pixels[:12, :20] = 250
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(pixels, format_, exif=exif)
    header, picture = probe(data), decode(data)
    expected = (24, 40) if orientation >= 5 else (40, 24)
    assert (header.width, header.height) == (picture.width, picture.height) == expected
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
        7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda a: a.transpose(1, 0, 2)[::-1],
    }
    assert psnr(picture.pixels, turns[orientation](pixels)) > 25


def test_a_header_is_read_without_decoding_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    def never(*args: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", never)
    for format_ in Format:
        assert probe(encoded(crop("coffee", 20, 10), str(format_))).width == 20


def test_transparency_is_carried_from_rgba_grey_and_palette() -> None:
    rgba = np.dstack((crop("coffee", 16, 16), np.arange(256, dtype=np.uint8).reshape(16, 16)))
    picture = decode(encoded(rgba))
    assert picture.alpha is not None
    np.testing.assert_array_equal(np.dstack((picture.pixels, picture.alpha)), rgba)

    buffer = io.BytesIO()
    Image.fromarray(rgba[..., 3]).save(buffer, "PNG", transparency=7)
    picture = decode(buffer.getvalue())
    assert picture.alpha is not None
    assert (picture.alpha == 0).sum() == 1

    palette = Image.fromarray(rgba[..., :3]).quantize(4)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=0)
    picture = decode(buffer.getvalue())
    assert picture.alpha is not None
    assert {0, 255} == set(np.unique(picture.alpha))


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG")
    pixels = decode(buffer.getvalue()).pixels
    np.testing.assert_allclose(pixels[..., 0], ramp / 257, atol=1)


def test_a_profile_stays_with_rgb_and_other_spaces_become_srgb() -> None:
    assert decode(encoded(crop("coffee", 16, 16), icc_profile=SRGB)).icc_profile == SRGB
    cmyk = Image.fromarray(crop("coffee", 16, 16)).convert("CMYK")
    buffer = io.BytesIO()
    cmyk.save(buffer, "JPEG", quality=95)
    picture = decode(buffer.getvalue())
    assert picture.icc_profile is None
    assert psnr(picture.pixels, crop("coffee", 16, 16)) > 25
    grey_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = decode(encoded(crop("coffee", 16, 16)[..., 0], icc_profile=grey_profile))
    assert grey.icc_profile is None


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_kind_of_error(name: str) -> None:
    with pytest.raises((UnsupportedPicture, PictureTooLarge)) as caught:
        decode(BROKEN[name], max_pixels=50_000_000)
    assert caught.value.param == "image"


def test_the_pixel_limit_comes_before_decoding() -> None:
    with pytest.raises(PictureTooLarge, match="30000x30000 = 900000000 pixels; at most 1000000"):
        probe(huge_png(), max_pixels=1_000_000)
    with pytest.raises(PictureTooLarge):
        decode(huge_png(), max_pixels=1_000_000)
    assert len(huge_png()) < 200_000


def test_the_limits_of_the_hosting_program_are_left_alone() -> None:
    before = Image.MAX_IMAGE_PIXELS
    decode(encoded(crop("coffee", 16, 16)))
    assert before == Image.MAX_IMAGE_PIXELS
