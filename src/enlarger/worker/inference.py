"""The inference child: decodes, runs networks, encodes. Started by a worker, one task at a time.

It touches the files that it is told to and nothing else: no database, no object store, no secret.
Hostile files are decoded here and only here, so that the worst they can do is end this process.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from enlarger.engine.engine import Engine
from enlarger.errors import Collapsed, DeviceError, EnlargerError, UnsupportedPicture
from enlarger.imaging import Format, Picture, decode, encode, probe
from enlarger.library import make_engine
from enlarger.logs import configure_logging
from enlarger.progress import OnTile
from enlarger.request import Mode
from enlarger.settings import Settings
from enlarger.worker.messages import Done, Failed, Progress, Ready, Reply, Task


def main() -> None:
    """Serve tasks on the connection whose descriptor is the first argument, until it closes."""
    connection = Connection(int(sys.argv[1]))
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, tasks), daemon=True).start()

    def say(reply: Reply) -> None:
        connection.send_bytes(msgspec.json.encode(reply))

    settings = Settings()
    configure_logging(settings.log_format)
    engine = make_engine(settings)
    try:
        for mode in Mode:
            engine.warm(mode)
    except EnlargerError as error:
        say(Failed(error.code, error.message, error.param))
        return
    say(Ready())
    while True:
        task = tasks.get()
        try:
            say(_serve(task, engine, settings, lambda done, total: say(Progress(done, total))))
        except EnlargerError as error:
            say(Failed(error.code, error.message, error.param))
        except MemoryError:
            say(Failed(DeviceError.code, "there is not enough memory for this picture", None))


def _serve(task: Task, engine: Engine, settings: Settings, on_tile: OnTile) -> Done:
    started = time.perf_counter()
    with Path(task.input_path).open("rb") as source:
        picture = decode(source, max_pixels=settings.max_input_pixels)
    result = engine.upscale(picture, task.request, max_pixels=settings.max_output_pixels, on_tile=on_tile)
    enlarged = time.perf_counter()
    output = Path(task.output_path)
    with output.open("wb") as file:
        encode(result, file, Format(task.request.output_format))
    _check(output, result)
    encoded = time.perf_counter()
    return Done(
        width=result.width,
        height=result.height,
        engine_ms=round(1000 * (enlarged - started)),
        encode_ms=round(1000 * (encoded - enlarged)),
    )


def _check(output: Path, result: Picture) -> None:
    """Open the file again: a success that cannot be read is none, and no fault of the caller's."""
    try:
        with output.open("rb") as file:
            header = probe(file)
    except UnsupportedPicture as error:
        raise Collapsed("the result was written and cannot be read again") from error
    if (header.width, header.height) != (result.width, result.height):
        raise Collapsed(f"the result was written as {header.width}x{header.height}")


def _receive(connection: Connection, tasks: queue.SimpleQueue[Task]) -> None:
    """Take tasks; end the whole process as soon as the worker is gone, even in mid-picture."""
    try:
        while True:
            tasks.put(msgspec.json.decode(connection.recv_bytes(), type=Task))
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
