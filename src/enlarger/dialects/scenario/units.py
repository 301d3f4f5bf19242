"""Prices and times as Scenario writes them."""

from __future__ import annotations

from enlarger.moment import iso_of

MICROS_IN_A_UNIT = 10_000
"""A creative unit is US$0.01."""


def units_of(micros: int) -> int | float:
    """An amount in creative units, for JSON: `7.25` and never `7.249999999999999`.

    A division is rounded to the double that is nearest to the true quotient, and JSON writes a double
    with the fewest digits that name it: with at most four decimals these are the quotient's own.
    """
    whole, rest = divmod(micros, MICROS_IN_A_UNIT)
    return whole if rest == 0 else micros / MICROS_IN_A_UNIT


def date_of(moment_ms: int) -> str:
    """A time as `2026-03-01T12:00:00.000Z`."""
    return iso_of(moment_ms).replace("+00:00", "Z")
