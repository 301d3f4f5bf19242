"""How much of the processors went to other programs while something was measured.

A table that was made beside other work is worth less; this says so on the table itself. Time that a
hypervisor gave to other machines counts as well, where it tells.
"""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Stopwatch:
    """Started where measuring starts."""

    wall: float
    busy: float
    """Seconds that all processors have worked, for whomever."""
    own: float
    """Of these, ours and our ended children's."""

    @classmethod
    def start(cls) -> Stopwatch:
        """Now."""
        return cls(time.monotonic(), _busy(), _own())

    def wall_s(self) -> float:
        """Seconds since then."""
        return time.monotonic() - self.wall

    def others_share(self) -> float:
        """Of all processors' time since then, what others took; counts only children that ended."""
        others = (_busy() - self.busy) - (_own() - self.own)
        return max(0.0, others) / (self.wall_s() * (psutil.cpu_count() or 1))


def _busy() -> float:
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq + times.steal)


def _own() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
