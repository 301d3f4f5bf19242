"""Texture is allowed where there is some, and not on walls, contours and faces."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.creative.texture import FACE_SHARE, RADIUS_PX, texture_mask
from tests.support.photos import photo

NO_FACES = np.zeros((96, 96), np.float32)
INSIDE = slice(2 * RADIUS_PX + 2, -2 * RADIUS_PX - 2)


def floats(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return pixels.astype(np.float32) / 255


def grey(plane: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.repeat(plane[..., np.newaxis], 3, axis=2).astype(np.float32)


FUR = floats(photo("chelsea")[150:246, 120:216])
GRASS = floats(photo("grass")[100:196, 100:196])
ROWS, COLUMNS = np.mgrid[:96, :96].astype(np.float64)
WALL = grey(0.5 + 0.1 * ROWS / 96)
EDGE = grey(0.2 + 0.6 * np.clip((ROWS + 0.6 * COLUMNS - 70) / 2 + 0.5, 0, 1))
LINES = grey(0.5 + 0.3 * np.sin(COLUMNS * 0.9))


def test_fur_and_grass_are_texture() -> None:
    assert texture_mask(GRASS, NO_FACES).mean() > 0.7
    assert texture_mask(FUR, NO_FACES).mean() > 0.3


@pytest.mark.parametrize("picture", [WALL, EDGE, LINES], ids=["wall", "contour", "lines"])
def test_walls_and_straight_edges_are_not(picture: NDArray[np.float32]) -> None:
    mask = texture_mask(picture, NO_FACES)[INSIDE, INSIDE]
    assert mask.max() < 0.12
    assert mask.mean() < 0.02


def test_noise_of_a_sensor_on_a_wall_is_none() -> None:
    noise = np.random.default_rng(1).standard_normal((96, 96)) * 1.5 / 255
    assert texture_mask(grey(0.5 + noise), NO_FACES).max() == 0


def test_faces_are_kept_out() -> None:
    faces = NO_FACES.copy()
    faces[30:60, 30:60] = 1
    open_mask, kept = texture_mask(GRASS, NO_FACES), texture_mask(GRASS, faces)
    np.testing.assert_allclose(kept[30:60, 30:60], (1 - FACE_SHARE) * open_mask[30:60, 30:60], rtol=1e-5)
    np.testing.assert_array_equal(kept[60:], open_mask[60:])


def test_the_floor_holds_everywhere_but_on_faces() -> None:
    faces = NO_FACES.copy()
    faces[:20] = 1
    mask = texture_mask(WALL, faces, floor=0.3)
    assert mask[20:] == pytest.approx(0.3)
    assert mask[:20] == pytest.approx(0.3 * (1 - FACE_SHARE))
    np.testing.assert_array_equal(
        texture_mask(GRASS, NO_FACES, floor=0.3), np.maximum(texture_mask(GRASS, NO_FACES), np.float32(0.3))
    )


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 3), (40, 2, 3)])
def test_pictures_smaller_than_the_square_have_a_mask(shape: tuple[int, ...]) -> None:
    mask = texture_mask(np.full(shape, 0.5, np.float32), np.zeros(shape[:2], np.float32))
    assert mask.shape == shape[:2]
    assert mask.dtype == np.float32
    assert not mask.any()
