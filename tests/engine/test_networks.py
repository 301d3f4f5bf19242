"""What a process holds of the networks that it was asked for."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import numpy as np
import pytest

from enlarger.engine import networks
from enlarger.engine.engine import Engine
from enlarger.engine.runtimes import CompiledNetwork, Precision, SampleType
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets
from enlarger.models.network import Network
from enlarger.request import Mode, UpscaleRequest
from tests.support.toys import Nearest, ToyRuntime

SPAN = "span-x4-ch48"
X4PLUS = "realesrgan-x4plus"
ANIME = "realesrgan-x4plus-anime"
REALSR = "realsr-df2k-x4"


@dataclass
class CountingRuntime(ToyRuntime):
    """Knows which of the networks that it compiled are still there, and which were laid to rest."""

    made: list[tuple[str, weakref.ref[CompiledNetwork]]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        compiled = Counted(network.scale, precision, self.shapes, network.name, self.released)
        self.made.append((network.name, weakref.ref(compiled)))
        return compiled

    @property
    def kept(self) -> list[str]:
        return [name for name, compiled in self.made if compiled() is not None]


@dataclass
class Counted(Nearest):
    name: str
    released: list[str]

    def release(self) -> None:
        self.released.append(self.name)


def _upscale(engine: Engine, **fields: object) -> None:
    pixels = np.random.default_rng(1).integers(100, 156, (32, 32, 3), np.uint8)
    engine.upscale(Picture.of(pixels), UpscaleRequest(**fields)).collect()


def test_of_networks_that_are_not_needed_those_used_last_stay(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Room for a large one (64 MiB) and the small ones.
    monkeypatch.setattr(networks, "RESTING_WEIGHT_BYTES", 100 * 1024 * 1024)
    runtime = CountingRuntime()
    engine = Engine(runtime, store, known_assets())
    for name in (X4PLUS, ANIME, REALSR):
        _upscale(engine, model=name)
    assert runtime.kept == [X4PLUS, ANIME, REALSR], "one at work, one at rest, and a small one"
    _upscale(engine)
    assert runtime.kept == [ANIME, REALSR, SPAN]
    for name in (ANIME, X4PLUS, SPAN):
        _upscale(engine, model=name)
    # What stayed was not made again.
    assert [name for name, _ in runtime.made] == [X4PLUS, ANIME, REALSR, SPAN, X4PLUS]
    assert runtime.kept == [ANIME, SPAN, X4PLUS]


def test_a_network_that_is_not_needed_gives_its_memory_back_once(store: ModelStore) -> None:
    runtime = CountingRuntime()
    engine = Engine(runtime, store, known_assets())
    _upscale(engine, mode=Mode.CONSERVATIVE)
    assert (runtime.kept, runtime.released) == ([SPAN, REALSR], [])
    for _ in range(3):
        _upscale(engine)
    assert (runtime.kept, runtime.released) == ([SPAN, REALSR], [REALSR])
    _upscale(engine, mode=Mode.CONSERVATIVE)
    _upscale(engine)
    assert runtime.released == [REALSR] * 2
