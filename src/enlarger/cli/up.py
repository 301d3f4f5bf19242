"""`enlarger up`."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.console import EXIT_SOME_FAILED, download_progress, exit_code_for, read_settings
from enlarger.cli.errands import Errand, plan_errands
from enlarger.cli.reporters import ConsoleReporter, JsonReporter, Reporter
from enlarger.errors import BadParameter, DeviceError, EnlargerError, ModelError
from enlarger.request import MAX_OUTPUT_PIXELS

if TYPE_CHECKING:
    from enlarger.library import Upscaler


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

    def run(errand: Errand, enlarge: Upscaler, reporter: Reporter) -> EnlargerError | None:
        started = time.monotonic()
        reporter.started(errand)
        try:
            result = enlarge(
                errand.source,
                mode=mode,
                scale=scale,
                max_pixels=max_pixels or None,
                on_tile=lambda done, total: reporter.tile(errand, done, total),
            )
        except OSError as error:
            return report(errand, reporter, BadParameter(f"cannot be read: {error.strerror or error}"))
        except EnlargerError as error:
            return report(errand, reporter, error)
        try:
            result.save(errand.target, format=None if chosen is None else str(chosen))
        except OSError as error:
            reason = error.strerror or error
            return report(errand, reporter, DeviceError(f"{errand.target} cannot be written: {reason}"))
        except EnlargerError as error:
            return report(errand, reporter, error)
        picture = result.picture
        reporter.done(errand, picture.width, picture.height, time.monotonic() - started)
        return None

    def report(errand: Errand, reporter: Reporter, error: EnlargerError) -> EnlargerError:
        reporter.failed(errand, error)
        return error

    failures: list[EnlargerError] = []
    reporter = JsonReporter() if as_json else ConsoleReporter()
    with (
        reporter,
        download_progress() as on_bytes,
        Upscaler(settings=read_settings(), on_bytes=on_bytes) as enlarge,
    ):
        for path in plan.passed_over:
            reporter.passed_over(path)
        for errand in plan.errands:
            failure = run(errand, enlarge, reporter)
            if failure is not None:
                failures.append(failure)
            if isinstance(failure, ModelError):
                # No other picture would fare better.
                raise typer.Exit(exit_code_for(failure))
    if failures:
        raise typer.Exit(exit_code_for(failures[0]) if len(plan.errands) == 1 else EXIT_SOME_FAILED)
