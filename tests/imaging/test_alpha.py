"""No trace of what lies under transparency, and nothing that is seen is changed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from enlarger.imaging import Picture
from enlarger.imaging import alpha as alpha_module
from enlarger.imaging.alpha import SEEN, bleed
from tests.support.photos import crop, flat


def cut_out(dtype: type = np.uint8, side: int = 300) -> Picture:
    """A disc of a photograph; around it green that nobody shall see."""
    y, x = np.mgrid[:side, :side] - side / 2
    opacity = np.clip(side / 3 - np.hypot(x, y), 0, 1)
    colour = crop("coffee", side, side).copy()
    colour[..., 1] //= 4
    colour[opacity == 0] = (0, 255, 0)
    factor = 257 if dtype is np.uint16 else 1
    return Picture.of(
        colour.astype(dtype) * dtype(factor), np.rint(opacity * 255).astype(dtype) * dtype(factor)
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_hidden_garbage_leaves_no_trace(dtype: type) -> None:
    picture = cut_out(dtype)
    result = bleed(picture)
    peak = picture.colour.peak
    assert result.bits == picture.bits
    assert flat(result.colour)[..., 1].max() < 0.4 * peak
    # What a filter sees at the visible edge is the visible colours' own.
    seen = flat(picture.alpha) > peak // 2
    for pixels, expected in ((flat(picture.colour), True), (flat(result.colour), False)):
        blurred = np.asarray(
            Image.fromarray((pixels // (peak // 255)).astype(np.uint8)).filter(ImageFilter.GaussianBlur(6))
        )
        assert (blurred[seen][:, 1].max() > 90) == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_seen_stays_to_the_bit(dtype: type) -> None:
    picture = cut_out(dtype)
    result = bleed(picture)
    seen = flat(picture.alpha) >= SEEN * picture.colour.peak
    np.testing.assert_array_equal(flat(result.colour)[seen], flat(picture.colour)[seen])
    assert result.alpha is picture.alpha


@pytest.mark.parametrize(("width", "height"), [(300, 300), (1, 7), (5, 1), (37, 211)])
def test_the_result_does_not_depend_on_the_bands(
    width: int, height: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(width)
    colour = rng.integers(0, 256, (height, width, 3), np.uint8)
    opacity = (rng.random((height, width)) > 0.98) * np.uint8(255)
    opacity[0, 0] = 255
    picture = Picture.of(colour, opacity)
    expected = flat(bleed(picture).colour)
    for rows in (4, 8, 12, 64, 4096):
        monkeypatch.setattr(alpha_module, "BAND_ROWS", rows)
        np.testing.assert_array_equal(flat(bleed(picture).colour), expected)


def test_the_nearest_visible_colour_is_taken() -> None:
    colour = np.full((200, 400, 3), (0, 255, 0), np.uint8)
    alpha = np.zeros((200, 400), np.uint8)
    colour[:, :10], colour[:, 390:] = (200, 0, 0), (0, 0, 200)
    alpha[:, :10] = alpha[:, 390:] = 255
    result = flat(bleed(Picture.of(colour, alpha)).colour).astype(int)
    assert result[..., 1].max() == 0
    assert (result[:, :80, 0] > result[:, :80, 2] + 50).all()
    assert (result[:, 320:, 2] > result[:, 320:, 0] + 50).all()


def test_a_picture_without_hidden_pixels_is_returned_itself() -> None:
    colour = crop("coffee", 30, 20)
    for alpha in (None, np.full((20, 30), 255, np.uint8), np.zeros((20, 30), np.uint8)):
        picture = Picture.of(colour, alpha)
        assert bleed(picture) is picture
