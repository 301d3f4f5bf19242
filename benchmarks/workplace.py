"""Where the benchmarks find the weights, and the environment that every process of theirs gets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from enlarger.models import ModelStore, known_assets
from enlarger.models.pull import pull

if TYPE_CHECKING:
    from enlarger.engine.engine import Engine
    from enlarger.engine.runtimes import Runtime

REPOSITORY = Path(__file__).resolve().parents[1]
MODELS = Path(os.environ.get("ENLARGER_MODELS_DIR", REPOSITORY / ".cache" / "models"))
"""The tests' own choice: weights that they have fetched are not fetched again."""


def fetched(*names: str) -> ModelStore:
    """The model store with these of the catalogue in it."""
    store = ModelStore(MODELS)
    pull(store, [known_assets()[name] for name in names])
    return store


def environment(data_dir: Path | None = None) -> dict[str, str]:
    """Our own environment without anybody's settings, so that the product's defaults are measured."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ENLARGER_")}
    kept["ENLARGER_MODELS_DIR"] = str(MODELS)
    if data_dir is not None:
        kept["ENLARGER_DATA_DIR"] = str(data_dir)
    return kept


def engine(around: Callable[[Runtime], Runtime] = lambda runtime: runtime) -> Engine:
    """The product's engine; `around` may put something between it and its runtime.

    The runtime is imported here and not above: who only starts subjects stays small.
    """
    from enlarger.engine.engine import NETWORKS, Engine
    from enlarger.engine.runtimes.openvino import OpenVinoRuntime

    store = fetched(*{name for names in NETWORKS.values() for name in names})
    return Engine(around(OpenVinoRuntime()), store, known_assets())
