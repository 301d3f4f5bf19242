"""`enlarger up`."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cli.console import EXIT_SOME_FAILED, download_progress, exit_code_for, read_settings
from enlarger.cli.errands import Errand, plan_errands
from enlarger.cli.reporters import json_lines, terminal
from enlarger.errors import BadParameter, DeviceError, EnlargerError, ModelError
from enlarger.imaging import decode
from enlarger.request import MAX_OUTPUT_PIXELS, UpscaleRequest
from enlarger.target import Size

if TYPE_CHECKING:
    from enlarger.engine.receipt import Receipt
    from enlarger.library import Upscaler


def up(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="Pictures, or folders of pictures.")
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File, or folder; beside each input if not given."),
    ] = None,
    scale: Annotated[
        float | None, typer.Option("--scale", "-s", help="Factor, 1 to 64; 4 if no size is given.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Size in words: 3840w, 2160h, '3840x2160 fill', 24MP, A3@300dpi."),
    ] = None,
    mode: Annotated[str, typer.Option("--mode", help="fast or conservative.")] = "fast",
    prompt: Annotated[str, typer.Option("--prompt", help="What the picture shows.")] = "",
    negative_prompt: Annotated[str, typer.Option("--negative-prompt", help="What it does not show.")] = "",
    creativity: Annotated[
        float | None, typer.Option("--creativity", help="0 to 1; more makes more texture.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Kept with the result.")] = 0,
    metadata: Annotated[
        str, typer.Option("--metadata", help="keep, private (no place, serial numbers, names) or strip.")
    ] = "keep",
    quality: Annotated[
        int | None, typer.Option("--quality", help="1 to 100 of lossy formats; 95 if not given.")
    ] = None,
    tile: Annotated[
        int | None,
        typer.Option("--tile", "-t", help="Side of a tile in pixels; 0 is automatic."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", "-f", help="png, jpeg, webp or tiff; like the output or the input if not given."
        ),
    ] = None,
    max_pixels: Annotated[
        int, typer.Option("--max-pixels", min=0, help="Largest result; 0 for no limit.")
    ] = MAX_OUTPUT_PIXELS,
    as_json: Annotated[bool, typer.Option("--json", help="One event a line on standard output.")] = False,
) -> None:
    """Enlarge pictures. A result appears whole or not at all; an input is never overwritten."""
    from enlarger.library import Upscaler, make_request, parse_format

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = None if format_ is None else parse_format(format_)
    # A str and not a Path until here: a Path forgets the slash that says "folder".
    into = None if output is None else Path(output)
    is_folder = output is not None and output.endswith("/")
    request = make_request(
        mode=mode,
        scale=scale,
        target=to,
        prompt=prompt,
        negative_prompt=negative_prompt,
        creativity=creativity,
        seed=seed,
    )
    plan = plan_errands(inputs, into, target=request.target, format_=chosen, is_folder=is_folder)
    options: dict[str, Any] = {
        "format": None if chosen is None else str(chosen),
        "metadata": metadata,
        "quality": quality,
        "max_pixels": max_pixels or None,
        "tile_px": tile * tile if tile else None,
    }

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
                size, receipt = _run(
                    errand, request, enlarge, on_tile=partial(reporter.tile, errand), **options
                )
            except EnlargerError as error:
                reporter.failed(errand, error)
                failures.append(error)
                if isinstance(error, ModelError):
                    # No other picture would fare better.
                    raise typer.Exit(exit_code_for(error)) from None
            else:
                reporter.done(errand, size, receipt, time.monotonic() - started)
    if failures:
        raise typer.Exit(exit_code_for(failures[0]) if len(plan.errands) == 1 else EXIT_SOME_FAILED)


def _run(
    errand: Errand, request: UpscaleRequest, enlarge: Upscaler, **options: Any
) -> tuple[Size, Receipt]:
    """Do one errand. What the system says of the files becomes an error of ours, that of its side."""
    try:
        file = errand.source.open("rb")
    except OSError as error:
        raise BadParameter(f"cannot be read: {error.strerror or error}") from error
    with file:
        picture = decode(file)
    try:
        return enlarge.to_file(picture, errand.target, request, **options)
    except OSError as error:
        reason = error.strerror or error
        raise DeviceError(f"{errand.target} cannot be written: {reason}") from error
