"""Faults that were put in on purpose are healed and named, or are an error: with the real network."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.engine import FAITHFUL, Engine
from enlarger.engine.receipt import Receipt, Verdict
from enlarger.engine.runner import MEAN_DRIFT_MAX
from enlarger.engine.runtimes import Precision, Samples
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.errors import Collapsed, OutOfMemory
from enlarger.imaging import Format, Picture, decode
from enlarger.models import ModelStore, known_assets, known_networks
from enlarger.output import write
from enlarger.request import UpscaleRequest
from tests.conftest import MODELS, REPOSITORY
from tests.support.drawn import drawing, screenshot
from tests.support.photos import crop, encoded, mosaic, photo, psnr
from tests.support.toys import Harm, HarmfulRuntime, PoisonedRuntime, ToyRuntime, poisoned

PIXELS = crop("coffee", 331, 257)
TILE_PX = 128 * 128


def _run(engine: Engine, pixels: NDArray = PIXELS) -> tuple[NDArray[np.uint8], Receipt]:
    rendering = engine.upscale(Picture.of(pixels), UpscaleRequest(), tile_px=TILE_PX)
    return rendering.collect().colour.array(), rendering.receipt()


def _starved(*arguments: object) -> None:
    """As NumPy fails, whose error is one of these."""
    raise MemoryError("Unable to allocate 3.91 GiB for an array")


@pytest.mark.parametrize("way", ["collect", "rows", "write"])
def test_memory_that_is_not_found_outside_a_tile_is_an_error_with_a_remedy(
    store: ModelStore, way: str
) -> None:
    engine = Engine(ToyRuntime(), store, known_assets())
    rendering = engine.upscale(Picture.of(PIXELS), UpscaleRequest(), on_tile=_starved)
    recipe = engine.recipe(UpscaleRequest())
    ways = {
        "collect": rendering.collect,
        "rows": lambda: list(rendering.rows()),
        "write": lambda: write(rendering, io.BytesIO(), Format.WEBP, recipe=recipe),
    }
    with pytest.raises(OutOfMemory, match="close other programs") as told:
        ways[way]()
    assert isinstance(told.value.__cause__, MemoryError)


def test_memory_that_a_decoder_does_not_find_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("enlarger.imaging.decode"), "RasterWriter", _starved)
    with pytest.raises(OutOfMemory, match="to read this png"):
        decode(encoded(PIXELS))


@pytest.fixture
def clean(engine: Engine) -> NDArray[np.uint8]:
    result, receipt = _run(engine)
    assert receipt.verdict is Verdict.PASS
    assert receipt.repairs == {}
    return result


def _with(harm: Harm, runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    return Engine(HarmfulRuntime(runtime, harm), store, known_assets())


def _at_full_speed(runtime: OpenVinoRuntime) -> None:
    if runtime.device.precisions[0] is Precision.F32:
        pytest.skip("this processor runs f32 from the start: there is nothing to go back to")


def test_a_network_whose_values_are_no_numbers_runs_again_in_f32(
    runtime: OpenVinoRuntime, store: ModelStore, engine_f32: Engine
) -> None:
    _at_full_speed(runtime)
    result, receipt = _run(Engine(PoisonedRuntime(runtime), store, known_assets()))
    np.testing.assert_array_equal(result, _run(engine_f32)[0])
    assert receipt.repairs["f32"] > 1
    assert receipt.verdict is Verdict.WARN
    assert any("tiles were repaired: f32" in reason for reason in receipt.reasons)
    receipt.demand()


def test_values_that_are_no_numbers_in_f32_either_are_an_error(
    runtime: OpenVinoRuntime, store: ModelStore
) -> None:
    network = poisoned(store.load(known_networks()[FAITHFUL]))
    with pytest.raises(Collapsed, match="not numbers for a tile of 64x48"):
        runtime.compile(network, Precision.F32).run(crop("coffee", 64, 48))


@pytest.mark.parametrize("level", [0, 255])
def test_one_black_or_white_tile_runs_again_in_f32(
    runtime: OpenVinoRuntime, store: ModelStore, clean: NDArray, level: int
) -> None:
    _at_full_speed(runtime)
    given = 0

    def collapse(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        nonlocal given
        given += 1
        return np.full_like(answer, level) if given == 3 and precision is not Precision.F32 else answer

    result, receipt = _run(_with(collapse, runtime, store))
    assert receipt.repairs == {"f32": 1}
    assert receipt.verdict is Verdict.WARN
    assert "1 tiles were repaired: f32" in receipt.reasons
    assert psnr(result, clean) > 50


def test_tiles_that_stay_black_are_an_error(runtime: OpenVinoRuntime, store: ModelStore) -> None:
    black = _with(lambda tile, answer, precision: np.zeros_like(answer), runtime, store)
    with pytest.raises(Collapsed, match=r"is one colour; that is no picture"):
        _run(black)


@pytest.mark.parametrize(
    "pixels",
    [photo("coffee"), photo("hubble_deep_field"), drawing(), screenshot()],
    ids=["photo", "sky", "drawing", "screenshot"],
)
def test_no_healthy_tile_comes_near_to_being_called_collapsed(
    runtime: OpenVinoRuntime, store: ModelStore, pixels: NDArray
) -> None:
    moved = []

    def look(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        moved.append(abs(float(answer.mean()) - float(tile.mean())) / 255)
        return answer

    rendering = _with(look, runtime, store).upscale(
        Picture.of(pixels[:300, :300]), UpscaleRequest(), tile_px=96 * 96
    )
    rendering.collect()
    assert len(moved) > 3
    assert max(moved) < MEAN_DRIFT_MAX / 5


@pytest.mark.parametrize("most_px", [12_000, 96 * 96])
def test_a_tile_without_memory_is_halved_with_the_same_result_bit_for_bit(
    runtime: OpenVinoRuntime, store: ModelStore, clean: NDArray, most_px: int
) -> None:
    def refuse(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        if tile.shape[0] * tile.shape[1] > most_px:
            raise OutOfMemory
        return answer

    result, receipt = _run(_with(refuse, runtime, store))
    np.testing.assert_array_equal(result, clean)
    assert receipt.repairs["split"] >= 1
    assert receipt.verdict is Verdict.WARN
    assert any("tiles were repaired: split" in reason for reason in receipt.reasons)


def test_no_memory_for_the_smallest_tile_is_an_error(store: ModelStore) -> None:
    runtime = HarmfulRuntime(ToyRuntime())

    def refuse(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        raise OutOfMemory

    runtime.harm = refuse
    with pytest.raises(OutOfMemory, match="no memory for a tile of"):
        _run(Engine(runtime, store, known_assets()))


STARVED = """
import resource, sys
from pathlib import Path
import numpy as np
from enlarger.engine.engine import Engine
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets, known_networks
from enlarger.request import UpscaleRequest
from tests.support.photos import mosaic

MOST_PX = 150_000


class Starving:
    def __init__(self, inner):
        self.inner, self.device = inner, inner.device

    def compile(self, *arguments):
        self.network = self.inner.compile(*arguments)
        self.scale, self.precision = self.network.scale, self.network.precision
        return self

    def run(self, tile):
        if tile.shape[0] * tile.shape[1] <= MOST_PX:
            return self.network.run(tile)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**25, -1))
        try:
            return self.network.run(tile)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (-1, -1))


engine = Engine(Starving(OpenVinoRuntime()), ModelStore(Path(sys.argv[1])), known_assets())
rendering = engine.upscale(Picture.of(mosaic(768, 512)), UpscaleRequest())
np.save(sys.argv[2], rendering.collect().colour.array())
print({str(kind): count for kind, count in rendering.receipt().repairs.items()})
"""


def test_when_the_system_refuses_memory_smaller_tiles_give_the_same_picture(
    engine: Engine, tmp_path: Path
) -> None:
    """No stand-in: the kernel refuses, OpenVINO says so in its own words, and goes on from there."""
    path = tmp_path / "result.npy"
    done = subprocess.run(
        [sys.executable, "-c", STARVED, str(MODELS), str(path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'split'" in done.stdout
    whole = engine.upscale(Picture.of(mosaic(768, 512)), UpscaleRequest()).collect().colour.array()
    np.testing.assert_array_equal(np.load(path), whole)
