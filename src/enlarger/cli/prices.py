"""`enlarger prices`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.installation import AsJson, DataDir, opened, show
from enlarger.errors import BadParameter, NotFound
from enlarger.money import dollars, micros_of
from enlarger.target import Kind, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from enlarger.ledger.prices import Price

app = typer.Typer(
    help="Say what is sold, for how much. A model without a price is not on offer.", no_args_is_help=True
)
Model = Annotated[str, typer.Argument(help="What is sold: fast, conservative, creative.")]
UpTo = Annotated[
    str | None,
    typer.Option("--up-to", help="Only for results of at most this size, such as 4.2MP; any if not given."),
]


@app.command("list")
def list_(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the prices that hold now."""
    from enlarger.ledger import prices

    with opened(data_dir) as installation, installation.engine.connect() as connection:
        held = prices.current(connection)
    show([_row(price, held.version) for price in held.prices], as_json=as_json)


@app.command("set")
def set_(
    model: Model,
    amount: Annotated[str, typer.Argument(help="US dollars for one result; 0 is for nothing.")],
    up_to: UpTo = None,
    data_dir: DataDir = None,
) -> None:
    """Set the price of a model, or of one size of it, from now on. Jobs under way keep theirs."""
    from enlarger.ledger.prices import Price

    price = Price(model, micros_of(amount), None if up_to is None else _pixels(up_to))

    def changed(prices: tuple[Price, ...]) -> tuple[Price, ...]:
        others = (one for one in prices if (one.model, one.up_to_pixels) != (model, price.up_to_pixels))
        return (*others, price)

    _publish(data_dir, changed, f"{model} set")


@app.command()
def remove(model: Model, up_to: UpTo = None, data_dir: DataDir = None) -> None:
    """Take a model off the list, or with --up-to one size of it. Jobs under way keep their price."""
    pixels = None if up_to is None else _pixels(up_to)

    def changed(prices: tuple[Price, ...]) -> tuple[Price, ...]:
        left = tuple(
            one
            for one in prices
            if one.model != model or (pixels is not None and one.up_to_pixels != pixels)
        )
        if left == prices:
            size = "" if up_to is None else f" up to {up_to}"
            raise NotFound(f"there is no price for {model}{size}", param="model")
        return left

    _publish(data_dir, changed, f"{model} removed")


def _publish(
    data_dir: Path | None, changed: Callable[[tuple[Price, ...]], tuple[Price, ...]], note: str
) -> None:
    from enlarger.database import write
    from enlarger.ledger import prices

    with opened(data_dir) as installation, write(installation.engine) as connection:
        held = prices.publish(connection, changed(prices.current(connection).prices), note)
    show([_row(price, held.version) for price in held.prices], as_json=False)


def _pixels(text: str) -> int:
    """Raises BadParameter for a target that is no area."""
    target = Target.parse(text)
    if target.kind not in (Kind.AREA, Kind.ABOUT):
        raise BadParameter(f"up-to is {text!r}; it must be like 4.2MP or 4200000px", param="up_to")
    return int(target.values[0])


def _row(price: Price, version: int) -> dict[str, object]:
    return {
        "model": price.model,
        "up_to_pixels": price.up_to_pixels,
        "price": dollars(price.micros),
        "version": version,
    }
