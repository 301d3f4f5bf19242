"""The classical check of super-resolution, with a scaling down whose every weight is accounted for."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from enlarger.engine.engine import Engine
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_networks
from enlarger.request import UpscaleRequest
from tests.engine.conftest import Upscale
from tests.models.test_networks_agree import run_ncnn
from tests.support.imresize import imresize, keys, smaller, weights
from tests.support.measures import y_psnr
from tests.support.photos import photo

PHOTOS = ["astronaut", "coffee", "chelsea", "rocket", "motorcycle_left", "camera", "ihc", "brick", "gravel"]


@pytest.mark.parametrize(
    ("distance", "value"),
    [(0, 1), (0.25, 0.8671875), (0.5, 0.5625), (0.75, 0.2265625), (1, 0), (1.5, -0.0625), (2, 0), (2.5, 0)],
)
def test_the_kernel_is_keys_cubic_convolution(distance: float, value: float) -> None:
    assert keys(np.array([distance, -distance])).tolist() == [value, value]


def test_halving_has_the_published_weights() -> None:
    """-3, -9, 29, 111, 111, 29, -9, -3 over 256, as MATLAB's `imresize(..., 0.5)` has them."""
    row = weights(64, 32)[16]
    places = np.flatnonzero(row)
    assert places.tolist() == list(range(29, 37))
    published = [float(Fraction(number, 256)) for number in (-3, -9, 29, 111, 111, 29, -9, -3)]
    assert row[places].tolist() == pytest.approx(published, abs=1e-12)


@pytest.mark.parametrize(("length", "result"), [(64, 16), (64, 256), (50, 33), (7, 20)])
def test_weights_sum_to_one_and_mirror(length: int, result: int) -> None:
    matrix = weights(length, result)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-12)


@pytest.mark.parametrize("size", [(128, 128), (200, 90), (1100, 700)])
def test_away_from_the_borders_it_is_pillows_filter(size: tuple[int, int]) -> None:
    pixels = photo("astronaut")
    plane = Image.fromarray(pixels[..., 1].astype(np.float32))
    theirs = np.asarray(plane.resize(size, Image.Resampling.BICUBIC)).clip(0, 255)
    ours = imresize(pixels, *size)[..., 1]
    rim = 2 + 2 * max(1, max(size) // 512)
    assert np.abs(ours - theirs)[rim:-rim, rim:-rim].max() <= 0.51


def test_photographs_come_back_nearer_than_bicubic_by_one_and_a_half_decibels(enlarge: Upscale) -> None:
    gains = []
    for name in PHOTOS:
        source, truth = smaller(photo(name), 4)
        height, width = truth.shape[:2]
        ours, bicubic = enlarge(source)[0], imresize(source, width, height)
        gains.append(y_psnr(ours, truth) - y_psnr(bicubic, truth))
    assert min(gains) > 0
    assert np.mean(gains) >= 1.5


def test_the_same_weights_in_ncnn_come_as_near_to_the_truth(
    enlarge: Upscale, engine_f32: Engine, store: ModelStore
) -> None:
    entry = known_networks()["span-x4-ch48"]
    differences = []
    for name in PHOTOS:
        source, truth = smaller(photo(name), 4)
        answer = run_ncnn(store, entry, source.astype(np.float32) / 255)
        theirs = y_psnr(np.rint(np.clip(answer, 0, 1) * 255).astype(np.uint8), truth)
        exact = engine_f32.upscale(Picture.of(source), UpscaleRequest()).collect().colour.array()
        assert abs(y_psnr(exact, truth) - theirs) <= 0.001
        differences.append(y_psnr(enlarge(source)[0], truth) - theirs)
    # At the product's own precision, bf16 where there is such: on the average.
    assert abs(np.mean(differences)) <= 0.02
