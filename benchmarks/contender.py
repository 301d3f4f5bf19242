"""A subject that runs one network on one picture, in our engine or in `ncnn`.

`python -m benchmarks.contender ours|ncnn NETWORK PICTURE.npy`. The picture comes as an array and each
engine imports only what it needs, so that the memory measured is the engine's.

Ours is the product's runtime as the product calls it: default precision, bytes in and out, converted
inside the time. It compiles anew and not from the cache, so that its memory does not depend on what
ran before. `ncnn` computes in f32, its shortcuts in precision off, all else (Winograd among it) as it
comes; its conversion from and to bytes is left out of its time.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.subjects import take_turns
from benchmarks.workplace import MODELS
from enlarger.models import ModelStore, known_networks

BYTE_MAX = 255


def main() -> None:
    """Be the contender that the arguments name."""
    engine, network, picture_path = sys.argv[1:]
    picture: NDArray[np.uint8] = np.load(picture_path)
    precision, upscale = {"ours": ours, "ncnn": in_ncnn}[engine](network, picture)
    # The first run, which no time counts, tells the mean level of the result.
    level = float(np.asarray(upscale()).mean()) * (BYTE_MAX if engine == "ncnn" else 1)

    def run() -> dict[str, float]:
        started = time.perf_counter()
        upscale()
        return {"seconds": time.perf_counter() - started}

    take_turns(run, precision=precision, level=level)


def ours(name: str, picture: NDArray[np.uint8]) -> tuple[str, Callable[[], object]]:
    """The product's runtime; its precision and what runs it."""
    from enlarger.engine.runtimes.openvino import OpenVinoRuntime

    compiled = OpenVinoRuntime().compile(ModelStore(MODELS).load(known_networks()[name]))
    return str(compiled.precision), lambda: compiled.run(picture)


def in_ncnn(name: str, picture: NDArray[np.uint8]) -> tuple[str, Callable[[], object]]:
    """`ncnn` in f32; its precision and what runs it."""
    import ncnn

    entry, store = known_networks()[name], ModelStore(MODELS)
    paths = {path.suffix: str(path) for path in (store.path(entry, member) for member in entry.files)}
    net = ncnn.Net()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_packed = net.opt.use_bf16_storage = False
    net.opt.num_threads = len(os.sched_getaffinity(0))
    assert net.load_param(paths[".param"]) == 0
    assert net.load_model(paths[".bin"]) == 0
    # A name that lives as long as the function below: a Mat made from an array borrows its memory.
    planes = np.ascontiguousarray((picture / np.float32(BYTE_MAX)).transpose(2, 0, 1))

    def run() -> object:
        with net.create_extractor() as extractor:
            extractor.input("data", ncnn.Mat(planes))
            code, answer = extractor.extract("output")
            assert code == 0
            return answer

    return "f32", run


if __name__ == "__main__":
    main()
