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
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from enlarger.engine.engine import Engine
from enlarger.errors import Cancelled, Collapsed, DeviceError, EnlargerError, UnsupportedPicture
from enlarger.faults import fault
from enlarger.imaging import API_FORMATS, Format, MetadataPolicy, Picture, decode, probe
from enlarger.library import digest_of, make_engine
from enlarger.logs import configure_logging
from enlarger.output import write
from enlarger.progress import OnTile
from enlarger.request import Mode
from enlarger.settings import Settings
from enlarger.storage.faults import told
from enlarger.target import Size
from enlarger.worker.messages import Done, Failed, Order, Progress, Ready, Reply, Task

ORDERS: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)


def main() -> None:
    """Serve tasks on the connection whose descriptor is the first argument, until it closes."""
    connection = Connection(int(sys.argv[1]))
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    is_stopped = threading.Event()
    threading.Thread(target=_receive, args=(connection, tasks, is_stopped), daemon=True).start()

    def say(reply: Reply) -> None:
        connection.send_bytes(msgspec.json.encode(reply))

    def on_tile(done: int, total: int) -> None:
        if is_stopped.is_set():
            raise Cancelled
        fault("child.mid_tile")
        say(Progress(done, total))

    settings = Settings()
    configure_logging(settings.log_format)
    engine = make_engine(settings)
    try:
        engine.warm(Mode.FAST)
    except EnlargerError as error:
        say(Failed(error.code, error.message, error.param))
        return
    say(Ready())
    while True:
        task = tasks.get()
        # One that came too late for the task before it.
        is_stopped.clear()
        try:
            with told():
                done = _serve(task, engine, settings, on_tile)
            say(done)
        except EnlargerError as error:
            say(Failed(error.code, error.message, error.param))
        except MemoryError:
            say(Failed(DeviceError.code, "there is not enough memory for this picture", None))


def _serve(task: Task, engine: Engine, settings: Settings, on_tile: OnTile) -> Done:
    started = time.perf_counter()
    picture = _decode(task.input_path, settings)
    styles = [_decode(path, settings) for path in task.style_paths]
    request = replace(task.request, style_pictures=tuple(digest_of(style) for style in styles))
    rendering = engine.upscale(
        picture, request, styles=styles, max_pixels=settings.max_output_pixels, on_tile=on_tile
    )
    output = Path(task.output_path)
    with output.open("w+b") as file:
        written = write(
            rendering,
            file,
            Format(request.output_format),
            recipe=engine.recipe(request),
            policy=MetadataPolicy(settings.metadata),
        )
    _check(output, rendering.size)
    fault("child.after_encode")
    total = time.perf_counter() - started
    return Done(
        width=rendering.size.width,
        height=rendering.size.height,
        engine_ms=round(1000 * (total - written.encode_s)),
        encode_ms=round(1000 * written.encode_s),
        receipt=written.receipt,
        tiles=rendering.plan.tiles,
        tile_ms=round(1000 * rendering.run_s()),
    )


def _decode(path: str, settings: Settings) -> Picture:
    with Path(path).open("rb") as source:
        return decode(source, max_pixels=settings.max_input_pixels, formats=API_FORMATS)


def _check(output: Path, size: Size) -> None:
    """Open the file again: a success that cannot be read is none, and no fault of the caller's."""
    try:
        with output.open("rb") as file:
            header = probe(file)
    except UnsupportedPicture as error:
        raise Collapsed("the result was written and cannot be read again") from error
    if (header.width, header.height) != (size.width, size.height):
        raise Collapsed(f"the result was written as {header.width}x{header.height}")


def _receive(connection: Connection, tasks: queue.SimpleQueue[Task], is_stopped: threading.Event) -> None:
    """Take orders; end the whole process as soon as the worker is gone, even in mid-picture."""
    try:
        while True:
            match ORDERS.decode(connection.recv_bytes()):
                case Task() as task:
                    tasks.put(task)
                case _:
                    is_stopped.set()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
