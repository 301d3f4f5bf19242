"""A subject that upscales one picture of a size by the engine and throws the rows away.

`python -m benchmarks.upscaling MODE TARGET WIDTH HEIGHT`. What comes before the time, and is the same for
every picture of that size: the networks are loaded, and the first band of the result has been made once.
The process holds nothing but the engine and the picture, so its peak memory is theirs.
"""

from __future__ import annotations

import sys
import time

from benchmarks.subjects import take_turns
from benchmarks.workplace import engine
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Target
from tests.support.photos import mosaic


def main() -> None:
    """Be the subject that the arguments describe."""
    mode, target, width, height = sys.argv[1:]
    picture = Picture.of(mosaic(int(width), int(height)))
    request = UpscaleRequest(mode=Mode(mode), target=Target.parse(target))
    ours = engine()
    plan = ours.upscale(picture, request).plan
    next(iter(ours.upscale(picture, request).rows()))

    def run() -> dict[str, float]:
        started, worked = time.perf_counter(), time.process_time()
        rendering = ours.upscale(picture, request)
        for _ in rendering.rows():
            pass
        rendering.receipt().demand()
        return {
            "seconds": time.perf_counter() - started,
            "processor_s": time.process_time() - worked,
        }

    take_turns(run, method=str(plan.method), planned_bytes=plan.memory_bytes)


if __name__ == "__main__":
    main()
