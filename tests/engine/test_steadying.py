"""Hard edges, at which the fast network runs away: what is shown instead, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine import networks, steadying
from enlarger.engine.engine import Engine
from enlarger.engine.networks import UNSTEADY
from enlarger.engine.receipt import Receipt, Verdict
from enlarger.engine.runtimes import Precision, Samples
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.engine.steadying import CELL_SIDES_PX, REACH_PX, WAY_OUT, departure
from enlarger.errors import ReceiptFailed
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets, known_networks
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Target
from tests.engine.conftest import Upscale
from tests.support.drawn import (
    chequers,
    dithered_ramp,
    drawing,
    hard_lines,
    one_bit_noise,
    screenshot,
    text_on_white,
)
from tests.support.imresize import smaller
from tests.support.photos import crop, photo, psnr
from tests.support.toys import HarmfulRuntime

SPECK_LEVELS = 40
"""A speck: the mean of a result over an input pixel is farther than this from it."""
DRAWN = {
    "text of 10 px": text_on_white(10),
    "text of 12 px": text_on_white(12),
    "text of 22 px": text_on_white(22),
    "lines": hard_lines(),
    "drawing": drawing(),
    "screenshot": screenshot(),
}
SINGLE_PIXELS = {
    "chequers": chequers(1),
    "chequers of 2": chequers(2),
    "chequers of 3": chequers(3),
    "dithered ramp": dithered_ramp(),
    "noise": one_bit_noise(),
}
PHOTOS = ["astronaut", "chelsea", "rocket", "motorcycle_left", "camera", "ihc", "grass", "brick", "gravel"]


def _run(
    engine: Engine, pixels: NDArray, target: str = "4x", **options: int
) -> tuple[NDArray[np.uint8], Receipt]:
    request = UpscaleRequest(target=Target.parse(target))
    rendering = engine.upscale(Picture.of(np.ascontiguousarray(pixels)), request, **options)
    return rendering.collect().colour.array(), rendering.receipt()


def _specks(result: NDArray[np.uint8], source: NDArray[np.uint8]) -> int:
    return int(np.count_nonzero(departure(result, source) > SPECK_LEVELS / 255))


@pytest.fixture(params=[Precision.AUTO, pytest.param(Precision.F32, marks=pytest.mark.whole)])
def precise(request: pytest.FixtureRequest, runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    """As the product runs here; and in f32, as it runs for 16 bits."""
    return Engine(runtime, store, known_assets(), request.param)


def _bare(engine: Engine, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What `engine` gives without a second look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "UNSTEADY", frozenset())
        return _run(engine, pixels)[0]


@pytest.mark.parametrize("name", DRAWN)
def test_text_and_lines_have_no_specks(precise: Engine, name: str) -> None:
    source = DRAWN[name]
    result, receipt = _run(precise, source)
    before, after = _specks(_bare(precise, source), source), _specks(result, source)
    assert before >= 30
    assert after <= before / 8
    assert receipt.verdict is not Verdict.FAIL, receipt.reasons
    assert any("hard edges at which the network is unsteady" in note for note in receipt.notes)
    # By design and not a fault of this machine or this run.
    assert "f32" not in receipt.repairs


@pytest.mark.parametrize("name", DRAWN)
def test_what_was_drawn_comes_back_no_farther_from_what_it_was(engine: Engine, name: str) -> None:
    """As pixels that only grew larger, and as what was drawn large and made small with care."""
    source = DRAWN[name]
    larger = source.repeat(4, axis=0).repeat(4, axis=1)
    small, truth = smaller(source[: len(source) // 4 * 4, : source.shape[1] // 4 * 4], 4)
    for pixels, wanted in ((source, larger), (small, truth)):
        assert psnr(_run(engine, pixels)[0], wanted) >= psnr(_bare(engine, pixels), wanted) - 0.05


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photograph_is_what_it_was_bit_for_bit(engine: Engine, name: str) -> None:
    pixels = np.ascontiguousarray(photo(name)[:400, :500])
    result, receipt = _run(engine, pixels)
    np.testing.assert_array_equal(result, _bare(engine, pixels))
    assert receipt.notes == ()


def test_dots_at_a_highlight_of_a_photograph_go_and_the_rest_of_it_stays(engine: Engine) -> None:
    pixels = np.ascontiguousarray(photo("coffee")[150:350, 300:500])
    before, after = _bare(engine, pixels), _run(engine, pixels)[0]
    assert _specks(before, pixels) > 5
    assert _specks(after, pixels) == 0
    assert np.count_nonzero((before != after).any(axis=2)) < 0.01 * before.shape[0] * before.shape[1]


@pytest.mark.parametrize("tile_px", [97 * 97, 128 * 100])
@pytest.mark.parametrize("name", ["text of 10 px", "lines", "noise"])
def test_tiles_are_bit_identical_where_the_network_runs_away(
    precise: Engine, name: str, tile_px: int
) -> None:
    pixels = {**DRAWN, "noise": one_bit_noise(150)}[name]
    whole, told = _run(precise, pixels)
    tiled, told_in_tiles = _run(precise, pixels, tile_px=tile_px)
    np.testing.assert_array_equal(tiled, whole)
    assert told.notes == told_in_tiles.notes != ()


def test_16_bits_are_steadied_too_and_their_tiles_are_as_identical(engine: Engine) -> None:
    pixels = np.ascontiguousarray(hard_lines()[:, :200]).astype(np.uint16) * 257
    whole = _run(engine, pixels)[0]
    np.testing.assert_array_equal(_run(engine, pixels, tile_px=97 * 97)[0], whole)
    source = np.ascontiguousarray(hard_lines()[:, :200])
    assert _specks((whole // 257).astype(np.uint8), source) < _specks(_bare(engine, source), source) / 8


def test_the_halo_has_room_for_the_second_look(store: ModelStore) -> None:
    for name in UNSTEADY:
        entry = known_networks()[name]
        assert store.load(entry).radius_px + REACH_PX <= entry.halo_px


def test_only_tiles_with_specks_are_run_again(runtime: OpenVinoRuntime, store: ModelStore) -> None:
    counting = HarmfulRuntime(runtime)
    engine = Engine(counting, store, known_assets())
    beside = np.concatenate((crop("astronaut", 200, 160), text_on_white(12)[:, :100]), axis=1)
    rendering = engine.upscale(
        Picture.of(np.ascontiguousarray(beside)), UpscaleRequest(), tile_px=110 * 160
    )
    rendering.collect()
    assert rendering.plan.tiles < counting.tiles < 2 * rendering.plan.tiles


@pytest.mark.parametrize("sides_px", [(40,), (64,), CELL_SIDES_PX])
def test_a_speck_is_looked_at_alone_and_gives_the_same_pixels(
    runtime: OpenVinoRuntime, store: ModelStore, monkeypatch: pytest.MonkeyPatch, sides_px: tuple[int, ...]
) -> None:
    pixels = np.array(photo("coffee")[:390, 100:500])
    # At a corner, across the border of two squares and of two tiles, and alone.
    for top, left in ((0, 0), (62, 250), (300, 198)):
        pixels[top : top + 16, left : left + 40] = text_on_white(10)[:16, :40]

    def run(tile_px: int) -> tuple[NDArray[np.uint8], int]:
        counting = HarmfulRuntime(runtime)
        result, _ = _run(Engine(counting, store, known_assets()), pixels, tile_px=tile_px)
        return result, counting.pixels

    monkeypatch.setattr(steadying, "CELL_SIDES_PX", (1000,))
    whole, whole_px = run(400 * 400)
    assert whole_px == 2 * 390 * 400
    monkeypatch.setattr(steadying, "CELL_SIDES_PX", sides_px)
    for tile_px in (400 * 400, 250 * 250):
        found, found_px = run(tile_px)
        np.testing.assert_array_equal(found, whole)
        assert found_px < 0.85 * whole_px


@pytest.mark.parametrize("name", SINGLE_PIXELS)
def test_single_pixels_of_black_and_white_pass_at_4x(precise: Engine, name: str) -> None:
    result, receipt = _run(precise, SINGLE_PIXELS[name])
    assert receipt.verdict is not Verdict.FAIL, receipt.reasons
    assert receipt.consistency_db > 26
    assert _specks(result, SINGLE_PIXELS[name]) <= 0.01 * 96 * 96


def test_what_the_network_cannot_read_is_shown_as_it_is_and_told(engine: Engine) -> None:
    source = chequers(1)
    result, receipt = _run(engine, source)
    np.testing.assert_array_equal(result, source.repeat(4, axis=0).repeat(4, axis=1))
    assert receipt.repairs == {"plain": 1}
    assert receipt.verdict is Verdict.WARN
    assert any("100.0 % of the input" in note and "shown as it is" in note for note in receipt.notes)


def test_a_failure_at_hard_edges_names_the_way_out(engine: Engine) -> None:
    rendering = engine.upscale(Picture.of(chequers(1)), UpscaleRequest(target=Target.parse("2x")))
    rendering.collect()
    with pytest.raises(ReceiptFailed, match="come through the fast mode at 4x"):
        rendering.receipt().demand()
    assert rendering.receipt().reasons[-1] == WAY_OUT


@pytest.mark.parametrize("target", ["2x", "4x"])
def test_the_conservative_mode_keeps_small_text_at_any_size(enlarge: Upscale, target: str) -> None:
    source = text_on_white(12)[:64, :64]
    _, receipt = enlarge(source, target, Mode.CONSERVATIVE)
    assert receipt.verdict is Verdict.PASS, receipt.reasons
    assert receipt.consistency_db > 30


def test_a_hole_in_the_networks_answer_is_filled_and_told(
    runtime: OpenVinoRuntime, store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The whole tile again, in which the fault has its place.
    monkeypatch.setattr(steadying, "CELL_SIDES_PX", ())

    def black_square(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        answer[200:264, 200:264] = 0
        return answer

    source = np.clip(crop("coffee", 120, 100), 90, 255).astype(np.uint8)
    result, receipt = _run(Engine(HarmfulRuntime(runtime, black_square), store, known_assets()), source)
    inside = source[51:65, 51:65].repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(result[204:260, 204:260], inside)
    assert receipt.repairs == {"plain": 1}
    assert receipt.verdict is Verdict.WARN
