"""Borders that fit in the input fit in the result, in every mode."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.engine import Engine
from enlarger.errors import BadParameter
from enlarger.imaging import Picture
from enlarger.library import make_request
from enlarger.request import Mode, Seamless, UpscaleRequest
from enlarger.target import Size, Target
from tests.support.photos import crop, photo

SIDE_PX = 40
WRAPS = UpscaleRequest(seamless=Seamless.TEXTURE)


def upscaled(engine: Engine, picture: Picture, request: UpscaleRequest) -> Picture:
    return engine.upscale(picture, request).collect()


def wrapping(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A tile of a pattern: the photograph blended into itself, moved by half, towards its borders."""
    height, width = pixels.shape[:2]
    half = np.roll(pixels, (height // 2, width // 2), (0, 1)).astype(np.float64)
    down, across = (np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2 for length in (height, width))
    share = (down[:, np.newaxis] * across)[..., np.newaxis]
    # Halved, both would be paler than one: shares whose squares sum to 1 keep the contrast.
    mean = pixels.mean((0, 1))
    left, right = share, 1 - share
    mixed = ((pixels - mean) * left + (half - mean) * right) / np.sqrt(left**2 + right**2)
    return np.clip(np.rint(mixed + mean), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(12, 0), (0, 18), (7, 31)])
def test_in_fast_the_rolled_input_gives_the_rolled_result(engine: Engine, shift: tuple[int, int]) -> None:
    pixels = crop("brick", 52, SIDE_PX)
    whole = upscaled(engine, Picture.of(pixels), WRAPS).colour.array()
    moved = np.ascontiguousarray(np.roll(pixels, shift, (0, 1)))
    result = upscaled(engine, Picture.of(moved), WRAPS).colour.array()
    assert whole.shape == (160, 208, 3)
    np.testing.assert_array_equal(result, np.roll(whole, (4 * shift[0], 4 * shift[1]), (0, 1)))
    plain = upscaled(engine, Picture.of(moved), UpscaleRequest()).colour.array()
    assert (plain != result).any()


def test_so_at_a_factor_that_is_not_whole(engine: Engine) -> None:
    pixels = crop("gravel", 52, SIDE_PX)
    request = replace(WRAPS, target=Target.parse("2.5x"))
    whole = upscaled(engine, Picture.of(pixels), request).colour.array()
    for shift in ((0, 26), (14, 0), (6, -8)):
        moved = np.ascontiguousarray(np.roll(pixels, shift, (0, 1)))
        result = upscaled(engine, Picture.of(moved), request).colour.array()
        np.testing.assert_array_equal(
            result, np.roll(whole, (shift[0] * 5 // 2, shift[1] * 5 // 2), (0, 1))
        )


def test_so_with_transparency(engine: Engine) -> None:
    pixels = crop("gravel", 96, 96)
    rows, columns = np.mgrid[:96, :96]
    from_hole = np.hypot(rows - 40, columns - 52)
    opacity = np.where(from_hole < 9, 0, 255).astype(np.uint8)
    whole = upscaled(engine, Picture.of(pixels, opacity), WRAPS)
    moved = [np.ascontiguousarray(np.roll(plane, (70, 33), (0, 1))) for plane in (pixels, opacity)]
    result = upscaled(engine, Picture.of(*moved), WRAPS)
    assert whole.alpha is not None
    assert result.alpha is not None
    assert 0 < whole.alpha.array().mean() < 255
    turned = np.roll(whole.alpha.array(), (280, 132), (0, 1))
    np.testing.assert_array_equal(result.alpha.array(), turned)
    back = np.roll(result.colour.array(), (-280, -132), (0, 1)).astype(int)
    difference = np.abs(back - whole.colour.array())
    # Hidden colours are filled from cells of a grid that does not roll; SPAN sees 21 pixels far.
    assert difference[np.kron(from_hole, np.ones((4, 4))) > 9 + 21 * np.sqrt(2) + 1].max() == 0
    is_seen = whole.alpha.array()[..., 0] == 255
    assert difference[is_seen].mean() < 0.1
    assert difference[is_seen].max() <= 24


def jumps(pixels: NDArray[np.uint8], axis: int) -> tuple[float, NDArray[np.float64]]:
    """Mean step across the wrap, and across each line of the input's grid inside."""
    lines = pixels.astype(np.float64)
    steps = np.abs(lines - np.roll(lines, 1, axis)).mean(axis=(1 - axis, 2))
    # Every fourth, as the wrap is: steps depend on where they lie between two input pixels.
    return float(steps[0]), steps[4::4]


@pytest.mark.parametrize(
    "name",
    [
        "brick",
        pytest.param("grass", marks=pytest.mark.whole),
        pytest.param("gravel", marks=pytest.mark.whole),
    ],
)
@pytest.mark.parametrize("mode", [Mode.CONSERVATIVE, Mode.CREATIVE])
def test_the_jump_across_the_wrap_is_no_larger_than_inside(engine: Engine, mode: Mode, name: str) -> None:
    pixels = wrapping(photo(name)[200 : 200 + SIDE_PX, 200 : 200 + SIDE_PX])
    request = replace(WRAPS, mode=mode, refinement=0)
    made = upscaled(engine, Picture.of(pixels), request).colour.array()
    open_ = replace(request, seamless=Seamless.NONE)
    cut = upscaled(engine, Picture.of(pixels), open_).colour.array()
    # The same picture, rolled so that the same two lines lie side by side in its middle.
    rolled = np.ascontiguousarray(np.roll(pixels, SIDE_PX // 2, (0, 1)))
    turned = upscaled(engine, Picture.of(rolled), open_).colour.array()
    for axis in (0, 1):
        wrap, _ = jumps(made, axis)
        _, inside = jumps(turned, axis)
        same = inside[SIDE_PX // 2 - 1]
        assert wrap <= 1.1 * same
        assert wrap < jumps(cut, axis)[0]


@pytest.mark.parametrize("mode", list(Mode))
def test_a_skybox_fits_left_and_right(engine: Engine, mode: Mode) -> None:
    # A view all round: the hue turns once.
    rows, columns = np.mgrid[:24, :64]
    around = 2 * np.pi * (columns + 0.5) / 64
    sky = np.stack([np.cos(around), np.sin(around), np.cos(3 * around) * (rows / 24)], axis=2)
    grain = np.random.default_rng(3).standard_normal((24, 64, 1)) * 6
    pixels = np.clip(np.rint(128 + 70 * sky + grain), 0, 255).astype(np.uint8)
    made = upscaled(
        engine, Picture.of(pixels), UpscaleRequest(mode=mode, seamless=Seamless.SKYBOX, refinement=0)
    ).colour.array()
    assert made.shape == (96, 256, 3)
    wrap, inside = jumps(made, 1)
    assert wrap <= inside.mean() + 2 * inside.std()
    if mode is Mode.FAST:
        turned = np.ascontiguousarray(np.roll(pixels, 20, 1))
        result = upscaled(
            engine, Picture.of(turned), UpscaleRequest(seamless=Seamless.SKYBOX)
        ).colour.array()
        np.testing.assert_array_equal(result, np.roll(made, 80, 1))


@pytest.mark.parametrize("target", ["100x100:fill", "100x50:pad"])
def test_a_target_that_cuts_or_pads_is_refused(engine: Engine, target: str) -> None:
    request = replace(WRAPS, target=Target.parse(target))
    with pytest.raises(BadParameter, match="a target that cuts or pads has no such result") as caught:
        engine.plan(Size(60, 40), request)
    assert caught.value.param == "seamless"


def test_what_is_no_kind_of_border_is_refused() -> None:
    with pytest.raises(BadParameter, match="seamless is 'both'; it must be one of: none, texture, skybox"):
        make_request(seamless="both")
