"""The machine's own ceiling: how fast it multiplies matrices, in each precision that it has.

A 3072x3072 product through the same runtime as the networks, on all threads, with constant weights
as in a network: the best that the libraries on this machine can do, not a number from a data sheet.
The best of all turns counts, because other work on the machine can only make it slower.

As a program: the subject that multiplies. Only then is the runtime imported; whoever runs the subjects
stays small.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

SIDE = 3072
FLOPS = 2 * SIDE**3
TURNS = 6
GIGA = 1e9


@dataclass(frozen=True)
class Machine:
    """The processor and its matrix rates."""

    processor: str
    threads: int
    gflops: Mapping[str, float]
    """Precision to GFLOP/s, fastest precision first."""


def best(ready: Mapping[str, Any], turns: Iterable[Mapping[str, float]]) -> Machine:
    """The machine as the subject described it, with the best of its turns."""
    turns = list(turns)
    rates = {name: max(turn[name] for turn in turns) for name in ready["precisions"]}
    return Machine(ready["processor"], ready["threads"], rates)


def main() -> None:
    """Multiply once in every precision whenever told to."""
    from benchmarks.subjects import take_turns
    from enlarger.engine.runtimes.openvino import OpenVinoRuntime

    device = OpenVinoRuntime().device
    products = {str(precision): product(str(precision), device.threads) for precision in device.precisions}

    def run() -> dict[str, float]:
        return {name: multiply() for name, multiply in products.items()}

    run()
    take_turns(
        run,
        processor=device.name,
        threads=device.threads,
        precisions=list(products),
    )


def product(precision: str, threads: int) -> Callable[[], float]:
    """A compiled product; calling it runs it and returns GFLOP/s."""
    import numpy as np
    import openvino as ov
    from openvino import opset15 as op

    random = np.random.default_rng(0)
    left, right = (random.standard_normal((SIDE, SIDE), np.float32) for _ in range(2))
    parameter = op.parameter([SIDE, SIDE], ov.Type.f32)
    model = ov.Model([op.matmul(parameter, op.constant(right), False, False)], [parameter])
    # The options of the product's own runtime, or it would be another ceiling.
    options = {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
    request.set_input_tensor(0, ov.Tensor(left, shared_memory=True))
    return partial(_rate, request.infer, left)


def _rate(multiply: Callable[[], object], keep_alive: object) -> float:
    """`keep_alive`: the tensor only borrows the array's memory."""
    started = time.perf_counter()
    multiply()
    return FLOPS / (time.perf_counter() - started) / GIGA


if __name__ == "__main__":
    main()
