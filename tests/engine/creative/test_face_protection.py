"""Texture that is made up makes spots on skin, so faces get a tenth of it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.creative.texture import FACE_SHARE
from enlarger.engine.engine import Engine
from enlarger.engine.look.faces import FaceFinder
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from tests.support.photos import photo


def portrait() -> NDArray[np.uint8]:
    """The astronaut's head and collar, 96x96."""
    return np.ascontiguousarray(Image.fromarray(photo("astronaut")[20:276, 90:346]).resize((96, 96)))


def test_a_face_changes_far_less_than_it_would(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(seed: int) -> NDArray[np.float32]:
        request = UpscaleRequest(mode=Mode.CREATIVE, creativity=0.5, seed=seed, refinement=0)
        picture = engine.upscale(Picture.of(portrait()), request).collect()
        return picture.colour.array().astype(np.float32)

    masks = []
    find = FaceFinder.mask

    def seen(self: FaceFinder, *arguments: object) -> NDArray[np.float32]:
        masks.append(find(self, *arguments))
        return masks[-1]

    def nothing(self: FaceFinder, picture: object, height: int, width: int) -> NDArray[np.float32]:
        return np.zeros((height, width), np.float32)

    # What two seeds differ by is what was made up.
    monkeypatch.setattr(FaceFinder, "mask", seen)
    kept = np.abs(made(0) - made(1)).mean(2)
    monkeypatch.setattr(FaceFinder, "mask", nothing)
    open_ = np.abs(made(0) - made(1)).mean(2)
    on_face = np.kron(masks[0], np.ones((4, 4))) > 0.9
    beside = np.kron(masks[0], np.ones((4, 4))) == 0
    assert 0.03 < on_face.mean() < 0.5
    assert kept[on_face].mean() < 3 * (1 - FACE_SHARE) * open_[on_face].mean()
    assert kept[beside].mean() == pytest.approx(open_[beside].mean(), rel=0.1)
