"""The conservative mode with the real networks: what it adds, and what it never loses."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.engine import Engine
from enlarger.engine.plan import Method
from enlarger.engine.receipt import Verdict
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Size
from tests.engine.conftest import Upscale
from tests.support.imresize import smaller
from tests.support.measures import blockiness, fine_energy, y_psnr
from tests.support.photos import crop, encoded, mosaic, photo, psnr

CREATIVITIES = (0.2, 0.35, 0.5)
PHOTOS = ["astronaut", "coffee", "motorcycle_left", "grass"]


def _keeps_its_promises(
    enlarge: Upscale, source: NDArray[np.uint8], truth: NDArray[np.uint8], factor: int, method: Method
) -> None:
    faithful, _ = enlarge(source, f"{factor}x")
    energies = [fine_energy(faithful, factor)]
    distances = []
    for creativity in CREATIVITIES:
        result, receipt = enlarge(source, f"{factor}x", Mode.CONSERVATIVE, creativity=creativity)
        assert receipt.plan == method
        assert receipt.verdict is Verdict.PASS
        assert receipt.consistency_db >= 45
        energies.append(fine_energy(result, factor))
        distances.append(y_psnr(result, truth))
    assert energies == sorted(set(energies))
    assert distances[0] >= y_psnr(faithful, truth) - 0.3
    assert distances[0] - distances[-1] <= 0.6


@pytest.mark.parametrize("name", PHOTOS)
def test_creativity_adds_fine_detail_and_stays_true_to_a_small_input(enlarge: Upscale, name: str) -> None:
    source, truth = smaller(crop(name, 256, 256), 4)
    assert source.shape == (64, 64, 3)
    _keeps_its_promises(enlarge, source, truth, 4, Method.TEXTURE)


def test_and_so_it_does_where_no_large_network_can_be_paid_for(enlarge: Upscale) -> None:
    """As for a megapixel: the same plan. `make bench` has the megapixel itself."""
    source, truth = smaller(mosaic(1024, 1024), 2)
    _keeps_its_promises(enlarge, source, truth, 2, Method.DETAIL)


@pytest.mark.parametrize("name", [*PHOTOS, "page"])
def test_a_picture_that_keeps_its_size_is_refined_and_never_worse(enlarge: Upscale, name: str) -> None:
    source = photo(name)
    energies = [fine_energy(source, 2)]
    for creativity in CREATIVITIES:
        result, receipt = enlarge(source, "100px", Mode.CONSERVATIVE, creativity=creativity)
        assert receipt.plan == Method.REFINE
        assert result.shape == source.shape
        assert psnr(result, source) >= 40
        energies.append(fine_energy(result, 2))
    assert energies == sorted(set(energies))


@pytest.mark.parametrize("name", ["astronaut", "motorcycle_left"])
def test_a_damaged_input_loses_its_blocks_and_nothing_else(enlarge: Upscale, name: str) -> None:
    source, truth = smaller(crop(name, 448, 448), 4)
    damaged = np.asarray(Image.open(io.BytesIO(encoded(source, "JPEG", quality=40))))
    faithful, _ = enlarge(damaged, "4x")
    result, receipt = enlarge(damaged, "4x", Mode.CONSERVATIVE)
    assert any("JPEG of quality 4" in note or "JPEG of quality 3" in note for note in receipt.notes)
    seen, seen_before, clean = (blockiness(picture, 4) for picture in (result, faithful, truth))
    assert seen < clean + (seen_before - clean) / 3
    after, before = psnr(result, truth), psnr(faithful, truth)
    assert after >= before


def test_tiles_of_the_large_network_are_within_five_levels(engine: Engine) -> None:
    picture = Picture.of(crop("astronaut", 160, 112))
    request = UpscaleRequest(mode=Mode.CONSERVATIVE, creativity=1.0)
    plans = [engine.plan(Size(160, 112), request, tile_px=tile_px) for tile_px in (160 * 112, 14_400)]
    assert [plan.tiles for plan in plans] == [2, 4]
    whole, tiled = (
        engine.upscale(picture, request, tile_px=tile_px).collect().colour.array().astype(int)
        for tile_px in (160 * 112, 14_400)
    )
    assert np.abs(tiled - whole).max() <= 5


def test_without_creativity_nothing_is_added_but_the_way_back_to_the_input(enlarge: Upscale) -> None:
    source, _ = smaller(crop("chelsea", 256, 256), 4)
    faithful, before = enlarge(source)
    result, receipt = enlarge(source, "4x", Mode.CONSERVATIVE, creativity=0.0)
    assert psnr(result, faithful) > 40
    assert receipt.consistency_db > before.consistency_db


def test_the_default_creativity_is_035(enlarge: Upscale) -> None:
    source = crop("coffee", 48, 48)
    plain, _ = enlarge(source, "2x", Mode.CONSERVATIVE)
    said, _ = enlarge(source, "2x", Mode.CONSERVATIVE, creativity=0.35)
    np.testing.assert_array_equal(plain, said)


def test_16_bits_stay_16_bits(engine: Engine) -> None:
    source = crop("coffee", 48, 48).astype(np.uint16) * 257
    rendering = engine.upscale(Picture.of(source), UpscaleRequest(mode=Mode.CONSERVATIVE))
    result = rendering.collect().colour.array()
    assert result.dtype == np.uint16
    assert len(np.unique(result)) > 256
    assert rendering.receipt().consistency_db >= 45
