"""The price list: what is sold, for how much. A list is never changed; a change makes a new version."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa

from enlarger.database import now_ms
from enlarger.errors import BadParameter, ModelNotOffered
from enlarger.ledger.tables import PRICE_LISTS, PRICES

FIRST_PRICES_MICROS = {"fast": 20_000, "conservative": 400_000, "creative": 600_000}
"""Prices of a new installation: Stability's list of 2026, at US$0.01 a credit."""
MODEL_MAX = 80


@dataclass(frozen=True)
class Price:
    """One line of a list."""

    model: str
    """The public name of what is sold."""
    micros: int
    """Micro-credits for one result. 0 is allowed where an operator wrote it; no price is no offer."""
    up_to_pixels: int | None = None
    """Holds for results of at most so many pixels; None is any size."""

    def __post_init__(self) -> None:
        if not 0 < len(self.model) <= MODEL_MAX:
            raise BadParameter(f"model must have 1 to {MODEL_MAX} characters", param="model")
        if self.micros < 0:
            raise BadParameter("a price must be 0 or more", param="price")
        if self.up_to_pixels is not None and self.up_to_pixels < 1:
            raise BadParameter("up_to_pixels must be 1 or more", param="up_to_pixels")


@dataclass(frozen=True)
class Quote:
    """What one request costs, and by which list."""

    model: str
    micros: int
    version: int

    def times(self, permille: int) -> Quote:
        """The same at `permille` thousandths of the price, rounded up to a whole micro-credit."""
        return replace(self, micros=-(-self.micros * permille // 1000))


@dataclass(frozen=True)
class PriceList:
    """Every model that is on offer, with its prices by size."""

    version: int
    prices: tuple[Price, ...]

    @property
    def models(self) -> set[str]:
        """What is on offer: a model without a price is not."""
        return {price.model for price in self.prices}

    def quote(self, model: str, pixels: int) -> Quote:
        """The price of a result of `pixels`: of the lines that hold for it, the one for the smallest.

        Raises ModelNotOffered for a model, or a size of it, that has no price.
        """
        lines = [price for price in self.prices if price.model == model]
        if not lines:
            raise ModelNotOffered(f"model {model!r} is not on offer here", param="model")
        fitting = [line for line in lines if line.up_to_pixels is None or pixels <= line.up_to_pixels]
        if not fitting:
            largest = max(line.up_to_pixels or 0 for line in lines)
            raise ModelNotOffered(
                f"model {model!r} is offered for results of up to {largest} pixels; this one has {pixels}",
                param="model",
            )
        line = min(fitting, key=lambda line: (line.up_to_pixels is None, line.up_to_pixels))
        return Quote(model, line.micros, self.version)


def current(connection: sa.Connection) -> PriceList:
    """The list that holds now; before the first one was written, an empty one of version 0."""
    version = connection.scalar(sa.select(sa.func.max(PRICE_LISTS.c.version))) or 0
    rows = connection.execute(
        sa.select(PRICES.c.model, PRICES.c.micros, PRICES.c.up_to_pixels)
        .where(PRICES.c.version == version)
        .order_by(PRICES.c.id)
    )
    return PriceList(version, tuple(Price(*row) for row in rows))


def publish(connection: sa.Connection, prices: Iterable[Price], note: str) -> PriceList:
    """Make `prices` the list that holds from now on. What is held already keeps its price.

    Raises BadParameter for two prices of one model and size.
    """
    lines = tuple(prices)
    keys = [(line.model, line.up_to_pixels) for line in lines]
    if len(set(keys)) < len(keys):
        raise BadParameter("there are two prices for one model and size", param="price")
    version = current(connection).version + 1
    connection.execute(PRICE_LISTS.insert().values(version=version, note=note, created_ms=now_ms()))
    if lines:
        connection.execute(
            PRICES.insert(),
            [
                {
                    "version": version,
                    "model": line.model,
                    "micros": line.micros,
                    "up_to_pixels": line.up_to_pixels,
                }
                for line in lines
            ],
        )
    return PriceList(version, lines)


def publish_first(connection: sa.Connection) -> None:
    """The prices of a new installation, if it has none yet."""
    if not current(connection).version:
        publish(connection, (Price(*line) for line in FIRST_PRICES_MICROS.items()), "the first price list")
