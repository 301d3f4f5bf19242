"""Receipts: clean results pass, and every fault that was put in on purpose fails under its name."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import skimage.color
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine import networks
from enlarger.engine.engine import Engine
from enlarger.engine.inspection import Inspection, Measures
from enlarger.engine.receipt import FAITHFUL_LIMITS, Limit, Receipt, Verdict, judge
from enlarger.engine.rendering import Colours
from enlarger.engine.runtimes import Precision, Samples
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.errors import ReceiptFailed
from enlarger.imaging import Format, Picture, Raster
from enlarger.models import ModelStore, known_assets
from enlarger.output import write
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Size
from tests.engine.conftest import Upscale
from tests.support.drawn import chequers, drawing, screenshot, sprite
from tests.support.photos import crop, encoded, mosaic, photo
from tests.support.toys import Harm, HarmfulRuntime

CLEAN = Measures(50.0, 0.1, 0.0, 1.0, 0.0)
PIXELS = crop("coffee", 240, 200)
TILE_PX = 112 * 112


def _receipt(engine: Engine, pixels: NDArray = PIXELS) -> Receipt:
    rendering = engine.upscale(Picture.of(pixels), UpscaleRequest(), tile_px=TILE_PX)
    rendering.collect()
    return rendering.receipt()


@pytest.fixture
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faults reach the result: a second look would fill some of them with the input's own pixels."""
    monkeypatch.setattr(networks, "UNSTEADY", frozenset())


def _harmed(harm: Harm, runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    return Engine(HarmfulRuntime(runtime, harm), store, known_assets())


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    "pixels",
    [
        crop("astronaut", 96, 96),
        crop("chelsea", 96, 96),
        crop("grass", 96, 96),
        crop("hubble_deep_field", 96, 96),
        crop("page", 128, 96),
        drawing(96, 96),
        screenshot()[20:116, :128],
        np.ascontiguousarray(sprite(4)[:96, :96, :3]),
    ],
    ids=["face", "fur", "grass", "stars", "scan", "drawing", "screenshot", "sprite"],
)
def test_clean_results_do_not_fail(enlarge: Upscale, pixels: NDArray, mode: Mode) -> None:
    if mode is not Mode.FAST:
        pixels = pixels[:64, :64]
    _, receipt = enlarge(pixels, "4x", mode)
    assert receipt.verdict is not Verdict.FAIL, receipt.reasons


def test_a_photograph_in_many_tiles_passes(engine: Engine) -> None:
    receipt = _receipt(engine)
    assert receipt.verdict is Verdict.PASS
    assert receipt.reasons == ()
    assert receipt.seam_energy < 1.2


def test_an_edge_of_the_picture_on_the_border_of_a_tile_is_no_seam(engine: Engine) -> None:
    """Photographs side by side, whose borders are those of the tiles."""
    picture = Picture.of(np.ascontiguousarray(mosaic(512, 256)))
    rendering = engine.upscale(picture, UpscaleRequest(), tile_px=(256 + 24) * 256)
    assert rendering.plan.seams[1] == [1024]
    rendering.collect()
    assert rendering.receipt().seam_energy < 1.3


def shifted_colour(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    moved = answer.astype(int) + np.array((14, -8, 0))
    return np.clip(moved, 0, 255).astype(np.uint8)


def shifted_pixels(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    return np.roll(answer, 2, axis=1)


def black_area(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    answer[100:230, 120:260] = 0
    return answer


def black_square(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    answer[200:264, 200:264] = 0
    return answer


class Alternating:
    """Every second tile a little brighter."""

    def __init__(self, levels: int) -> None:
        self.levels = levels
        self.count = 0

    def __call__(self, tile: Samples, answer: Samples, precision: Precision) -> Samples:
        self.count += 1
        added = self.levels if self.count % 2 else 0
        return np.clip(answer.astype(int) + added, 0, 255).astype(np.uint8)


@pytest.mark.usefixtures("no_second_look")
@pytest.mark.parametrize(
    ("harm", "measure"),
    [
        (shifted_colour, "colour_drift"),
        (shifted_pixels, "shift_px"),
        (Alternating(6), "seam_energy"),
        (black_area, "consistency_db"),
        (black_square, "consistency_db"),
    ],
    ids=["colour", "shift", "seam", "black area", "black square"],
)
def test_a_fault_in_the_result_fails_under_its_name(
    harm: Harm, measure: str, runtime: OpenVinoRuntime, store: ModelStore
) -> None:
    receipt = _receipt(_harmed(harm, runtime, store))
    assert receipt.verdict is Verdict.FAIL
    assert any(reason.startswith(measure) and "fail" in reason for reason in receipt.reasons)
    with pytest.raises(ReceiptFailed, match=measure):
        receipt.demand()


def cut_out(height: int = 200, width: int = 240) -> NDArray[np.uint8]:
    """The left half is clear."""
    opacity = np.zeros((height, width), np.uint8)
    opacity[:, width // 2 :] = 255
    return opacity


def of_opacity(harm: Harm) -> Harm:
    """Only where the network sees a grey picture."""

    def only(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        is_grey = bool((tile == tile[..., :1]).all())
        return harm(tile, answer, precision) if is_grey else answer

    return only


def inverted(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    return 255 - answer


def torn(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    answer[:, answer.shape[1] // 2 + 16 : answer.shape[1] // 2 + 40] = 51
    return answer


@pytest.mark.parametrize(
    ("harm", "verdict"), [(inverted, Verdict.FAIL), (torn, Verdict.WARN)], ids=["inverted", "torn"]
)
def test_a_fault_in_the_opacity_is_told_under_its_name(
    harm: Harm, verdict: Verdict, runtime: OpenVinoRuntime, store: ModelStore
) -> None:
    picture = Picture.of(PIXELS, cut_out())
    clean = Engine(runtime, store, known_assets()).upscale(picture, UpscaleRequest())
    clean.collect()
    receipt = clean.receipt()
    assert receipt.verdict is Verdict.PASS
    assert receipt.opacity_db is not None
    assert receipt.opacity_db > 34
    rendering = _harmed(of_opacity(harm), runtime, store).upscale(picture, UpscaleRequest())
    rendering.collect()
    receipt = rendering.receipt()
    assert receipt.verdict is verdict
    measures = [reason.split()[0] for reason in receipt.reasons]
    assert [name for name in measures if name in FAITHFUL_LIMITS] == ["opacity_db"]


def test_a_picture_without_opacity_has_no_measure_of_it(enlarge: Upscale) -> None:
    _, receipt = enlarge(crop("coffee", 64, 48))
    assert receipt.opacity_db is None


@pytest.mark.usefixtures("no_second_look")
def test_a_white_sky_that_was_none_is_counted_as_clipped(
    runtime: OpenVinoRuntime, store: ModelStore
) -> None:
    def burn(tile: Samples, answer: Samples, precision: Precision) -> Samples:
        return np.clip(answer.astype(int) * 5 // 4, 0, 255).astype(np.uint8)

    bright = np.clip(PIXELS.astype(int) // 2 + 120, 0, 250).astype(np.uint8)
    receipt = _receipt(_harmed(burn, runtime, store), bright)
    assert receipt.verdict is Verdict.FAIL
    assert any(reason.startswith("clipped_share") for reason in receipt.reasons)


@pytest.mark.parametrize("level", [0, 2, 253, 255])
def test_paper_that_is_white_already_is_not_counted(enlarge: Upscale, level: int) -> None:
    paper = np.full((64, 96, 3), level, np.uint8)
    paper[20:40, 30:60] = 128
    _, receipt = enlarge(paper)
    assert receipt.clipped_share < 0.05
    assert receipt.verdict is Verdict.PASS


@pytest.mark.parametrize("quality", [20, 60])
def test_a_flat_sky_with_blocks_lies_where_it_was(enlarge: Upscale, quality: int) -> None:
    """It has no edges but those of its blocks, which are taken out: nothing that could be said to move."""
    sky = crop("camera", 512, 512)[:96, :96]
    damaged = np.asarray(Image.open(io.BytesIO(encoded(sky, "JPEG", quality=quality))))
    _, receipt = enlarge(damaged, "4x", Mode.CONSERVATIVE, creativity=1.0)
    assert receipt.verdict is not Verdict.FAIL, receipt.reasons


@pytest.mark.parametrize("format_", [Format.PNG, Format.JPEG, Format.TIFF])
def test_a_failed_result_is_no_success_of_the_writer(
    runtime: OpenVinoRuntime, store: ModelStore, format_: Format
) -> None:
    engine = _harmed(shifted_colour, runtime, store)
    request = UpscaleRequest()
    rendering = engine.upscale(Picture.of(PIXELS), request)
    with pytest.raises(ReceiptFailed, match="colour_drift"):
        write(rendering, io.BytesIO(), format_, recipe=engine.recipe(request))


def _measured(source: NDArray, result: NDArray) -> Measures:
    """Of a result that something else made, by the same eyes."""
    size = Size(result.shape[1], result.shape[0])
    inspection = Inspection(Colours(Raster.of(source)), size, ((), ()))
    for _ in inspection.watch(iter(np.array_split(result, 7))):
        pass
    return inspection.measures()


def _bicubic(source: NDArray, factor: int = 4) -> NDArray[np.uint8]:
    size = source.shape[1] * factor, source.shape[0] * factor
    return np.asarray(Image.fromarray(source).resize(size, Image.Resampling.BICUBIC))


@pytest.mark.parametrize("pixels", [0, 1, 2, 4])
def test_the_shift_is_measured_in_input_pixels(pixels: int) -> None:
    source = crop("astronaut", 200, 160)
    measures = _measured(source, np.roll(_bicubic(source), pixels, axis=1))
    assert measures.shift_px == pytest.approx(pixels / 4, abs=0.05 + pixels / 16)


@pytest.mark.parametrize("level", [10, 20])
def test_the_consistency_is_the_error_that_was_put_in(level: int) -> None:
    source = np.clip(crop("coffee", 200, 160), 40, 200)
    measures = _measured(source, _bicubic(source) + np.uint8(level))
    assert measures.consistency_db == pytest.approx(20 * np.log10(255 / level), abs=0.3)


def test_the_colour_drift_is_that_of_the_colours_put_in() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    warmer = np.broadcast_to(np.array((138, 128, 120), np.uint8), (256, 256, 3))
    expected = skimage.color.deltaE_ciede2000(
        skimage.color.rgb2lab(grey[:1, :1]), skimage.color.rgb2lab(warmer[:1, :1])
    )
    assert _measured(grey, np.ascontiguousarray(warmer)).colour_drift == pytest.approx(
        float(expected[0, 0]), abs=0.02
    )


def test_measures_do_not_depend_on_how_the_bands_are_cut() -> None:
    source, seams = photo("chelsea"), ([400, 800], [600, 1200])
    result = _bicubic(source)
    found = []
    for pieces in (1, 3, 29):
        size = Size(result.shape[1], result.shape[0])
        inspection = Inspection(Colours(Raster.of(source)), size, seams)
        for _ in inspection.watch(iter(np.array_split(result, pieces))):
            pass
        found.append(inspection.measures())
    for other in found[1:]:
        for name in ("consistency_db", "colour_drift", "shift_px", "seam_energy", "clipped_share"):
            assert getattr(other, name) == pytest.approx(getattr(found[0], name), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(("name", "limit"), FAITHFUL_LIMITS.items())
def test_each_measure_alone_decides(name: str, limit: Limit) -> None:
    def verdict(value: float) -> Verdict:
        measures = replace(CLEAN, **{name: value})
        return judge(measures, FAITHFUL_LIMITS, plan="fast", repairs={}, look={}, notes=()).verdict

    assert verdict(getattr(CLEAN, name)) is Verdict.PASS
    assert verdict((limit.warn + limit.fail) / 2) is Verdict.WARN
    assert verdict(limit.fail) is Verdict.FAIL
    assert verdict(float("nan")) is Verdict.FAIL


def test_repairs_and_notes_are_told_and_are_no_failure() -> None:
    receipt = judge(
        CLEAN, FAITHFUL_LIMITS, plan="fast", repairs={"f32": 2}, look={"light": 0.5}, notes=("seen",)
    )
    assert receipt.verdict is Verdict.WARN
    assert receipt.repairs == {"f32": 2}
    assert receipt.notes == ("seen",)
    assert receipt.look == {"light": 0.5}
    receipt.demand()


def test_what_may_be_done_is_said_last_and_only_of_a_result_that_failed() -> None:
    for measures, is_said in ((CLEAN, False), (replace(CLEAN, consistency_db=10.0), True)):
        receipt = judge(
            measures, FAITHFUL_LIMITS, plan="fast", repairs={}, look={}, notes=(), way_out="ask for 4x"
        )
        assert ("ask for 4x" in receipt.reasons[-1:]) is is_said


def test_pixels_that_only_grew_larger_are_the_input() -> None:
    """No filter with negative weights gives a chequerboard back from one that is larger."""
    source = chequers(1)
    measures = _measured(source, source.repeat(4, axis=0).repeat(4, axis=1))
    assert measures.consistency_db > 90
    assert _measured(source, np.full((384, 384, 3), 128, np.uint8)).consistency_db < 10


def test_the_receipt_names_the_plan(enlarge: Upscale) -> None:
    source = crop("coffee", 48, 48)
    assert enlarge(source, "2x")[1].plan == "fast"
    assert enlarge(source, "2x", Mode.CONSERVATIVE)[1].plan == "texture"
    assert enlarge(source, "1x", Mode.CONSERVATIVE)[1].plan == "refine"


def test_a_box_that_cuts_is_measured_to_the_bottom(enlarge: Upscale) -> None:
    assert enlarge(crop("coffee", 60, 240), "160x90 fill")[1].consistency_db > 30
