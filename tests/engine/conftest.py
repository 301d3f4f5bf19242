"""The engine with the real runtime and the real networks, warm for all tests of this folder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.engine import Engine
from enlarger.engine.receipt import Receipt
from enlarger.engine.runtimes import Precision
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Target

Upscale = Callable[..., tuple[NDArray[np.uint8], Receipt]]


@pytest.fixture(scope="session")
def engine_f32(runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    return Engine(runtime, store, known_assets(), Precision.F32)


@pytest.fixture(scope="session")
def enlarge(engine: Engine) -> Upscale:
    """Colours and receipt for colours, a target in words, a mode and what else a request has."""

    def run(
        pixels: NDArray[np.uint8], target: str = "4x", mode: Mode = Mode.FAST, **fields: object
    ) -> tuple[NDArray[np.uint8], Receipt]:
        request = UpscaleRequest(mode=mode, target=Target.parse(target), **fields)
        rendering = engine.upscale(Picture.of(np.ascontiguousarray(pixels)), request)
        return rendering.collect().colour.array(), rendering.receipt()

    return run
