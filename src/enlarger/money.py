"""Micro-credits as text and back. Everywhere else an amount is an `int`, and never a float."""

from __future__ import annotations

import re

from enlarger.errors import BadParameter

MICROS = 1_000_000
"""Micro-credits in a US dollar."""
DECIMALS = 6
AMOUNT = re.compile(r"[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40}")
"""A plain decimal number; no exponent, whose few letters may stand for a million digits."""
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
    if AMOUNT.fullmatch(text) is None:
        raise BadParameter(
            f"{param} is {text[:40]!r}; it must be an amount of US dollars, 0 or more", param=param
        )
    whole, _, decimals = text.partition(".")
    if len(decimals.rstrip("0")) > DECIMALS:
        raise BadParameter(f"{param} is {text!r}; it must have at most six decimals", param=param)
    micros = int(whole + decimals[:DECIMALS].ljust(DECIMALS, "0"))
    if micros > AMOUNT_MAX_MICROS:
        raise BadParameter(
            f"{param} is {text!r}; it must be at most {AMOUNT_MAX_MICROS // MICROS}", param=param
        )
    return micros


def change_of(text: str, *, param: str = "amount") -> int:
    """`"-0.039"` as `-39000`: a change up or down. Raises BadParameter as `micros_of`."""
    if text.startswith("-"):
        return -micros_of(text[1:], param=param)
    return micros_of(text, param=param)
