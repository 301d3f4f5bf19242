"""Prices as Scenario writes them."""

from __future__ import annotations

MICROS_IN_A_UNIT = 10_000
"""A creative unit is US$0.01."""


def units_of(micros: int) -> int | float:
    """An amount in creative units, for JSON: `7.25` and never `7.249999999999999`.

    A division is rounded to the double that is nearest to the true quotient, and JSON writes a double
    with the fewest digits that name it: with at most four decimals these are the quotient's own.
    """
    whole, rest = divmod(micros, MICROS_IN_A_UNIT)
    return whole if rest == 0 else micros / MICROS_IN_A_UNIT
