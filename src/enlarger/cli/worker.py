"""`enlarger worker`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from enlarger.cli.report import exit_code_for, fail, read_settings
from enlarger.errors import EnlargerError
from enlarger.processes import configure_logging


def worker(
    ordinal: Annotated[int, typer.Option(min=0, help="Number of this worker on this machine.")] = 0,
) -> None:
    """Run one worker; `enlarger serve` starts the one that a machine needs."""
    from enlarger.worker.process import run_worker

    settings = read_settings()
    configure_logging(settings.log_format)
    code = 0
    try:
        run_worker(settings, ordinal)
    except EnlargerError as error:
        fail(error, "worker")
        code = exit_code_for(error)
    sys.stderr.flush()
    # Not sys.exit: a job that outlasted the drain time still has a thread, which would be waited for.
    os._exit(code)
