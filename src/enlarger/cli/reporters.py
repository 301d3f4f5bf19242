"""How a batch tells how it goes: a bar for people, lines for logs, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from enlarger.cli.console import fail
from enlarger.cli.errands import Errand
from enlarger.errors import EnlargerError
from enlarger.target import Size

if TYPE_CHECKING:
    from enlarger.cli.forecast import Forecast
    from enlarger.engine.receipt import Receipt

Foresee = Callable[[Errand], "Forecast"]
"""Looks at the picture of an errand. Raises EnlargerError."""
LIKELY_FLOPS = 1.0
"""Of a picture that cannot be read: it takes no time to say so."""


class Reporter(Protocol):
    """Told of every errand, in this order."""

    def begin(self, errands: Sequence[Errand], foresee: Foresee) -> None:
        """All that is to be done."""

    def passed_over(self, path: Path) -> None:
        """A picture in a folder has a format that is not read."""

    def planned(self, errand: Errand, forecast: Forecast) -> None:
        """What it would come to; nothing is done."""

    def skipped(self, errand: Errand, reason: str) -> None:
        """Its result is there and stays."""

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
    """A line for each picture on standard error, and on a terminal a bar for the whole batch."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[tiles]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    ) as bars:
        yield _Terminal(bars)


class _JsonLines:
    def begin(self, errands: Sequence[Errand], foresee: Foresee) -> None:
        """Events need no total of what is to come."""

    def passed_over(self, path: Path) -> None:
        self._write({"event": "passed_over", "input": str(path)})

    def planned(self, errand: Errand, forecast: Forecast) -> None:
        self._say("planned", errand, **forecast.fields())

    def skipped(self, errand: Errand, reason: str) -> None:
        self._say("skipped", errand, reason=reason)

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
        self._write({"event": event, "input": str(errand.source), "output": str(errand.target), **fields})

    def _write(self, event: dict[str, Any]) -> None:
        typer.echo(json.dumps(event))


class _Terminal:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None
        self._flops: dict[Errand, float] = {}
        """Tiles of different networks take very different times: the bar goes by arithmetic."""
        self._done_flops = 0.0
        self._position = 0

    def begin(self, errands: Sequence[Errand], foresee: Foresee) -> None:
        if self._bars.disable:
            return
        self._flops = dict.fromkeys(errands, LIKELY_FLOPS)
        for errand in errands:
            try:
                self._flops[errand] = max(LIKELY_FLOPS, foresee(errand).flops)
            except EnlargerError:
                continue  # It is told when its turn comes.
        self._task = self._bars.add_task("", total=sum(self._flops.values()), tiles="")

    def passed_over(self, path: Path) -> None:
        typer.echo(f"{path}: passed over; this format is not read", err=True)

    def planned(self, errand: Errand, forecast: Forecast) -> None:
        typer.echo(f"{errand.target}: {forecast.line}")
        for refusal in forecast.refusals:
            typer.echo(f"{errand.target}: would be refused: {refusal}", err=True)

    def skipped(self, errand: Errand, reason: str) -> None:
        self._end(errand)
        typer.echo(f"{errand.target}: skipped, {reason}", err=True)

    def started(self, errand: Errand) -> None:
        if self._task is not None:
            place = f"{self._position + 1}/{len(self._flops)} " if len(self._flops) > 1 else ""
            self._bars.update(self._task, description=place + errand.source.name, tiles="")

    def tile(self, errand: Errand, done: int, total: int) -> None:
        if self._task is not None:
            reached = self._done_flops + self._flops[errand] * done / total
            self._bars.update(self._task, completed=reached, tiles=f"{done}/{total} tiles")

    def done(self, errand: Errand, size: Size, receipt: Receipt, seconds: float) -> None:
        self._end(errand)
        typer.echo(f"{errand.target}: {size} in {seconds:.1f} s", err=True)
        if receipt.reasons:
            typer.echo(f"{errand.target}: {receipt.verdict}: {'; '.join(receipt.reasons)}", err=True)

    def failed(self, errand: Errand, error: EnlargerError) -> None:
        self._end(errand)
        fail(error, str(errand.source))

    def _end(self, errand: Errand) -> None:
        self._position += 1
        self._done_flops += self._flops.get(errand, 0.0)
        if self._task is not None:
            self._bars.update(self._task, completed=self._done_flops, tiles="")
