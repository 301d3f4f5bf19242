"""`enlarger worker`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import structlog
import typer

from enlarger.cli.console import EXIT_SOME_FAILED, exit_code_for, fail, read_settings
from enlarger.errors import EnlargerError
from enlarger.logs import configure_logging


def worker(
    ordinal: Annotated[int, typer.Option(min=0, help="Number of this worker on this machine.")] = 0,
) -> None:
    """Run one worker; `enlarger serve` starts the one that a machine needs."""
    from enlarger.worker.process import run_worker

    settings = read_settings()
    configure_logging(settings.log_format)
    code = EXIT_SOME_FAILED
    try:
        run_worker(settings, ordinal)
        code = 0
    except EnlargerError as error:
        fail(error, "worker")
        code = exit_code_for(error)
    except Exception:
        structlog.get_logger().exception("worker.broken")
    finally:
        sys.stderr.flush()
        # Not sys.exit: a job under way has a thread that would be waited for, in a process that no
        # longer tends its slot. The supervisor starts a new one, which takes the job up again.
        os._exit(code)
