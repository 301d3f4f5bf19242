"""Colours: what is stored in a wide space stays; what is not RGB becomes sRGB, once and honestly."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from enlarger.imaging import Format, Picture, decode, encode
from tests.support.files import cmyk_jpeg, tiff
from tests.support.photos import crop, encoded, flat, grey_profile, psnr
from tests.support.profiles import adobe_rgb, display_p3

PROFILES = {"display-p3": display_p3(), "adobe-rgb": adobe_rgb()}


def as_srgb(pixels: np.ndarray, profile: bytes | None) -> np.ndarray:
    """What a colour-managed viewer shows."""
    image = Image.fromarray(pixels)
    if profile is None:
        return np.asarray(image)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return np.asarray(
        ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    )


def again(picture: Picture, format_: Format) -> Picture:
    file = io.BytesIO()
    encode(picture, file, format_)
    return decode(file.getvalue())


@pytest.mark.parametrize("format_", [Format.PNG, Format.JPEG, Format.WEBP, Format.TIFF, Format.AVIF])
@pytest.mark.parametrize("name", PROFILES)
def test_a_wide_gamut_goes_through_with_its_profile(name: str, format_: Format) -> None:
    pixels, profile = crop("coffee", 96, 64), PROFILES[name]
    picture = decode(encoded(pixels, icc_profile=profile))
    np.testing.assert_array_equal(flat(picture.colour), pixels)
    assert picture.icc_profile == profile
    result = again(picture, format_)
    assert result.icc_profile == profile
    seen = as_srgb(pixels, profile)
    assert psnr(as_srgb(flat(result.colour), result.icc_profile), seen) > 30
    # Losing the profile would be seen.
    assert psnr(as_srgb(flat(result.colour), None), seen) < 30


@pytest.mark.parametrize("bits", [8, 16])
def test_a_grey_profile_is_applied_and_grey_stays_grey(bits: int) -> None:
    ramp = np.tile(np.linspace(0, 2**bits - 1, 64).astype(np.uint8 if bits == 8 else np.uint16), (8, 1))
    # The profile's curve is a gamma of 2.2: near sRGB's, and not the same in the shadows.
    picture = decode(tiff(ramp, photometric="minisblack", iccprofile=grey_profile()))
    colour = flat(picture.colour)
    assert (picture.bits, picture.is_grey, picture.icc_profile) == (bits, True, None)
    assert (colour == colour[..., :1]).all()
    peak = 2**bits - 1
    linear = (ramp / peak) ** (0x0233 / 256)
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * peak
    assert np.abs(colour[..., 0] - expected).max() <= peak * 0.012
    assert np.abs(colour[..., 0].astype(int) - ramp).max() > 0


def test_grey_files_stay_one_channel_in_every_format_that_has_it() -> None:
    grey = decode(encoded(crop("coffee", 32, 32)[..., 1]))
    assert grey.is_grey
    for format_ in (Format.PNG, Format.JPEG, Format.TIFF):
        file = io.BytesIO()
        encode(grey, file, format_)
        with Image.open(io.BytesIO(file.getvalue())) as image:
            assert image.mode == "L"


@pytest.mark.parametrize("is_ycck", [False, True])
def test_a_cmyk_jpeg_without_a_profile_is_printed_not_inverted(is_ycck: bool) -> None:
    inks = np.zeros((32, 96, 4), np.uint8)
    inks[:, 32:64, 3] = 128
    inks[:, 64:, :] = 255
    if is_ycck:
        # Y of white paper, Cb and Cr of no colour.
        inks[..., 0], inks[..., 1:3] = 255 - inks[..., 0], 127
    colour = flat(decode(cmyk_jpeg(inks, is_ycck)).colour)
    paper, half, black = colour[16, 16], colour[16, 48], colour[16, 80]
    assert paper.min() > 245
    assert 100 < half.mean() < 190
    assert black.max() < 60


@pytest.mark.parametrize("bits", [8, 16])
def test_a_cmyk_tiff_keeps_its_depth(bits: int) -> None:
    inks = np.zeros((8, 8, 4), np.uint8 if bits == 8 else np.uint16)
    inks[:, 4:, 2] = 2**bits - 1  # yellow
    picture = decode(tiff(inks, photometric="separated"))
    assert (picture.bits, picture.is_grey) == (bits, False)
    colour = flat(picture.colour) / picture.colour.peak
    assert colour[0, 0].min() > 0.96
    assert colour[0, 7, :2].min() > 0.85
    assert colour[0, 7, 2] < 0.35


@pytest.mark.parametrize("bits", [8, 16])
def test_lab_is_converted(bits: int) -> None:
    # L 50, a 40, b -30: a purple, sRGB (162, 93, 171) by the formulae of CIE 15 adapted to D65.
    if bits == 8:
        lab = np.array([round(50 * 2.55), 40, 256 - 30], np.uint8)
    else:
        lab = np.array([round(50 * 655.35), 40 * 256, 65536 - 30 * 256], np.uint16)
    picture = decode(tiff(np.tile(lab, (8, 8, 1)), photometric="cielab"))
    assert picture.bits == bits
    found = flat(picture.colour)[4, 4] / (1 if bits == 8 else 257)
    np.testing.assert_allclose(found, (162, 93, 171), atol=2)
