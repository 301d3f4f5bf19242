"""How often a worker looks for work: at once when something has happened, seldom when nothing does."""

from __future__ import annotations

import threading
import time

AFTERMATH_S = 0.06
"""So long after something has happened more may follow: the engine frees a job's place after its end."""
AFTERMATH_POLL_S = 0.03
"""No look follows another sooner: what the one before has claimed must be seen to be under way."""
QUIET_AFTER_S = 1.0
QUIET_POLL_S = 0.25


class Pace:
    """Lets loops that look every so often look earlier or later; shared by all loops of a process."""

    def __init__(self, *, may_rest: bool) -> None:
        """
        may_rest  whether everything that makes work rings: then nobody need look often in between.
        """
        self._may_rest = may_rest
        self._change = threading.Condition()
        self._rings = 0
        self._rung_at = time.monotonic()
        self._loops = threading.local()

    def ring(self) -> None:
        """Something has happened: every loop looks now, also one that is just about to wait."""
        with self._change:
            self._rings += 1
            self._rung_at = time.monotonic()
            self._change.notify_all()

    def wait(self, usual_s: float | None) -> None:
        """Return when a loop that waits `usual_s` is to look again."""
        begun = time.monotonic()
        with self._change:
            heard = getattr(self._loops, "heard", self._rings)
            self._change.wait_for(lambda: self._rings != heard, self._stretch(usual_s))
            self._loops.heard = self._rings
        time.sleep(max(0.0, min(usual_s or 0.0, AFTERMATH_POLL_S) - (time.monotonic() - begun)))

    def _stretch(self, usual_s: float | None) -> float | None:
        quiet_s = time.monotonic() - self._rung_at
        if usual_s is None:
            return None
        if quiet_s < AFTERMATH_S:
            return min(usual_s, AFTERMATH_POLL_S)
        if self._may_rest and quiet_s > QUIET_AFTER_S:
            return max(usual_s, QUIET_POLL_S)
        return usual_s


class PacedEvent(threading.Event):
    """An event that says when to stop, for which a loop waits at a pace."""

    pace: Pace

    def set(self) -> None:
        """As of any event; whoever waits looks."""
        super().set()
        self.pace.ring()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the event is set, once it is time to look again."""
        self.pace.wait(timeout)
        return self.is_set()
