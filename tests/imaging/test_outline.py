"""An outline is what decoding would find."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from enlarger.errors import UnsupportedPicture
from enlarger.imaging import decode, outlined
from tests.support.photos import crop


@pytest.mark.parametrize(
    ("mode", "format_"),
    [
        *((mode, "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("RGB", name) for name in ("JPEG", "WEBP", "TIFF", "GIF", "AVIF")),
        *(("RGBA", name) for name in ("WEBP", "TIFF", "AVIF")),
        ("CMYK", "JPEG"),
    ],
)
def test_the_outline_is_that_of_the_decoded_picture(mode: str, format_: str) -> None:
    image = Image.fromarray(crop("coffee", 20, 12)).convert("L" if mode == "I;16" else "RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    image.save(buffer, format_, **({"exif": exif} if format_ == "JPEG" else {}))
    outline, picture = outlined(buffer.getvalue()), decode(buffer.getvalue())
    assert (outline.width, outline.height) == (picture.width, picture.height)
    assert (outline.has_alpha, outline.bits) == (picture.alpha is not None, picture.bits)
    assert outline.frames == 1


def test_what_is_no_picture_has_none() -> None:
    with pytest.raises(UnsupportedPicture):
        outlined(b"no picture at all")
