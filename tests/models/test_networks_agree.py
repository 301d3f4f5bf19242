"""The network is the network: our graphs against ncnn, an independent runtime of the same weights."""

from __future__ import annotations

from collections.abc import Callable

import ncnn
import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.runtimes import Precision, SampleType
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.models import Entry, ModelStore, known_networks
from tests.support.photos import crop, psnr

F32_TOLERANCE = 1e-4
BF16_PSNR_DB = 50.0
RUNTIME = OpenVinoRuntime()
CATALOGUE = known_networks()
AGREEING = [
    "span-x4-ch48",
    "realesr-animevideov3-x4",
    "realesrgan-x4plus-anime",
    "realesrgan-x4plus",
    "realsr-df2k-x4",
]


def run_ncnn(store: ModelStore, entry: Entry, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    param, weights = sorted((store.path(entry, member) for member in entry.files), reverse=True)
    net = ncnn.Net()
    # Every shortcut in precision off: the reference is the arithmetic that the weights were made for.
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    net.opt.num_threads = 2
    assert net.load_param(str(param)) == 0
    assert net.load_model(str(weights)) == 0
    # A name of its own: a Mat made from an array only borrows its memory.
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1))
    with net.create_extractor() as extractor:
        extractor.input("data", ncnn.Mat(planes))
        code, answer = extractor.extract("output")
        assert code == 0
        return np.array(answer).transpose(1, 2, 0)


@pytest.fixture(scope="module")
def reference(store: ModelStore) -> Callable[[str], tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """For a network: a crop of a real photograph, and what ncnn makes of it."""
    kept: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}

    def compute(name: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if name not in kept:
            picture = crop("astronaut", 76, 64).astype(np.float32) / 255
            kept[name] = picture, run_ncnn(store, CATALOGUE[name], picture)
        return kept[name]

    return compute


@pytest.mark.parametrize("name", AGREEING)
def test_f32_agrees_with_ncnn(name: str, store: ModelStore, reference: Callable) -> None:
    picture, expected = reference(name)
    network = RUNTIME.compile(store.load(CATALOGUE[name]), Precision.F32, SampleType.FLOAT)
    answer = network.run(picture)
    assert answer.shape == expected.shape == (256, 304, 3)
    assert np.abs(answer - expected).max() <= F32_TOLERANCE


@pytest.mark.parametrize("name", AGREEING)
def test_bf16_is_close_to_f32(name: str, store: ModelStore, reference: Callable) -> None:
    if Precision.BF16 not in RUNTIME.device.precisions:
        pytest.skip("this processor has no bf16 units, so the product never runs bf16 on it")
    picture, expected = reference(name)
    network = RUNTIME.compile(store.load(CATALOGUE[name]), Precision.BF16, SampleType.FLOAT)
    assert psnr(network.run(picture), expected, peak=1.0) >= BF16_PSNR_DB


def test_the_comparison_sees_a_wrong_weight(store: ModelStore, reference: Callable) -> None:
    picture, expected = reference("span-x4-ch48")
    network = store.load(CATALOGUE["span-x4-ch48"])
    first = next(node for node in network.nodes if hasattr(node.operation, "weight"))
    first.operation.weight[0, 0, 1, 1] += 0.01
    answer = RUNTIME.compile(network, Precision.F32, SampleType.FLOAT).run(picture)
    assert np.abs(answer - expected).max() > F32_TOLERANCE


@pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
def test_the_catalogue_tells_the_truth_about_the_graph(entry: Entry, store: ModelStore) -> None:
    network = store.load(entry)
    assert network.scale == entry.scale
    assert entry.exact == (network.radius_px <= entry.halo_px)
    if entry.default:
        assert entry.commercial


def test_byte_samples_are_the_floats_rounded(store: ModelStore) -> None:
    network = store.load(CATALOGUE["span-x4-ch48"])
    picture = crop("coffee", 96, 80)
    floats = RUNTIME.compile(network, Precision.F32, SampleType.FLOAT).run(picture.astype(np.float32) / 255)
    expected = np.rint(np.clip(floats.astype(np.float64) * 255, 0, 255)).astype(np.uint8)
    answer = RUNTIME.compile(network, Precision.F32, SampleType.BYTE).run(picture)
    # A float that lies on the border between two bytes may fall either way.
    assert np.abs(answer.astype(int) - expected).max() <= 1
    assert np.mean(answer != expected) < 1e-4
