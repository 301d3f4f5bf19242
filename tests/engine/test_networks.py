"""Compiled networks are kept while requests ask for them, and no longer."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import numpy as np

from enlarger.engine.engine import Engine
from enlarger.engine.runtimes import CompiledNetwork, Precision, SampleType
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets
from enlarger.models.network import Network
from enlarger.request import Mode, UpscaleRequest
from tests.support.toys import ToyRuntime

SPAN = "span-x4-ch48"
COMPACT = "realesr-animevideov3-x4"


@dataclass
class CountingRuntime(ToyRuntime):
    """Knows which of the networks that it compiled are still there."""

    made: list[tuple[str, weakref.ref[CompiledNetwork]]] = field(default_factory=list)

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        compiled = super().compile(network, precision, samples)
        self.made.append((network.name, weakref.ref(compiled)))
        return compiled

    @property
    def kept(self) -> list[str]:
        return [name for name, compiled in self.made if compiled() is not None]


def _upscale(engine: Engine, **fields: object) -> None:
    pixels = np.random.default_rng(1).integers(100, 156, (32, 32, 3), np.uint8)
    engine.upscale(Picture.of(pixels), UpscaleRequest(**fields)).collect()


def test_a_network_that_a_request_does_not_need_goes_before_another_is_made(store: ModelStore) -> None:
    runtime = CountingRuntime()
    engine = Engine(runtime, store, known_assets())
    _upscale(engine)
    assert runtime.kept == [SPAN]
    _upscale(engine, model=COMPACT)
    assert runtime.kept == [COMPACT]


def test_networks_stay_for_requests_that_need_no_more_than_them(store: ModelStore) -> None:
    runtime = CountingRuntime()
    engine = Engine(runtime, store, known_assets())
    _upscale(engine, mode=Mode.CONSERVATIVE)
    together = runtime.kept
    assert len(together) == 2
    _upscale(engine)
    _upscale(engine, mode=Mode.CONSERVATIVE)
    assert (runtime.kept, len(runtime.made)) == (together, 2)
