"""`enlarger up`."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.console import EXIT_SOME_FAILED, download_progress, exit_code_for, read_settings
from enlarger.cli.errands import Errand, plan_errands
from enlarger.cli.reporters import json_lines, terminal
from enlarger.errors import BadParameter, DeviceError, EnlargerError, ModelError
from enlarger.imaging import Format, Picture
from enlarger.progress import OnTile
from enlarger.request import MAX_OUTPUT_PIXELS

if TYPE_CHECKING:
    from enlarger.library import Result


def up(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="Pictures, or folders of pictures.")
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File, or folder; beside each input if not given."),
    ] = None,
    scale: Annotated[float, typer.Option("--scale", "-s", help="Factor, 1 to 64.")] = 4.0,
    mode: Annotated[str, typer.Option("--mode", help="Plan of the engine: fast.")] = "fast",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", help="png, jpeg or webp; like the output or the input if not given."
        ),
    ] = None,
    max_pixels: Annotated[
        int, typer.Option("--max-pixels", min=0, help="Largest result; 0 for no limit.")
    ] = MAX_OUTPUT_PIXELS,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line on standard output.")] = False,
) -> None:
    """Enlarge pictures. A result appears whole or not at all; an input is never overwritten."""
    from enlarger.library import Upscaler, parse_format

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = None if format_ is None else parse_format(format_)
    # A str and not a Path until here: a Path forgets the slash that says "folder".
    into = None if output is None else Path(output)
    is_folder = output is not None and output.endswith("/")
    plan = plan_errands(inputs, into, scale=scale, format_=chosen, is_folder=is_folder)

    failures: list[EnlargerError] = []
    with (
        json_lines() if as_json else terminal() as reporter,
        download_progress() as on_bytes,
        Upscaler(settings=read_settings(), on_bytes=on_bytes) as enlarge,
    ):
        for path in plan.passed_over:
            reporter.passed_over(path)
        for errand in plan.errands:
            started = time.monotonic()
            reporter.started(errand)
            try:
                picture = _run(
                    errand,
                    partial(enlarge, mode=mode, scale=scale, max_pixels=max_pixels or None),
                    chosen,
                    partial(reporter.tile, errand),
                )
            except EnlargerError as error:
                reporter.failed(errand, error)
                failures.append(error)
                if isinstance(error, ModelError):
                    # No other picture would fare better.
                    raise typer.Exit(exit_code_for(error)) from None
            else:
                reporter.done(errand, picture.width, picture.height, time.monotonic() - started)
    if failures:
        raise typer.Exit(exit_code_for(failures[0]) if len(plan.errands) == 1 else EXIT_SOME_FAILED)


def _run(
    errand: Errand, enlarge: Callable[..., Result], format_: Format | None, on_tile: OnTile
) -> Picture:
    """Do one errand. What the system says of the files becomes an error of ours, that of its side."""
    try:
        result = enlarge(errand.source, on_tile=on_tile)
    except OSError as error:
        raise BadParameter(f"cannot be read: {error.strerror or error}") from error
    try:
        result.save(errand.target, format=format_)
    except OSError as error:
        reason = error.strerror or error
        raise DeviceError(f"{errand.target} cannot be written: {reason}") from error
    return result.picture
