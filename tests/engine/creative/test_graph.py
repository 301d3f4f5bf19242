"""The network with noise inputs is the published one, and more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.creative.graph import PLACES, with_noise
from enlarger.engine.creative.synthesis import FEATURE_STD
from enlarger.engine.runtimes import Precision, SampleType
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.models import ModelStore, known_networks
from enlarger.models.network import Network
from tests.engine.creative.conftest import small


@pytest.fixture(scope="module")
def published(store: ModelStore) -> Network:
    """The smaller of the two: the same graph with fewer blocks."""
    return store.load(known_networks()["realesrgan-x4plus-anime"])


def test_zeros_give_exactly_the_published_network(runtime: OpenVinoRuntime, published: Network) -> None:
    tile = small("ihc")[:32, :32].astype(np.float32) / 255
    plain = runtime.compile(published, Precision.F32, SampleType.FLOAT)
    noisy = runtime.compile(with_noise(published), Precision.F32, SampleType.FLOAT)
    wanted = plain.run(tile).copy()

    def disturbed(scale: float) -> NDArray[np.float32]:
        generator = np.random.default_rng(1)
        shape = (32, 32, 64)
        return noisy.run(
            tile, *(scale * generator.standard_normal(shape).astype(np.float32) for _ in PLACES)
        ).copy()

    np.testing.assert_array_equal(disturbed(0), wanted)
    changes = [float(np.abs(disturbed(scale) - wanted).mean()) for scale in (0.01, 0.03, 0.1)]
    assert changes == sorted(set(changes))
    assert changes[0] > 0


def test_every_noise_input_reaches_the_picture(runtime: OpenVinoRuntime, published: Network) -> None:
    tile = small("ihc")[:24, :24].astype(np.float32) / 255
    noisy = runtime.compile(with_noise(published), Precision.F32, SampleType.FLOAT)
    noise = 0.1 * np.random.default_rng(1).standard_normal((24, 24, 64)).astype(np.float32)
    nothing = np.zeros_like(noise)
    results = [
        noisy.run(tile, *(noise if index == which else nothing for index in range(len(PLACES)))).copy()
        for which in range(-1, len(PLACES))
    ]
    for index, left in enumerate(results):
        for right in results[index + 1 :]:
            assert np.abs(left - right).mean() > 1e-4


def test_it_keeps_scale_weights_and_work(store: ModelStore) -> None:
    for name, deviations in FEATURE_STD.items():
        network = store.load(known_networks()[name])
        noisy = with_noise(network)
        assert noisy.name == f"{network.name}+noise"
        assert (noisy.scale, noisy.weight_bytes, noisy.flops_per_px) == (
            network.scale,
            network.weight_bytes,
            network.flops_per_px,
        )
        assert len(noisy.extras) == len(PLACES) == len(deviations)
        assert {extra.channels for extra in noisy.extras} == {64}


def test_what_is_no_rrdb_is_refused(store: ModelStore, published: Network) -> None:
    with pytest.raises(ValueError, match="residual blocks"):
        with_noise(store.load(known_networks()["span-x4-ch48"]))
    with pytest.raises(ValueError, match="0 residual blocks; 4 are needed"):
        with_noise(replace(published, nodes=published.nodes[:3]))
