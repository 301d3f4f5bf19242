"""A subject that does a fast upscale bare: decode, engine, encode in one process, no server around it.

`python -m benchmarks.pipeline PICTURE [--pillow]`. Then the same as `enlarger up` does it, from a file to a
file that is on the disk. With --pillow the result is also encoded by Pillow's own PNG writer with its
defaults, as a program without ours would do.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks.subjects import take_turns
from enlarger.engine.engine import Engine
from enlarger.files import replacing
from enlarger.imaging import Format, decode, encode
from enlarger.library import make_engine
from enlarger.output import write
from enlarger.request import Mode, UpscaleRequest
from enlarger.settings import Settings


def main() -> None:
    """Be the pipeline for the picture that the first argument names."""
    source = Path(sys.argv[1]).read_bytes()
    with_pillow = "--pillow" in sys.argv[2:]
    engine = make_engine(Settings())
    request = UpscaleRequest(mode=Mode.FAST)

    def run() -> dict[str, float]:
        started = time.perf_counter()
        picture = decode(source)
        decoded = time.perf_counter()
        result = engine.upscale(picture, request).collect()
        enlarged = time.perf_counter()
        file = io.BytesIO()
        encode(result, file, Format.PNG)
        encoded = time.perf_counter()
        turn = {
            "decode_s": decoded - started,
            "engine_s": enlarged - decoded,
            "encode_s": encoded - enlarged,
            "whole_s": encoded - started,
            "bytes": file.tell(),
        }
        turn |= file_to_file(engine, Path(sys.argv[1]), request)
        if with_pillow:
            file = io.BytesIO()
            began = time.perf_counter()
            Image.fromarray(result.colour.array()).save(file, "PNG")
            turn |= {"pillow_s": time.perf_counter() - began, "pillow_bytes": file.tell()}
        return turn

    run()
    take_turns(run)


def file_to_file(engine: Engine, source: Path, request: UpscaleRequest) -> dict[str, float]:
    """Seconds of all, and of what is not the engine: reading, decoding, encoding, writing, syncing."""
    with TemporaryDirectory() as folder:
        started = time.perf_counter()
        with source.open("rb") as opened:
            picture = decode(opened)
        decoded = time.perf_counter()
        rendering = engine.upscale(picture, request)
        with replacing(Path(folder) / "result.png") as file:
            written = write(rendering, file, Format.PNG, recipe=engine.recipe(request))
            written_to = time.perf_counter()
        ended = time.perf_counter()
    files_s = decoded - started + written.encode_s + ended - written_to
    return {"up_s": ended - started, "files_s": files_s}


if __name__ == "__main__":
    main()
