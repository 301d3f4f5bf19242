"""Does errands one after another: what `up`, `replay` and the alias program share."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from enlarger.cli.console import EXIT_SOME_FAILED, exit_code_for
from enlarger.cli.errands import Errand, Errands
from enlarger.cli.exists import KEEPING, Exists, instead, reason_to_skip, settled
from enlarger.cli.forecast import Forecast, forecast
from enlarger.cli.reporters import Reporter
from enlarger.errors import BadParameter, DeviceError, EnlargerError, ModelError
from enlarger.files import NameTaken, clear_abandoned
from enlarger.imaging import SUFFIXES, Format, Picture, decode, is_animated
from enlarger.parameters import parse_dpi, parse_metadata, parse_quality
from enlarger.progress import OnTile
from enlarger.recipe import Encoding
from enlarger.request import MAX_OUTPUT_PIXELS, UpscaleRequest
from enlarger.target import Size

if TYPE_CHECKING:
    from enlarger.engine.receipt import Receipt
    from enlarger.library import Upscaler


@dataclass(frozen=True)
class Order:
    """How every errand of a call is done."""

    request: UpscaleRequest
    format_: Format | None = None
    """Of the results; None is what their names say."""
    exists: Exists = Exists.OWN
    metadata: str = "keep"
    """`keep`, `private` or `strip`."""
    quality: int | None = None
    """1 to 100 of lossy formats."""
    dpi: str = "keep"
    """`keep`, `scale`, or pixels per inch."""
    max_pixels: int | None = MAX_OUTPUT_PIXELS
    """Largest result; None for no limit."""
    tile_px: int | None = None
    """Most input pixels in a tile; None is what the memory allows."""
    styles: tuple[Picture, ...] = ()
    """The style pictures that the request names."""

    def __post_init__(self) -> None:
        parse_metadata(self.metadata)
        parse_quality(self.quality)
        parse_dpi(self.dpi)
        if self.exists is Exists.UPDATE and self.metadata == "strip":
            raise BadParameter(
                "exists is 'update' and metadata 'strip'; what made a result is found in its metadata",
                param="exists",
            )

    def encoding(self, errand: Errand) -> Encoding:
        """How the errand's result is written."""
        from enlarger.library import form_of

        form = form_of(
            errand.target,
            format=self.format_name,
            metadata=self.metadata,
            quality=self.quality,
            dpi=self.dpi,
        )
        return form.encoding

    @property
    def format_name(self) -> str | None:
        """As the library takes it."""
        return None if self.format_ is None else str(self.format_)


def do(errands: Errands, order: Order, enlarge: Upscaler, reporter: Reporter) -> int:
    """Do the errands and say how it went; the exit code.

    0 all are done or were there, 1 some of several failed, else the code of what failed. A network
    that cannot be had ends the batch: no other picture would fare better.
    """
    errands = settled(errands, order.exists)
    for folder in {errand.target.parent for errand in errands.errands}:
        clear_abandoned(folder)
    return _each(errands, enlarge, reporter, order, partial(_enlarged, enlarge, order, reporter))


def foretell(errands: Errands, order: Order, enlarge: Upscaler, reporter: Reporter) -> int:
    """Say what `do` would do, and do nothing; the exit code that it would end with, as far as is known."""
    errands = settled(errands, order.exists)
    speed = enlarge.speed()

    def tell(errand: Errand) -> None:
        told = _foreseen(enlarge, order, speed, errand)
        reporter.planned(errand, told)
        if told.refusals:
            raise _Refused(told.refusals[0])

    return _each(errands, enlarge, reporter, order, tell)


class _Refused(BadParameter):
    """What was foretold would be refused; the reporter has said why."""


def _each(
    errands: Errands,
    enlarge: Upscaler,
    reporter: Reporter,
    order: Order,
    act: Callable[[Errand], None],
) -> int:
    recipe = enlarge.recipe(order.request)
    reporter.begin(errands.errands, partial(_foreseen, enlarge, order, None))
    for path in errands.passed_over:
        reporter.passed_over(path)
    failures: list[EnlargerError] = []
    for errand in errands.errands:
        try:
            with _readable():
                made = replace(recipe, encoding=order.encoding(errand))
                reason = reason_to_skip(errand, order.exists, made)
            if reason is not None:
                reporter.skipped(errand, reason)
                continue
            act(errand)
        except EnlargerError as error:
            failures.append(error)
            if not isinstance(error, _Refused):
                reporter.failed(errand, error)
            if isinstance(error, ModelError):
                return exit_code_for(error)
    if not failures:
        return 0
    return exit_code_for(failures[0]) if len(errands.errands) == 1 else EXIT_SOME_FAILED


def _foreseen(enlarge: Upscaler, order: Order, speed: float | None, errand: Errand) -> Forecast:
    return forecast(
        errand.source,
        order.request,
        enlarge,
        format_=order.format_ or SUFFIXES.get(errand.target.suffix.lower()),
        max_pixels=order.max_pixels,
        tile_px=order.tile_px,
        speed=speed,
    )


def _enlarged(enlarge: Upscaler, order: Order, reporter: Reporter, errand: Errand) -> None:
    started = time.monotonic()
    reporter.started(errand)
    target: Errand | None = errand
    while target is not None:
        try:
            size, receipt = enlarged(enlarge, order, target, partial(reporter.tile, errand))
        except NameTaken:
            # So rare that the work may be done again; the name cannot be taken before there is a result.
            target = instead(target, order.exists)
        else:
            return reporter.done(target, size, receipt, time.monotonic() - started)
    reporter.skipped(errand, "exists")


def enlarged(enlarge: Upscaler, order: Order, errand: Errand, on_tile: OnTile) -> tuple[Size, Receipt]:
    """Do one errand. What the system says of the files becomes an error of ours, that of its side.

    Raises NameTaken if a file appeared at the result's name that is to stay.
    """
    options: dict[str, Any] = {
        "format": order.format_name,
        "metadata": order.metadata,
        "quality": order.quality,
        "dpi": order.dpi,
        "max_pixels": order.max_pixels,
        "tile_px": order.tile_px,
        "styles": order.styles,
        "existing": "keep" if order.exists in KEEPING else "replace",
        "on_tile": on_tile,
    }
    with _readable(), errand.source.open("rb") as file:
        options["source_digest"] = _digest(file)
        moves = is_animated(file)
        if not moves:
            picture = decode(file)
    try:
        if moves:
            return enlarge.animate(errand.source, errand.target, order.request, **options)
        return enlarge.to_file(picture, errand.target, order.request, **options)
    except NameTaken:
        raise
    except OSError as error:
        reason = error.strerror or error
        raise DeviceError(f"{errand.target} cannot be written: {reason}") from error


def _digest(file: io.BufferedReader) -> str:
    """Of what is decoded next: the name may be another file by then, the open file is not."""
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadParameter(f"cannot be read: {error.strerror or error}") from error
