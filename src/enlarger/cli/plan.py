"""`enlarger plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.console import EXIT_SOME_FAILED, exit_code_for, fail
from enlarger.cli.errands import plan_errands
from enlarger.cli.forecast import forecast
from enlarger.cli.up import (
    FormatOption,
    JsonOption,
    MaxPixelsOption,
    ModelOption,
    ModeOption,
    ScaleOption,
    TileOption,
    ToOption,
    enlarging,
)
from enlarger.errors import BadParameter, EnlargerError
from enlarger.parameters import parse_format
from enlarger.request import MAX_OUTPUT_PIXELS


def plan(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT", help="Pictures, or folders of pictures.")
    ],
    scale: ScaleOption = None,
    to: ToOption = None,
    mode: ModeOption = "fast",
    model: ModelOption = None,
    format_: FormatOption = None,
    tile: TileOption = None,
    max_pixels: MaxPixelsOption = MAX_OUTPUT_PIXELS,
    as_json: JsonOption = False,
) -> None:
    """Say what pictures would come to: size, method, tiles, memory, time, limits. Nothing is made.

    The time is for this machine as fast as it is now, once the networks are loaded. The exit code is
    what `up` would end with.
    """
    from enlarger.library import make_request

    chosen = None if format_ is None else parse_format(format_)
    request = make_request(mode=mode, scale=scale, target=to, model=model)
    errands = plan_errands(inputs, None, request=request, format_=chosen)
    failures: list[EnlargerError] = []
    with enlarging() as enlarge:
        speed = enlarge.speed()
        for errand in errands.errands:
            try:
                told = forecast(
                    errand.source,
                    request,
                    enlarge,
                    format_=chosen,
                    max_pixels=max_pixels or None,
                    tile_px=tile * tile if tile else None,
                    speed=speed,
                )
            except EnlargerError as error:
                failures.append(error)
                fail(error, str(errand.source))
                continue
            failures += [BadParameter(refusal) for refusal in told.refusals]
            if as_json:
                typer.echo(json.dumps({"input": str(errand.source), **told.fields()}))
                continue
            typer.echo(f"{errand.source}: {told.line}")
            for refusal in told.refusals:
                typer.echo(f"{errand.source}: would be refused: {refusal}")
    if failures:
        raise typer.Exit(exit_code_for(failures[0]) if len(errands.errands) == 1 else EXIT_SOME_FAILED)
