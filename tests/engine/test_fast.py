"""The fast plan on real photographs with the real network."""

from __future__ import annotations

import numpy as np
import pytest
from enlarger.engine.fast import upscale_fast
from numpy.typing import NDArray

from enlarger.engine.engine import NETWORKS, Engine
from enlarger.engine.runtimes import CompiledNetwork, Precision, Samples
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.errors import Cancelled, Collapsed, PictureTooLarge
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_networks
from enlarger.request import Mode, UpscaleRequest
from tests.support.photos import crop, photo, psnr, scaled

[FAST_NETWORK] = NETWORKS[Mode.FAST]
HALO_PX = known_networks()[FAST_NETWORK].halo_px


@pytest.fixture(scope="module", params=[Precision.F32, Precision.BF16])
def network(request: pytest.FixtureRequest, store: ModelStore) -> CompiledNetwork:
    runtime = OpenVinoRuntime()
    if request.param not in runtime.device.precisions:
        pytest.skip("this processor has no bf16 units, so the product never runs bf16 on it")
    return runtime.compile(store.load(known_networks()[FAST_NETWORK]), request.param)


@pytest.mark.parametrize("tile_px", [97, 128, 200])
def test_tiles_are_bit_identical_to_the_whole_picture(network: CompiledNetwork, tile_px: int) -> None:
    picture = Picture(crop("coffee", 331, 257))
    whole = upscale_fast(picture, network, halo_px=HALO_PX, factor=4, tile_px=1000)
    tiled = upscale_fast(picture, network, halo_px=HALO_PX, factor=4, tile_px=tile_px)
    np.testing.assert_array_equal(tiled.pixels, whole.pixels)


def test_a_halo_below_the_radius_would_be_seen(network: CompiledNetwork) -> None:
    picture = Picture(crop("coffee", 331, 257))
    whole = upscale_fast(picture, network, halo_px=HALO_PX, factor=4, tile_px=1000)
    tiled = upscale_fast(picture, network, halo_px=4, factor=4, tile_px=97)
    assert (tiled.pixels != whole.pixels).any()


class Nearest:
    """A network of a few lines: every pixel `scale` times, and what it was given."""

    precision = Precision.F32

    def __init__(self, scale: int = 4, fault: Exception | None = None) -> None:
        self.scale = scale
        self.shapes: list[tuple[int, ...]] = []
        self._fault = fault

    def run(self, tile: Samples) -> Samples:
        self.shapes.append(tile.shape)
        if self._fault is not None:
            raise self._fault
        return tile.repeat(self.scale, axis=0).repeat(self.scale, axis=1)


def test_every_tile_has_the_same_shape() -> None:
    network = Nearest()
    upscale_fast(Picture(scaled("coffee", 1000, 700)), network, halo_px=24, factor=4)
    assert len(network.shapes) == 4
    assert len(set(network.shapes)) == 1


@pytest.mark.parametrize(
    ("factor", "passes", "size"),
    [(1, 1, (30, 20)), (2.5, 1, (75, 50)), (4, 1, (120, 80)), (6, 2, (180, 120)), (64, 3, (1920, 1280))],
)
def test_any_factor_is_passes_and_a_resample(factor: float, passes: int, size: tuple[int, int]) -> None:
    network = Nearest()
    progress: list[tuple[int, int]] = []
    result = upscale_fast(
        Picture(crop("coffee", 30, 20)),
        network,
        halo_px=24,
        factor=factor,
        on_tile=lambda done, total: progress.append((done, total)),
    )
    assert (result.width, result.height) == size
    assert {shape[0] for shape in network.shapes} <= {20, 80, 320}
    assert len({shape for shape in network.shapes if shape[0] in (20, 80)}) == min(passes, 2)
    assert progress == [(done, progress[-1][1]) for done in range(1, progress[-1][1] + 1)]


def test_transparency_and_profile_are_carried(astronaut: NDArray[np.uint8]) -> None:
    alpha = np.zeros((40, 60), np.uint8)
    alpha[:, 30:] = 255
    picture = Picture(crop("coffee", 60, 40), alpha, b"a profile")
    result = upscale_fast(picture, Nearest(), halo_px=24, factor=4)
    assert result.alpha is not None
    assert result.alpha.shape == (160, 240)
    assert (result.alpha[:, :110] == 0).all()
    assert (result.alpha[:, 130:] == 255).all()
    assert result.icc_profile == b"a profile"


def test_too_large_a_result_is_refused_before_any_work() -> None:
    network = Nearest()
    with pytest.raises(PictureTooLarge):
        upscale_fast(Picture(crop("coffee", 60, 40)), network, halo_px=24, factor=4, max_pixels=1000)
    assert network.shapes == []


def test_progress_may_stop_the_work_at_a_tile() -> None:
    network = Nearest()

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        upscale_fast(Picture(scaled("coffee", 1000, 700)), network, halo_px=24, factor=4, on_tile=stop)
    assert len(network.shapes) == 1


def test_values_that_are_no_numbers_are_an_error_and_no_black_tile(store: ModelStore) -> None:
    network = store.load(known_networks()[FAST_NETWORK])
    first = next(node for node in network.nodes if hasattr(node.operation, "weight"))
    first.operation.weight[0, 0, 0, 0] = np.nan
    compiled = OpenVinoRuntime().compile(network)
    with pytest.raises(Collapsed, match="not numbers for a tile of 64x48"):
        compiled.run(crop("coffee", 64, 48))


def test_a_photograph_comes_back_sharper_than_bicubic(store: ModelStore) -> None:
    """A first look at quality: a photograph made small and enlarged again is nearer the original."""
    from PIL import Image

    truth = photo("astronaut")
    small = np.asarray(Image.fromarray(truth).resize((128, 128), Image.Resampling.BICUBIC))
    engine = Engine(OpenVinoRuntime(), store, known_networks())
    ours = engine.upscale(Picture(small), UpscaleRequest(scale=4)).pixels
    bicubic = np.asarray(Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC))
    assert psnr(ours, truth) > psnr(bicubic, truth) + 1.5
