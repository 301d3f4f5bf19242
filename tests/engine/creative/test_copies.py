"""Pictures too large for the network itself get texture from a copy; and pictures at their own size."""

from __future__ import annotations

import numpy as np
import pytest

from enlarger.engine import plan
from enlarger.engine.engine import Engine
from enlarger.engine.receipt import Verdict
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Size, Target
from tests.engine.creative.conftest import (
    SIDE_PX,
    Made,
    consistency,
    distance,
    small,
    texture,
)

COPY_PX = 32
RUNS = 3
"""Two passes of the texture's network and one of the network that keeps grain."""


@pytest.fixture(autouse=True)
def _a_small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "CREATIVE_PIXELS_MAX", RUNS * COPY_PX**2)


def made(engine: Engine, name: str, target: str = "4x", **fields: float) -> Made:
    request = UpscaleRequest(mode=Mode.CREATIVE, target=Target.parse(target), **fields)
    rendering = engine.upscale(Picture.of(small(name)), request)
    assert rendering.plan.method == "creative-copy"
    assert rendering.plan.texture is not None
    assert rendering.plan.texture.size.pixels <= COPY_PX**2
    return Made(rendering.collect().colour.array(), rendering.receipt())


def test_texture_rises_with_creativity_and_the_input_stays(engine: Engine, photo: str) -> None:
    results = [made(engine, photo, creativity=creativity) for creativity in (0.1, 0.2, 0.3, 0.4, 0.5)]
    textures = [texture(one) for one in results]
    assert textures == sorted(set(textures))
    assert min(consistency(one, photo) for one in results) > 30
    assert {one.receipt.plan for one in results} == {"creative-copy"}
    assert results[2].receipt.verdict is not Verdict.FAIL


def test_seeds_and_words_work_there_too(engine: Engine) -> None:
    first, again, other = (made(engine, "ihc", seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert distance(first, other) > 0.001


def test_a_picture_can_be_refined_at_its_own_size(engine: Engine, photo: str) -> None:
    results = [made(engine, photo, "1x", creativity=creativity) for creativity in (0.1, 0.3, 0.5)]
    assert {one.pixels.shape for one in results} == {(SIDE_PX, SIDE_PX, 3)}
    before = small(photo).astype(np.float32) / 255
    changes = [float(np.abs(one.floats - before).mean()) for one in results]
    assert changes == sorted(set(changes))
    assert changes[0] > 0.002
    # Still the same picture.
    assert min(np.corrcoef(one.floats.ravel(), before.ravel())[0, 1] for one in results) > 0.9


def test_the_plan_follows_from_size_and_request_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    request = UpscaleRequest(mode=Mode.CREATIVE)
    for pixels, method in (
        (96, "creative"),
        (400, "creative"),
        (600, "creative-copy"),
        (3000, "creative-copy"),
    ):
        size = Size(pixels, pixels)
        found = engine.plan(size, request)
        assert found.method == method
        assert found == engine.plan(size, request)
        assert found.texture is not None
        assert found.texture.tiling.pixels * found.texture.runs <= plan.CREATIVE_PIXELS_MAX
    # More passes leave less for each.
    copies = [
        engine.plan(Size(600, 600), UpscaleRequest(mode=Mode.CREATIVE, refinement=refinement)).texture
        for refinement in (0, 1, 2, 3, 4)
    ]
    sizes = [copy.size.pixels for copy in copies if copy is not None]
    assert len(sizes) == 5
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] / 2
