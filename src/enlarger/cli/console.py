"""How the command line tells of progress and errors: people on standard error, programs by exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from enlarger.errors import BadParameter, DeviceError, EnlargerError, ModelError, UsageError
from enlarger.models import Package
from enlarger.models.pull import OnBytes
from enlarger.settings import Settings

EXIT_SOME_FAILED = 1
EXIT_USAGE = 2
EXIT_MODEL = 3
EXIT_DEVICE = 4


def exit_code_for(error: EnlargerError) -> int:
    """2 the caller's mistake, 3 a network is missing or damaged, 4 the machine, 1 anything else."""
    match error:
        case UsageError():
            return EXIT_USAGE
        case ModelError():
            return EXIT_MODEL
        case DeviceError():
            return EXIT_DEVICE
    return EXIT_SOME_FAILED


def fail(error: EnlargerError, subject: str = "enlarger") -> None:
    """One line on standard error."""
    typer.echo(f"{subject}: {error.message}", err=True)


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment, changed by flags that were given. Raises BadParameter."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise BadParameter(f"setting ENLARGER_{name}: {first['msg']}", param=name.lower()) from None


@contextmanager
def download_progress() -> Iterator[OnBytes]:
    """A bar for each package that is fetched; plain lines where standard error is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        tasks: dict[str, TaskID] = {}

        def on_bytes(package: Package, done: int, total: int) -> None:
            if package.name not in tasks:
                tasks[package.name] = bars.add_task(f"fetching {package.name}", total=total)
                if not console.is_terminal:
                    megabytes = total / 1_000_000
                    typer.echo(f"fetching {package.name} {package.version}, {megabytes:.0f} MB", err=True)
            bars.update(tasks[package.name], completed=done)

        yield on_bytes
