"""The fast mode on real photographs with the real network: tiles, depth, grey, transparency, progress."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.engine import FAITHFUL, Engine
from enlarger.engine.runtimes import Precision
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.errors import Cancelled
from enlarger.imaging import Picture, Raster
from enlarger.models import ModelStore, known_networks
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Size, Target
from tests.support.drawn import ramp, sprite
from tests.support.photos import crop, flat, photo, psnr
from tests.support.toys import ToyRuntime

FOUR = UpscaleRequest()


def _to(target: str) -> UpscaleRequest:
    return UpscaleRequest(target=Target.parse(target))


def _size(picture: Picture) -> Size:
    return Size(picture.width, picture.height)


def _colours(engine: Engine, picture: Picture, request: UpscaleRequest = FOUR, **options: int) -> NDArray:
    return engine.upscale(picture, request, **options).collect().colour.array()


@pytest.fixture(scope="module", params=[Precision.F32, Precision.BF16])
def precise(request: pytest.FixtureRequest, runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    if request.param not in runtime.device.precisions:
        pytest.skip("this processor has no bf16 units, so the product never runs bf16 on it")
    return Engine(runtime, store, known_networks(), request.param)


@pytest.mark.parametrize("tile_px", [97 * 97, 128 * 128, 200 * 150])
def test_tiles_are_bit_identical_to_the_whole_picture(precise: Engine, tile_px: int) -> None:
    picture = Picture.of(crop("coffee", 331, 257))
    assert precise.plan(_size(picture), FOUR).tiles == 1
    assert precise.plan(_size(picture), FOUR, tile_px=tile_px).tiles > 3
    whole = _colours(precise, picture)
    np.testing.assert_array_equal(_colours(precise, picture, tile_px=tile_px), whole)


def test_two_passes_and_a_resample_do_not_depend_on_the_tiles_either(engine: Engine) -> None:
    picture = Picture.of(crop("chelsea", 60, 50))
    whole = _colours(engine, picture, _to("6x"))
    assert whole.shape == (300, 360, 3)
    np.testing.assert_array_equal(_colours(engine, picture, _to("6x"), tile_px=56 * 56), whole)


def test_a_halo_below_the_radius_would_be_seen(runtime: OpenVinoRuntime, store: ModelStore) -> None:
    catalogue = known_networks()
    short = {**catalogue, FAITHFUL: replace(catalogue[FAITHFUL], halo_px=4)}
    careless = Engine(runtime, store, short)
    picture = Picture.of(crop("coffee", 331, 257))
    whole = _colours(careless, picture)
    assert (_colours(careless, picture, tile_px=97 * 97) != whole).any()


def test_equal_requests_give_equal_pixels(engine: Engine) -> None:
    picture = Picture.of(crop("astronaut", 120, 90))
    np.testing.assert_array_equal(_colours(engine, picture), _colours(engine, picture))


@pytest.mark.parametrize(
    ("target", "size"), [("1x", (60, 40)), ("2.5x", (150, 100)), ("100w", (100, 67)), ("17x", (1020, 680))]
)
def test_any_size_is_reached_exactly(engine: Engine, target: str, size: tuple[int, int]) -> None:
    rendering = engine.upscale(Picture.of(crop("coffee", 60, 40)), _to(target))
    result = rendering.collect()
    assert (rendering.size.width, rendering.size.height) == (result.width, result.height) == size
    rendering.receipt().demand()


def test_a_box_is_cut_or_padded_around_the_same_picture(engine: Engine) -> None:
    picture = Picture.of(crop("coffee", 60, 40))
    whole = _colours(engine, picture, _to("240x160"))
    filled = _colours(engine, picture, _to("200x160 fill"))
    np.testing.assert_array_equal(filled, whole[:, 20:220])
    padded = _colours(engine, picture, _to("300x160 pad"))
    np.testing.assert_array_equal(padded[:, 30:270], whole)
    assert (padded[:, :30] == 255).all()
    assert (padded[:, 270:] == 255).all()


def test_around_a_picture_with_transparency_the_padding_is_clear(engine: Engine) -> None:
    opaque = np.full((40, 60), 255, np.uint8)
    picture = Picture.of(crop("coffee", 60, 40), opaque)
    alpha = flat(engine.upscale(picture, _to("240x200 pad")).collect().alpha)
    assert (alpha[:20] == 0).all()
    assert (alpha[180:] == 0).all()
    assert (alpha[20:180] == 255).all()


def test_a_ramp_of_16_bits_stays_a_ramp(engine: Engine) -> None:
    slope = ramp()
    result = _colours(engine, Picture.of(slope))
    assert result.dtype == np.uint16
    row = result[result.shape[0] // 2, 64:-64].astype(int)
    # It rises throughout: a network's own grain is far below a level of 8 bits, which is 257 here.
    assert np.diff(row, axis=0).min() >= -16
    assert (np.diff(row[: len(row) // 16 * 16].reshape(-1, 16, 3).mean(axis=1), axis=0) > 0).all()
    # Ten levels of 8 bits; an engine that went through bytes would leave as many.
    assert all(len(np.unique(row[:, channel])) > 1000 for channel in range(3))
    columns = (np.arange(result.shape[1]) + 0.5) / 4 - 0.5
    exact = np.interp(columns, np.arange(slope.shape[1]), slope[0, :, 0])[np.newaxis, :, np.newaxis]
    assert psnr(result[64:-64, 64:-64], np.broadcast_to(exact, result.shape)[64:-64, 64:-64], 65_535) > 50


def test_grey_stays_grey(engine: Engine) -> None:
    picture = replace(Picture.of(np.ascontiguousarray(photo("camera")[100:180, 100:200])), is_grey=True)
    rendering = engine.upscale(picture, FOUR)
    for band in rendering.rows():
        assert band.shape[1:] == (400, 1)
    result = engine.upscale(picture, FOUR).collect()
    assert result.is_grey
    assert (np.ptp(result.colour.array(), axis=2) == 0).all()


def test_profile_and_metadata_are_carried(engine: Engine) -> None:
    picture = Picture.of(crop("coffee", 60, 40), None, b"a profile")
    assert engine.upscale(picture, FOUR).collect().icc_profile == b"a profile"


def _with_alpha(engine: Engine, colour: NDArray, alpha: NDArray) -> tuple[NDArray, NDArray]:
    result = engine.upscale(Picture.of(colour, alpha), FOUR).collect()
    return result.colour.array(), flat(result.alpha)


def test_opaque_stays_opaque_and_clear_stays_clear_to_the_bit(engine: Engine) -> None:
    colour = crop("coffee", 80, 60)
    for level in (0, 255):
        _, alpha = _with_alpha(engine, colour, np.full((60, 80), level, np.uint8))
        assert (alpha == level).all()


def test_a_hard_edged_sprite_keeps_flat_insides_and_narrow_edges(engine: Engine) -> None:
    figure = sprite(4, tiles=1)
    _, alpha = _with_alpha(
        engine, np.ascontiguousarray(figure[..., :3]), np.ascontiguousarray(figure[..., 3])
    )
    truth = figure[..., 3].repeat(4, axis=0).repeat(4, axis=1)
    assert psnr(alpha, truth) > 35
    edges = np.zeros(truth.shape, bool)
    edges[:, 1:] |= truth[:, 1:] != truth[:, :-1]
    edges[1:] |= truth[1:] != truth[:-1]
    near = edges.copy()
    for down in range(-6, 7):
        for across in range(-6, 7):
            near |= np.roll(edges, (down, across), (0, 1))
    # Specks beside the outline are what makes cut-out figures look torn.
    assert np.abs(alpha.astype(int) - truth)[~near].max() <= 16


def test_a_soft_edge_stays_soft(engine: Engine) -> None:
    slope = np.clip(np.linspace(-64, 319, 96), 0, 255).astype(np.uint8)
    alpha_in = np.broadcast_to(slope, (64, 96))
    _, alpha = _with_alpha(engine, crop("coffee", 96, 64), np.ascontiguousarray(alpha_in))
    row = alpha[128].astype(int)
    assert np.diff(row).min() >= -2
    expected = np.interp((np.arange(384) + 0.5) / 4 - 0.5, np.arange(96), slope)
    assert np.abs(row - expected).max() <= 6
    assert len(np.unique(row)) > 100


def test_every_tile_is_told_once_and_the_sum_is_the_plans(store: ModelStore) -> None:
    engine = Engine(ToyRuntime(), store, known_networks())
    alpha = np.arange(200 * 150, dtype=np.uint32).reshape(150, 200).astype(np.uint8)
    for picture, mode in [
        (Picture.of(crop("coffee", 200, 150)), Mode.FAST),
        (Picture.of(crop("coffee", 200, 150), alpha), Mode.FAST),
        (Picture.of(crop("coffee", 200, 150), alpha), Mode.CONSERVATIVE),
    ]:
        told: list[tuple[int, int]] = []
        request = UpscaleRequest(mode=mode, target=Target.parse("6x"))
        rendering = engine.upscale(
            picture,
            request,
            tile_px=120 * 120,
            on_tile=lambda done, total, told=told: told.append((done, total)),
        )
        assert told == []
        rendering.collect()
        assert told == [(number, rendering.plan.tiles) for number in range(1, rendering.plan.tiles + 1)]


def test_progress_may_stop_the_work_at_a_tile(store: ModelStore) -> None:
    runtime = ToyRuntime()
    engine = Engine(runtime, store, known_networks())

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.upscale(
            Picture.of(crop("coffee", 300, 200)), FOUR, tile_px=100 * 100, on_tile=stop
        ).collect()
    assert len(runtime.shapes) == 2


def test_every_tile_has_the_same_shape(store: ModelStore) -> None:
    runtime = ToyRuntime()
    engine = Engine(runtime, store, known_networks())
    picture = Picture(Raster.of(np.zeros((700, 1000, 3), np.uint8)))
    engine.upscale(picture, FOUR, tile_px=400 * 400).collect()
    assert len(runtime.shapes) > 3
    assert len(set(runtime.shapes)) == 1


def test_the_result_is_made_while_it_is_taken(store: ModelStore) -> None:
    runtime = ToyRuntime()
    rendering = Engine(runtime, store, known_networks()).upscale(
        Picture(Raster.of(np.zeros((1500, 200, 3), np.uint8))), FOUR, tile_px=100 * 100
    )
    next(iter(rendering.rows()))
    assert 0 < len(runtime.shapes) < rendering.plan.tiles / 2


def test_garbage_under_full_transparency_leaves_no_halo(engine: Engine) -> None:
    pytest.importorskip("enlarger.imaging.alpha", reason="hidden colours are not bled yet")
    rows, columns = np.indices((96, 96))
    inside = (rows - 48) ** 2 + (columns - 48) ** 2 < 30**2
    alpha = np.where(inside, 255, 0).astype(np.uint8)
    figure = np.where(inside[..., np.newaxis], (200, 40, 40), (0, 255, 0)).astype(np.uint8)
    colour, opacity = _with_alpha(engine, figure, alpha)
    seen = colour[opacity > 32].astype(int)
    # Red as it was, wherever anything can be seen: no green and no dark rim.
    assert np.abs(seen - (200, 40, 40)).max() <= 12
