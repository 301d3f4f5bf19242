"""Faces are found where an independent reader of the same cascade finds them."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from skimage.feature import Cascade

from enlarger.engine.look.faces import Face, FaceFinder, mask_of, read_cascade
from enlarger.engine.look.small import resized
from enlarger.errors import BadWeights
from enlarger.models import ModelStore, known_assets
from tests.engine.look.conftest import as_floats


@pytest.fixture(scope="module")
def finder(store: ModelStore) -> FaceFinder:
    return FaceFinder(store, known_assets())


def overlap(left: tuple[float, ...], right: tuple[float, ...]) -> float:
    low = np.maximum(left[:2], right[:2])
    high = np.minimum(np.add(left[:2], left[2:]), np.add(right[:2], right[2:]))
    shared = float(np.clip(high - low, 0, None).prod())
    return shared / (left[2] * left[3] + right[2] * right[3] - shared)


def test_the_astronauts_face_is_where_scikit_image_finds_it(finder: FaceFinder) -> None:
    [face] = finder.find(as_floats("astronaut"))
    ours = tuple(512 * side for side in (face.left, face.top, face.width, face.height))
    cascade = Cascade(skimage.data.lbp_frontal_face_cascade_filename())
    theirs = cascade.detect_multi_scale(
        img=skimage.data.astronaut(), scale_factor=1.2, step_ratio=1, min_size=(28, 28), max_size=(300, 300)
    )
    boxes = [(box["c"], box["r"], box["width"], box["height"]) for box in theirs]
    assert max(overlap(ours, box) for box in boxes) > 0.7


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_size_and_place_do_not_matter(finder: FaceFinder, scale: int) -> None:
    whole = as_floats("astronaut")
    moved = np.pad(whole[:256:1, 100:356], ((64, 0), (0, 64), (0, 0)), mode="edge")
    [face] = finder.find(np.repeat(np.repeat(moved, scale, 0), scale, 1))
    middle = (face.left + face.width / 2, face.top + face.height / 2)
    assert middle == pytest.approx(((220 - 100) / 320, (114 + 64) / 320), abs=0.05)


def test_faces_of_another_collection_and_things_that_are_none(finder: FaceFinder) -> None:
    # Tight crops of 25 pixels, every fourth of those that scikit-image carries: faces, then none.
    seen = []
    for cell in skimage.data.lfw_subset()[::4]:
        grey = resized(np.pad(cell, 3, mode="edge").astype(np.float32), 93, 93)
        seen.append(bool(finder.find(np.repeat(grey[..., np.newaxis], 3, axis=2))))
    assert np.mean(seen[:25]) > 0.85
    assert np.mean(seen[25:]) < 0.05
    assert not finder.find(as_floats("coffee"))


def test_the_mask_covers_the_face_and_little_else(finder: FaceFinder) -> None:
    mask = finder.mask(as_floats("astronaut"), 128, 96)
    assert mask.shape == (128, 96)
    assert mask.dtype == np.float32
    assert mask[round(0.22 * 128), round(0.43 * 96)] == 1
    assert mask[-1].max() == mask[:, -1].max() == 0
    assert 0.02 < mask.mean() < 0.12
    assert not mask_of([], 5, 7).any()
    two = mask_of([Face(0.1, 0.1, 0.2, 0.2), Face(0.15, 0.1, 0.2, 0.2)], 50, 50)
    assert two.max() == 1


def test_time_does_not_grow_with_the_picture(finder: FaceFinder) -> None:
    large = np.kron(as_floats("astronaut"), np.ones((4, 4, 1), np.float32))
    finder.find(large)
    start = time.thread_time()
    finder.find(large)
    assert time.thread_time() - start < 1.0


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 300, 3), (500, 30, 3)])
def test_small_and_narrow_pictures_have_no_face(finder: FaceFinder, shape: tuple[int, ...]) -> None:
    assert finder.find(np.zeros(shape, np.float32)) == []


@pytest.mark.parametrize("text", ["", "<a/>", "<opencv_storage><cascade/></opencv_storage>"])
def test_another_file_is_no_cascade(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cascade.xml"
    path.write_text(text)
    with pytest.raises(BadWeights, match="not a cascade"):
        read_cascade(path)
