"""The creative mode does not depend on how its picture is cut."""

from __future__ import annotations

import numpy as np
import pytest

from enlarger.engine.engine import Engine
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from tests.engine.creative.conftest import Made
from tests.support.photos import scaled

WIDE, HIGH = 144, 48
TILE_PX = 120 * HIGH
MEAN_LEVELS, FEW_LEVELS, MOST_LEVELS = 0.5, 5, 12
"""What tiles may change, in grey levels: in the mean, for all but one sample in a thousand, and ever.
Another seed changes two to four in the mean."""


@pytest.fixture(scope="module")
def whole_and_tiled(engine: Engine) -> tuple[Made, Made]:
    picture = Picture.of(
        np.ascontiguousarray(scaled("motorcycle_left", 210, 140)[56 : 56 + HIGH, 30 : 30 + WIDE])
    )
    request = UpscaleRequest(mode=Mode.CREATIVE, creativity=0.5)
    made = []
    for tile_px, tiles in ((None, 1), (TILE_PX, 2)):
        rendering = engine.upscale(picture, request, tile_px=tile_px)
        assert rendering.plan.texture is not None
        assert rendering.plan.texture.tiling.count == tiles
        made.append(Made(rendering.collect().colour.array(), rendering.receipt()))
    return made[0], made[1]


def test_tiles_change_a_few_levels_at_most(whole_and_tiled: tuple[Made, Made]) -> None:
    whole, tiled = whole_and_tiled
    difference = np.abs(whole.pixels.astype(int) - tiled.pixels)
    assert difference.mean() < MEAN_LEVELS
    assert np.percentile(difference, 99.9) <= FEW_LEVELS
    assert difference.max() <= MOST_LEVELS


def test_noise_is_the_places_so_no_seam_is_seen(whole_and_tiled: tuple[Made, Made]) -> None:
    tiled = whole_and_tiled[1]
    assert tiled.receipt.seam_energy < 1.2
    assert not any("seam" in reason for reason in tiled.receipt.reasons)
    # Steps where the tiles meet are those of the picture that was made in one.
    steps = [np.abs(np.diff(one.floats, axis=1))[:, 4 * WIDE // 2 - 1].mean() for one in whole_and_tiled]
    assert steps[1] == pytest.approx(steps[0], rel=0.05)
