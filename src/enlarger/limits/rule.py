"""The rate rule: so many requests in a moving window, and who exceeds it is shut out for a time.

Pure: times come in as numbers. Nothing here reads a clock, a row or a request.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

GRAMMAR = re.compile(r"([0-9]{1,5})/([0-9]{1,5})([smh])")
UNITS_S = {"s": 1, "m": 60, "h": 3600}
OFF = "off"
COUNT_MAX = 10_000
"""A window holds the time of each of its requests, so this is 80 kB a subject."""


@dataclass(frozen=True)
class Rule:
    """What a subject may do. All inclusive, in requests and seconds."""

    count: int
    """Requests that any span of `window_s` may hold; 1 to 10,000."""
    window_s: int
    """Length of the moving window; 1 or more."""
    penalty_s: int
    """How long a subject that exceeds `count` is refused at least; 0 refuses only what exceeds it."""

    def __post_init__(self) -> None:
        if not 1 <= self.count <= COUNT_MAX or self.window_s < 1 or self.penalty_s < 0:
            raise ValueError(f"must allow 1 to {COUNT_MAX} requests in 1 second or more")

    @classmethod
    def parse(cls, text: str, penalty_s: int) -> Rule | None:
        """The rule that `150/10s`, `1000/5m` or `20000/24h` says; None for `off`.

        Raises ValueError, without the text, for anything else.
        """
        if text == OFF:
            return None
        match = GRAMMAR.fullmatch(text)
        if match is None:
            raise ValueError("must be `off`, or requests and a time as in `150/10s`, `1000/5m`, `9000/24h`")
        count, length, unit = match.groups()
        return cls(int(count), int(length) * UNITS_S[unit], penalty_s)


@dataclass(frozen=True)
class Window:
    """What is remembered of a subject. Times are milliseconds since 1970."""

    hits_ms: tuple[int, ...] = ()
    """When its accepted requests came, oldest first."""
    blocked_until_ms: int = 0
    """It is shut out before this; a time in the past if it is not."""


@dataclass(frozen=True)
class Verdict:
    """Whether a request may go on."""

    is_allowed: bool
    retry_after_s: int = 0
    """Whole seconds, at least 1, after which a request will be accepted; 0 if this one is."""


def judge(window: Window, now_ms: int, rule: Rule) -> tuple[Window, Verdict]:
    """What becomes of a request that comes at `now_ms`, and what is to be remembered of its subject.

    No half-open span of `rule.window_s` ever holds more than `rule.count` accepted requests. The
    request that would be one too many is refused and begins the penalty; refused requests do not
    lengthen it, so a client that keeps on asking is served again when the penalty is over.

    A penalty shorter than the window lasts until there is room again, so that `retry_after_s` is kept.

    A clock that was set back is answered mildly: what lies in the future counts as being now, so
    that nobody is shut out for longer than the penalty or the window.
    """
    window_ms, penalty_ms = 1000 * rule.window_s, 1000 * rule.penalty_s
    blocked_until_ms = min(window.blocked_until_ms, now_ms + max(penalty_ms, window_ms))
    hits = window.hits_ms[bisect_right(window.hits_ms, now_ms - window_ms) :]
    if hits and hits[-1] > now_ms:
        hits = tuple(min(hit, now_ms) for hit in hits)
    if blocked_until_ms <= now_ms:
        if len(hits) < rule.count:
            return Window((*hits, now_ms), blocked_until_ms), Verdict(is_allowed=True)
        blocked_until_ms = max(now_ms + penalty_ms, hits[-rule.count] + window_ms)
    wait_s = -(-(blocked_until_ms - now_ms) // 1000)
    return Window(hits, blocked_until_ms), Verdict(is_allowed=False, retry_after_s=wait_s)


def expiry_ms(window: Window, rule: Rule) -> int:
    """From when on `window` says no more than an empty one would."""
    return max(window.blocked_until_ms, window.hits_ms[-1] + 1000 * rule.window_s if window.hits_ms else 0)
