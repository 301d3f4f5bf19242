"""Formats beyond the four, and what is not loaded until it is used."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from enlarger.errors import UnsupportedPicture
from enlarger.imaging import Format, Picture, decode, encode, extras, probe
from tests.support.photos import crop, encoded, flat, psnr

NEEDS = {Format.AVIF: "PIL", Format.HEIC: "pillow_heif", Format.JXL: "pillow_jxl"}


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize("format_", NEEDS)
def test_what_is_written_is_read_again(format_: Format, has_alpha: bool) -> None:
    pytest.importorskip(NEEDS[format_])
    pixels = crop("coffee", 96, 64)
    alpha = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1)) if has_alpha else None
    file = io.BytesIO()
    encode(Picture.of(pixels, alpha), file, format_)
    header = probe(file.getvalue())
    assert (header.format, header.width, header.height) == (format_, 96, 64)
    picture = decode(file.getvalue())
    if alpha is None:
        assert psnr(flat(picture.colour), pixels) > 30
    else:
        assert psnr(flat(picture.alpha), alpha) > 35


@pytest.mark.parametrize("has_alpha", [False, True])
def test_a_single_gif_is_written(has_alpha: bool) -> None:
    alpha = np.full((40, 60), 255, np.uint8) if has_alpha else None
    if alpha is not None:
        alpha[:10] = 0
    file = io.BytesIO()
    encode(Picture.of(crop("coffee", 60, 40), alpha), file, Format.GIF)
    picture = decode(file.getvalue())
    assert psnr(flat(picture.colour)[12:], crop("coffee", 60, 40)[12:]) > 22
    if alpha is not None:
        np.testing.assert_array_equal(flat(picture.alpha), alpha)


def test_sixteen_bits_and_grey_go_into_a_format_of_eight() -> None:
    grey = np.dstack([crop("coffee", 32, 32)[..., 1].astype(np.uint16) * 257] * 3)
    file = io.BytesIO()
    encode(replace(Picture.of(grey), is_grey=True), file, Format.AVIF)
    assert psnr(flat(decode(file.getvalue()).colour), grey // 257) > 30


@pytest.mark.parametrize("format_", [Format.HEIC, Format.JXL])
def test_the_extra_that_is_missing_is_named(format_: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(UnsupportedPicture, match=rf"enlarger\[{format_}\]"):
        extras.reader(format_)
    with pytest.raises(UnsupportedPicture, match=rf"enlarger\[{format_}\]"):
        encode(Picture.of(crop("coffee", 8, 8)), io.BytesIO(), format_)


def test_reading_headers_does_not_load_libvips() -> None:
    program = (
        "import sys; from enlarger.imaging import probe; probe(sys.stdin.buffer.read());"
        "print('pyvips' in sys.modules)"
    )
    for format_ in ("PNG", "JPEG", "WEBP", "TIFF"):
        run = subprocess.run(
            [sys.executable, "-c", program],
            input=encoded(crop("coffee", 8, 8), format_),
            capture_output=True,
            check=True,
        )
        assert run.stdout == b"False\n"
