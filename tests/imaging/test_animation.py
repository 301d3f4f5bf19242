"""Animations in and out: every moment as a viewer shows it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import Format, Picture, decode, encode_animation, frames, is_animated
from enlarger.imaging.animation import MOVING
from tests.support.photos import crop, encoded, flat, psnr

DURATIONS = (40, 120, 1000)


def moments() -> list[Picture]:
    """A photograph that moves, with a hole that moves the other way."""
    found = []
    for number in range(3):
        alpha = np.full((60, 80), 255, np.uint8)
        alpha[10:30, 50 - 20 * number : 60 - 20 * number] = 0
        found.append(Picture.of(np.roll(crop("coffee", 80, 60), 9 * number, axis=1), alpha))
    return found


def written(format_: Format, loops: int = 0) -> bytes:
    file = io.BytesIO()
    encode_animation(iter(moments()), DURATIONS, file, format_, loops=loops)
    return file.getvalue()


@pytest.mark.parametrize("loops", [0, 1, 5])
@pytest.mark.parametrize("format_", MOVING)
def test_an_animation_is_read_as_it_was_written(format_: Format, loops: int) -> None:
    data = written(format_, loops)
    assert is_animated(data)
    animation = frames(data)
    assert (animation.format, animation.width, animation.height) == (format_, 80, 60)
    assert animation.durations_ms == DURATIONS
    assert animation.loops == loops
    pictures = list(animation.pictures)
    assert len(pictures) == 3
    for picture, expected in zip(pictures, moments(), strict=True):
        np.testing.assert_array_equal(flat(picture.alpha), flat(expected.alpha))
        seen = flat(expected.alpha) == 255
        assert psnr(flat(picture.colour)[seen], flat(expected.colour)[seen]) > 24


@pytest.mark.parametrize("format_", MOVING)
def test_another_reader_sees_the_same(format_: Format) -> None:
    with Image.open(io.BytesIO(written(format_))) as image:
        assert image.n_frames == 3
        image.seek(2)
        seen = np.asarray(image.convert("RGBA"))
    expected = moments()[2]
    np.testing.assert_array_equal(seen[..., 3], flat(expected.alpha))


@pytest.mark.parametrize("format_", MOVING)
def test_decode_refuses_an_animation_and_says_how_many_frames(format_: Format) -> None:
    with pytest.raises(UnsupportedPicture, match=f"the {format_} has 3 frames"):
        decode(written(format_))


def test_frames_that_cover_a_part_are_composed() -> None:
    one = Image.new("RGB", (40, 40), (200, 0, 0))
    two = one.copy()
    two.paste((0, 0, 200), (5, 5, 15, 15))
    file = io.BytesIO()
    one.save(file, "GIF", save_all=True, append_images=[two], duration=50, loop=2)
    animation = frames(file.getvalue())
    assert animation.loops == 3
    last = flat(list(animation.pictures)[1].colour)
    assert last[10, 10, 2] > 180
    assert last[30, 30, 0] > 180


def test_the_picture_for_those_who_know_no_apng_is_left_out() -> None:
    images = [Image.new("RGB", (8, 8), (value, 0, 0)) for value in (10, 100, 200)]
    file = io.BytesIO()
    images[0].save(file, "PNG", save_all=True, append_images=images[1:], default_image=True, duration=70)
    animation = frames(file.getvalue())
    assert [int(flat(one.colour)[0, 0, 0]) for one in animation.pictures] == [100, 200]
    assert len(animation.durations_ms) == 2


def test_a_single_gif_is_a_picture() -> None:
    data = encoded(crop("coffee", 40, 30), "GIF")
    assert not is_animated(data)
    assert psnr(flat(decode(data).colour), crop("coffee", 40, 30)) > 22
    assert len(list(frames(data).pictures)) == 1


def test_limits_and_other_formats_are_refused() -> None:
    with pytest.raises(PictureTooLarge, match="3 frames; at most 2"):
        frames(written(Format.GIF), max_frames=2)
    with pytest.raises(PictureTooLarge, match="80x60"):
        frames(written(Format.WEBP), max_pixels=100)
    with pytest.raises(UnsupportedPicture, match="a jpeg is no animation"):
        frames(encoded(crop("coffee", 8, 8), "JPEG"))
    with pytest.raises(UnsupportedPicture, match="jpeg holds no animation"):
        encode_animation(moments(), DURATIONS, io.BytesIO(), Format.JPEG)


@pytest.mark.parametrize("format_", MOVING)
def test_pictures_of_another_number_or_size_are_an_error(format_: Format) -> None:
    for pictures in (
        moments()[:2],
        [*moments(), moments()[0]],
        [*moments()[:2], Picture.of(crop("coffee", 8, 8))],
    ):
        with pytest.raises(ValueError, match=r"pictures? \d|\d pictures|picture \d"):
            encode_animation(pictures, DURATIONS, io.BytesIO(), format_)
