"""Micro-credits as text and back. Everywhere else an amount is an `int`, and never a float."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from enlarger.errors import BadParameter

MICROS = 1_000_000
"""Micro-credits in a US dollar."""
DECIMALS = 6
AMOUNT_MAX_MICROS = 10**15
"""Largest amount of one move, a billion dollars: beyond it somebody's finger slipped."""


def dollars(micros: int) -> str:
    """`39000` as `"0.039000"`: always six decimals, as the wire and the files have it."""
    whole, rest = divmod(abs(micros), MICROS)
    return f"{'-' if micros < 0 else ''}{whole}.{rest:0{DECIMALS}d}"


def micros_of(text: str, *, param: str = "amount") -> int:
    """`"0.039"` as `39000`: an amount of US dollars, 0 or more.

    Nothing is rounded. Raises BadParameter, naming `param`, for anything but a plain decimal number
    with at most six decimals.
    """
    try:
        amount = Decimal(text) * MICROS
    except InvalidOperation:
        raise BadParameter(
            f"{param} is {text!r}; it must be an amount of US dollars", param=param
        ) from None
    if not amount.is_finite() or amount < 0 or amount != int(amount):
        raise BadParameter(
            f"{param} is {text!r}; it must be 0 or more with at most six decimals", param=param
        )
    if amount > AMOUNT_MAX_MICROS:
        raise BadParameter(
            f"{param} is {text!r}; it must be at most {AMOUNT_MAX_MICROS // MICROS}", param=param
        )
    return int(amount)
