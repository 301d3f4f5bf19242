"""Files in: by content, upright, with transparency and profile, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import API_FORMATS, Format, decode, probe
from tests.support.broken import BROKEN, huge_png
from tests.support.photos import crop, encoded, flat, grey_profile, psnr

COMMON = (Format.PNG, Format.JPEG, Format.WEBP, Format.TIFF)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("format_", COMMON)
def test_every_format_is_told_by_its_content(format_: Format) -> None:
    pixels = crop("coffee", 64, 48)
    data = encoded(
        pixels, str(format_), **({} if format_ in (Format.PNG, Format.TIFF) else {"quality": 95})
    )
    header = probe(data)
    assert (header.format, header.width, header.height) == (format_, 64, 48)
    picture = decode(data)
    assert flat(picture.colour).shape == (48, 64, 3)
    assert picture.alpha is None
    assert psnr(flat(picture.colour), pixels) > 30


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
    assert psnr(flat(picture.colour), turns[orientation](pixels)) > 25


def test_a_header_is_read_without_decoding_a_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    def never(*args: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", never)
    for format_ in COMMON:
        assert probe(encoded(crop("coffee", 20, 10), str(format_))).width == 20


def test_transparency_is_carried_from_rgba_grey_and_palette() -> None:
    rgba = np.dstack((crop("coffee", 16, 16), np.arange(256, dtype=np.uint8).reshape(16, 16)))
    picture = decode(encoded(rgba))
    assert picture.alpha is not None
    np.testing.assert_array_equal(np.dstack((flat(picture.colour), flat(picture.alpha))), rgba)

    buffer = io.BytesIO()
    Image.fromarray(rgba[..., 3]).save(buffer, "PNG", transparency=7)
    picture = decode(buffer.getvalue())
    assert picture.alpha is not None
    assert (flat(picture.alpha) == 0).sum() == 1

    palette = Image.fromarray(rgba[..., :3]).quantize(4)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=0)
    picture = decode(buffer.getvalue())
    assert picture.alpha is not None
    assert {0, 255} == set(np.unique(flat(picture.alpha)))


def test_sixteen_bits_are_kept() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG")
    pixels = flat(decode(buffer.getvalue()).colour)
    np.testing.assert_array_equal(pixels, np.dstack((ramp, ramp, ramp)))


def test_the_transparent_value_of_sixteen_bit_grey_is_kept() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG", transparency=int(ramp[3, 3]))
    alpha = flat(decode(buffer.getvalue()).alpha)
    assert (alpha == 0).sum() == 1
    assert alpha[3, 3] == 0


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_an_rgb_profile_stays_with_rgb(mode: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(crop("coffee", 16, 16)).convert(mode).save(buffer, "PNG", icc_profile=SRGB)
    assert decode(buffer.getvalue()).icc_profile == SRGB


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
@pytest.mark.parametrize("options", [{}, {"transparency": 5}])
def test_a_grey_profile_never_ends_on_colours(mode: str, options: dict[str, int]) -> None:
    buffer = io.BytesIO()
    grey = Image.fromarray(crop("coffee", 16, 16)).convert("L").convert(mode)
    grey.save(buffer, "PNG", icc_profile=grey_profile(), **(options if mode == "L" else {}))
    picture = decode(buffer.getvalue())
    assert picture.icc_profile is None
    assert (picture.alpha is not None) == (mode == "LA" or (mode == "L" and bool(options)))
    assert psnr(flat(picture.colour), np.asarray(grey.convert("RGB"))) > 20


@pytest.mark.parametrize("profile", [b"no profile at all", grey_profile(), None])
def test_a_profile_that_does_not_fit_costs_nobody_the_picture(profile: bytes | None) -> None:
    pixels = crop("coffee", 16, 16)
    picture = decode(encoded(pixels, icc_profile=profile))
    assert picture.icc_profile is None
    np.testing.assert_array_equal(flat(picture.colour), pixels)
    cmyk = io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(cmyk, "JPEG", quality=95, icc_profile=profile)
    # Pillow's CMYK is made without any ink in mind: the press that is assumed prints it duller.
    assert psnr(flat(decode(cmyk.getvalue()).colour), pixels) > 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0garbage",
        b"Exif\0\0II*\0\x08\0\0\0",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0six\0\0\0\0\0",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0\0\0\0\0",
    ],
    ids=["garbage", "cut", "text", "ninety-nine"],
)
def test_a_picture_with_broken_exif_is_a_picture(exif: bytes) -> None:
    data = encoded(crop("coffee", 40, 24), "JPEG", exif=exif)
    assert (probe(data).width, decode(data).width) == (40, 40)


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_kind_of_error(name: str) -> None:
    with pytest.raises((UnsupportedPicture, PictureTooLarge)) as caught:
        decode(BROKEN[name], max_pixels=50_000_000, formats=API_FORMATS)
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
