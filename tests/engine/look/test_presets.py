"""Seventeen presets, each with an effect of its own that it declares."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from enlarger.engine.look.grade import apply
from enlarger.engine.look.presets import PRESETS
from enlarger.engine.look.prompt import Router
from enlarger.engine.look.statistics import measure
from tests.engine.look.conftest import PHOTOS, as_floats

STABILITY = (
    "enhance anime photographic digital-art comic-book fantasy-art line-art analog-film neon-punk"
    " isometric low-poly origami modeling-compound cinematic 3d-model pixel-art tile-texture"
)


def test_they_are_the_vendors() -> None:
    assert set(PRESETS) == set(STABILITY.split())
    assert len(PRESETS) == 17


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("name", PRESETS)
def test_each_moves_the_statistic_that_it_declares(router: Router, name: str, photo: str) -> None:
    preset, resolved, picture = PRESETS[name], router.route(preset=name), as_floats(photo)
    graded = apply(picture, resolved.axes, resolved.finishes, seed=1, top=0)
    change = measure(preset.moves, graded) - measure(preset.moves, picture)
    assert change > 0 if preset.up else change < 0


def test_every_pair_gives_another_picture(router: Router) -> None:
    picture = as_floats("astronaut")[::4, ::4]
    made = {}
    for name in PRESETS:
        resolved = router.route(preset=name)
        graded = apply(picture, resolved.axes, resolved.finishes, seed=1, top=0)
        made[name] = np.round(graded * 255).astype(np.uint8)
    for left, right in combinations(made, 2):
        assert (made[left] != made[right]).mean() > 0.02, (left, right)


def test_every_pair_resolves_otherwise(router: Router) -> None:
    resolved = [router.route(preset=name) for name in PRESETS]
    for left, right in combinations(resolved, 2):
        assert (left.axes, left.finishes) != (right.axes, right.finishes)
    for one in resolved:
        assert 0 <= one.grain_share <= 1
        assert 0 <= one.texture_floor <= 0.5
        assert not one.axes.is_neutral
