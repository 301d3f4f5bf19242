"""How `enlarger up` tells how it goes: a bar for people, lines for logs, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from enlarger.cli.console import fail
from enlarger.cli.errands import Errand
from enlarger.errors import EnlargerError
from enlarger.target import Size

if TYPE_CHECKING:
    from enlarger.engine.receipt import Receipt


class Reporter(Protocol):
    """Told of every errand, in this order."""

    def passed_over(self, path: Path) -> None:
        """A picture in a folder has a format that is not read."""

    def started(self, errand: Errand) -> None:
        """Its picture is being read."""

    def tile(self, errand: Errand, done: int, total: int) -> None:
        """`done` of `total` tiles are made."""

    def done(self, errand: Errand, size: Size, receipt: Receipt, seconds: float) -> None:
        """Its result, of this size, is on the disk."""

    def failed(self, errand: Errand, error: EnlargerError) -> None:
        """There is no result."""


@contextmanager
def json_lines() -> Iterator[Reporter]:
    """One event a line on standard output; nothing else is ever written there."""
    yield _JsonLines()


@contextmanager
def terminal() -> Iterator[Reporter]:
    """A bar by tiles on a terminal, and a line for each picture, on standard error."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tiles"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bars:
        yield _Terminal(bars)


class _JsonLines:
    def passed_over(self, path: Path) -> None:
        typer.echo(json.dumps({"event": "passed_over", "input": str(path)}))

    def started(self, errand: Errand) -> None:
        self._say("started", errand)

    def tile(self, errand: Errand, done: int, total: int) -> None:
        self._say("tile", errand, done=done, total=total)

    def done(self, errand: Errand, size: Size, receipt: Receipt, seconds: float) -> None:
        self._say(
            "done",
            errand,
            width=size.width,
            height=size.height,
            seconds=round(seconds, 3),
            receipt=asdict(receipt),
        )

    def failed(self, errand: Errand, error: EnlargerError) -> None:
        self._say("failed", errand, code=error.code, message=error.message, param=error.param)

    def _say(self, event: str, errand: Errand, **fields: object) -> None:
        place = {"input": str(errand.source), "output": str(errand.target)}
        typer.echo(json.dumps({"event": event, **place, **fields}))


class _Terminal:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def passed_over(self, path: Path) -> None:
        typer.echo(f"{path}: passed over; only PNG, JPEG and WebP are read", err=True)

    def started(self, errand: Errand) -> None:
        self._task = self._bars.add_task(errand.source.name, total=None)

    def tile(self, errand: Errand, done: int, total: int) -> None:
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total)

    def done(self, errand: Errand, size: Size, receipt: Receipt, seconds: float) -> None:
        self._end()
        typer.echo(f"{errand.target}: {size} in {seconds:.1f} s", err=True)
        if receipt.reasons:
            typer.echo(f"{errand.target}: {receipt.verdict}: {'; '.join(receipt.reasons)}", err=True)

    def failed(self, errand: Errand, error: EnlargerError) -> None:
        self._end()
        fail(error, str(errand.source))

    def _end(self) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
