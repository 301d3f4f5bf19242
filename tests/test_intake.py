"""Whatever a Python program calls a picture is the same picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from enlarger.errors import BadParameter
from enlarger.imaging import decode
from enlarger.intake import as_picture
from tests.support.photos import crop, flat

RAMP = np.arange(0, 60_000, 1_000, dtype=np.uint16).reshape(6, 10)


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "i4"])
def test_whole_numbers_are_grey_of_16_bits(dtype: str) -> None:
    picture = as_picture(Image.fromarray(RAMP.astype(dtype)))
    assert (picture.bits, picture.is_grey) == (16, True)
    np.testing.assert_array_equal(picture.colour.array()[..., 0], RAMP)


def test_floats_are_as_pillow_has_them() -> None:
    picture = as_picture(Image.fromarray(RAMP.astype(np.float32) / 256))
    assert (picture.bits, picture.is_grey) == (8, True)
    np.testing.assert_allclose(picture.colour.array()[..., 0], RAMP / 256, atol=0.5)


@pytest.mark.parametrize(
    "samples",
    [
        RAMP.astype(np.float32) / 60_000,
        RAMP.astype(np.float32),
        RAMP.astype(np.float32) * np.nan,
        RAMP.astype(np.int32) * 2,
        RAMP.astype(np.int32) - 1,
    ],
)
def test_numbers_that_would_be_black_or_cut_off_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(BadParameter, match=r"give an array of uint8 or uint16") as refused:
        as_picture(Image.fromarray(samples))
    assert refused.value.param == "image"


@pytest.mark.parametrize("mode", ["CMYK", "LAB"])
def test_other_spaces_are_converted_as_those_of_files_are(mode: str) -> None:
    colours = Image.fromarray(crop("coffee", 40, 30))
    if mode == "LAB":
        spaces = (ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"))
        image = ImageCms.applyTransform(colours, ImageCms.buildTransform(*spaces, "RGB", "LAB"))
        assert image is not None
    else:
        image = colours.convert(mode)
    # One that fits no such picture: it must neither be used nor kept.
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = io.BytesIO()
    image.save(file, "TIFF", icc_profile=None)
    found, wanted = as_picture(image), decode(file.getvalue())
    assert found.icc_profile is None
    np.testing.assert_array_equal(flat(found.colour), flat(wanted.colour))
