"""The classical resample: exact where it must be, linear in light."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from enlarger.engine.geometry import Size
from enlarger.engine.resample import STRIP_ROWS, resample, resample_plane
from tests.support.photos import photo, psnr


@pytest.mark.parametrize("value", [0, 1, 17, 128, 254, 255])
def test_a_constant_stays_exactly_constant(value: int) -> None:
    result = resample(np.full((301, 203, 3), value, np.uint8), Size(117, 250))
    assert result.shape == (250, 117, 3)
    assert (result == value).all()


def test_strips_equal_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = photo("astronaut")
    size = Size(333, 2 * STRIP_ROWS + 77)
    in_strips = resample(pixels, size)
    monkeypatch.setattr("enlarger.engine.resample.STRIP_ROWS", 10_000)
    difference = np.abs(in_strips.astype(int) - resample(pixels, size))
    # The filter's positions are computed in each strip's own coordinates: a rounding apart, no more.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-4


def test_light_is_averaged_and_not_code_values() -> None:
    """Half black and half white lines are half the light: 188 in sRGB, where a naive mean says 128."""
    lines = np.zeros((256, 256, 3), np.uint8)
    lines[::2] = 255
    middle = resample(lines, Size(64, 64))[16:48, 16:48]
    assert abs(int(middle.mean()) - 188) <= 1


def test_it_is_close_to_the_common_filter_on_a_photograph() -> None:
    pixels = photo("astronaut")
    common = np.asarray(Image.fromarray(pixels).resize((200, 200), Image.Resampling.LANCZOS))
    assert psnr(resample(pixels, Size(200, 200)), common) > 30


def test_opacity_keeps_its_ends() -> None:
    plane = np.zeros((40, 40), np.uint8)
    plane[:, 20:] = 255
    result = resample_plane(plane, Size(160, 160))
    assert (result[:, :70] == 0).all()
    assert (result[:, 90:] == 255).all()
