"""Requests that were refused before they were accepted, and that their client will send again.

A client that repeats requests by itself says of each whether it is sent again, and not which one it
repeats. Of several equal requests on their way at once one may be refused, and its repetition must not
be given the job of another: it is owed a job of its own, once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

OWED_S = 120.0
"""Longer than such clients wait before they try again: a minute at most (openai-python, `_base_client`)."""
OWED_MAX = 10_000
"""Different requests that are remembered; beyond, the one that was refused first is forgotten."""

Request = tuple[str, str, str]
"""Key, operation and fingerprint: what equal requests have in common."""


class Refusals:
    """Counts what is owed, in this process alone and for two minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._owed: dict[Request, list[float]] = {}
        """Since when, for each that is owed; the one that was refused last stands last."""

    def add(self, request: Request) -> None:
        """Its client was told to come again."""
        with self._lock:
            self._owed[request] = [*self._pop(request), self._clock()]
            if len(self._owed) > OWED_MAX:
                del self._owed[next(iter(self._owed))]

    def owes(self, request: Request) -> bool:
        """Whether a repetition is to have a job of its own."""
        with self._lock:
            return any(at > self._clock() - OWED_S for at in self._owed.get(request, ()))

    def take(self, request: Request) -> bool:
        """As `owes`; from then on it is owed no longer."""
        with self._lock:
            times = self._pop(request)
            if len(times) > 1:
                self._owed[request] = times[1:]
        return bool(times)

    def _pop(self, request: Request) -> list[float]:
        return [at for at in self._owed.pop(request, ()) if at > self._clock() - OWED_S]
