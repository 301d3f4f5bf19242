"""What a worker and its inference child say to each other: JSON, one message a frame.

Pictures go through files in a scratch folder, so neither side ever holds the other's pixels.
"""

from __future__ import annotations

import msgspec

from enlarger.engine.receipt import Receipt
from enlarger.request import UpscaleRequest


class Task(msgspec.Struct, frozen=True, tag="task"):
    """Worker to child: enlarge `input_path` into `output_path`."""

    input_path: str
    output_path: str
    request: UpscaleRequest
    style_paths: tuple[str, ...] = ()
    """The style pictures, whose digests the child puts into the request."""


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Worker to child: nobody wants the task under way any longer; end it at the next tile."""


Order = Task | Stop
"""Anything that a worker may say."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Child to worker: the networks are loaded."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Child to worker: `done` of `total` tiles."""

    done: int
    total: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Child to worker: the result is in the task's `output_path`, and was read back."""

    width: int
    height: int
    engine_ms: int
    encode_ms: int
    receipt: Receipt
    tiles: int
    tile_ms: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Child to worker: the task ended with this error; the child is ready for another."""

    code: str
    message: str
    param: str | None


Reply = Ready | Progress | Done | Failed
"""Anything that a child may say."""
