"""Plans: what will be done is known beforehand, and does not grow where it must not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enlarger.engine.engine import Engine
from enlarger.engine.plan import TEXTURE_PIXELS_MAX, Method, Plan
from enlarger.errors import BadParameter, PictureTooLarge
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets, known_networks
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Size, Target
from tests.support.photos import crop
from tests.support.toys import ToyRuntime

GIB = 2**30
FOUR_MEGAPIXELS = Target.about(4_194_304)


@pytest.fixture(scope="module")
def planner(store: ModelStore) -> Engine:
    """The engine with the real networks' facts, and a runtime that runs none."""
    return Engine(ToyRuntime(), store, known_assets())


def _plan(planner: Engine, size: Size, target: str = "4x", mode: Mode = Mode.FAST, **options: int) -> Plan:
    return planner.plan(size, UpscaleRequest(mode=mode, target=Target.parse(target)), **options)


@pytest.mark.parametrize(("target", "passes"), [("1x", 1), ("4x", 1), ("5x", 2), ("16x", 2), ("64x", 3)])
def test_passes_reach_the_target_and_no_further(planner: Engine, target: str, passes: int) -> None:
    plan = _plan(planner, Size(30, 20), target)
    assert plan.method is Method.FAST
    assert len(plan.passes) == passes
    assert all(step.texture is None for step in plan.passes)


@pytest.mark.parametrize(
    ("size", "method"),
    [
        (Size(64, 64), Method.TEXTURE),
        (Size(320, 320), Method.TEXTURE),
        (Size(512, 512), Method.DETAIL),
        (Size(1000, 1000), Method.DETAIL),
        (Size(1550, 1550), Method.DETAIL),
        (Size(3072, 3072), Method.REFINE),
    ],
)
def test_size_and_request_alone_choose_how_conservative_works(
    planner: Engine, size: Size, method: Method
) -> None:
    request = UpscaleRequest(mode=Mode.CONSERVATIVE, target=FOUR_MEGAPIXELS)
    plan = planner.plan(size, request)
    assert plan.method is method
    assert plan == planner.plan(size, request)


@settings(deadline=None, max_examples=60)
@given(st.integers(64, 3200), st.integers(64, 3200))
def test_the_large_network_never_sees_more_than_30_s_allow(
    planner: Engine, width: int, height: int
) -> None:
    plan = planner.plan(Size(width, height), UpscaleRequest(mode=Mode.CONSERVATIVE, target=FOUR_MEGAPIXELS))
    seen = sum(step.texture.pixels for step in plan.passes if step.texture is not None)
    assert seen <= TEXTURE_PIXELS_MAX


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("bits", [8, 16])
def test_memory_is_flat_beyond_four_megapixels_and_within_its_bounds(
    planner: Engine, mode: Mode, bits: int
) -> None:
    limit = GIB if mode is Mode.FAST else 2 * GIB
    # Four times the picture each, the last one with an output of four gigapixels.
    plans = [
        _plan(planner, Size(side * 1000, side * 1000), "4x", mode, bits=bits) for side in (2, 4, 8, 16)
    ]
    memory = [plan.memory_bytes for plan in plans]
    assert max(memory) <= 1.4 * memory[0]
    assert max(memory) < limit


def test_a_very_wide_picture_takes_lower_tiles_and_no_more_memory(planner: Engine) -> None:
    square, wide = _plan(planner, Size(4000, 4000)), _plan(planner, Size(40_000, 400))
    assert wide.memory_bytes < 1.3 * square.memory_bytes
    assert wide.passes[0].base.tile.height < square.passes[0].base.tile.height


@pytest.mark.parametrize("has_alpha", [False, True])
@pytest.mark.parametrize(
    ("size", "target", "bits"),
    [
        (Size(24_000, 40), "8x", 8),
        (Size(24_000, 40), "4x", 16),
        (Size(30_000, 50), "8x", 8),
        (Size(8000, 1000), "8x", 16),
        (Size(12_000, 1500), "8x", 8),
        (Size(20_000, 2000), "4x", 16),
        (Size(60_000, 100), "4x", 8),
    ],
)
def test_a_panorama_stays_within_the_bounds_of_fast(
    planner: Engine, size: Size, target: str, bits: int, has_alpha: bool
) -> None:
    request = UpscaleRequest(target=Target.parse(target))
    plan = planner.plan(size, request, has_alpha=has_alpha, bits=bits)
    assert plan.memory_bytes < GIB


def test_arithmetic_follows_from_the_pixels_seen(planner: Engine, store: ModelStore) -> None:
    plan = _plan(planner, Size(600, 400))
    network = store.load(known_networks()["span-x4-ch48"])
    assert plan.flops == plan.passes[0].base.pixels * network.flops_per_px
    assert plan.tiles == plan.passes[0].base.count


def test_transparency_is_planned_for(planner: Engine) -> None:
    plain = _plan(planner, Size(600, 400))
    request = UpscaleRequest()
    clear = planner.plan(Size(600, 400), request, has_alpha=True)
    assert clear.tiles == 2 * plain.tiles
    assert clear.flops == 2 * plain.flops


def test_too_large_a_result_is_refused_before_any_work(store: ModelStore) -> None:
    runtime = ToyRuntime()
    engine = Engine(runtime, store, known_assets())
    with pytest.raises(PictureTooLarge, match="at most 1000 are allowed"):
        engine.upscale(Picture.of(crop("coffee", 60, 40)), UpscaleRequest(), max_pixels=1000)
    assert runtime.shapes == []


def test_a_tile_that_is_all_halo_is_refused_by_name(planner: Engine) -> None:
    with pytest.raises(BadParameter, match=r"tile: .* nothing left inside a halo of 24") as caught:
        _plan(planner, Size(600, 400), tile_px=48 * 48)
    assert caught.value.param == "tile"


def test_seams_are_where_the_tiles_begin(planner: Engine) -> None:
    plan = _plan(planner, Size(600, 400), "2x", tile_px=200 * 200)
    tiling = plan.passes[0].base
    rows, columns = plan.seams
    assert rows == [2 * span.keep_start for span in tiling.rows[1:]]
    assert columns == [2 * span.keep_start for span in tiling.columns[1:]]
    assert rows or columns
