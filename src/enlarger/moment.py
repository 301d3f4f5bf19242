"""Times and durations as text and back. Everywhere else a time is milliseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from enlarger.errors import BadParameter

UNITS_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = re.compile(r"([0-9]{1,6})([smhd])")
DURATION_MAX_MS = 3650 * UNITS_MS["d"]
"""Ten years: longer than anything here is meant to live."""


def iso_of(moment_ms: int) -> str:
    """A time as ISO 8601 in UTC, to the millisecond: `2026-03-01T12:00:00.000+00:00`."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat(timespec="milliseconds")


def zulu_of(moment_ms: int) -> str:
    """The same as JavaScript writes it: `2026-03-01T12:00:00.000Z`."""
    return iso_of(moment_ms).replace("+00:00", "Z")


def ms_of(text: str, *, param: str) -> int:
    """Milliseconds since 1970 of a time in ISO 8601; a date is its first moment.

    Without an offset it is UTC. Raises BadParameter, naming `param`.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        # A plus that was not escaped arrives as a space, and nobody sees why.
        raise BadParameter(
            f"{param} is {text[:40]!r}; it must be a time like 2026-03-01 or 2026-03-01T12:00:00Z"
            " (in a URL, a + is written %2B)",
            param=param,
        ) from None


def duration_ms(text: str, *, param: str) -> int:
    """Milliseconds of `90s`, `15m`, `1h` or `30d`; at most ten years. Raises BadParameter."""
    match = DURATION.fullmatch(text)
    length_ms = int(match[1]) * UNITS_MS[match[2]] if match else 0
    if not 0 < length_ms <= DURATION_MAX_MS:
        raise BadParameter(
            f"{param} is {text[:40]!r}; it must be a time like 90s, 15m, 1h or 30d, ten years at most",
            param=param,
        )
    return length_ms
