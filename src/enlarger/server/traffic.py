"""What this process counts of the requests that it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import Scope

from enlarger.errors import EnlargerError

REFUSED = "refused"
"""Where the request's state has the code of the error that it was answered with."""
HUNG_UP = 499
"""Status, as nginx says it, of a request that nobody waited for."""
UNKNOWN = "unknown"
"""Route of a path that no route knows: the path is the caller's, and there would be no end of them."""
BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Traffic:
    """Requests by door, route and status, their seconds, and why requests were refused.

    Every label has few values, and none is a caller's words: doors and routes are those that the
    application was made of, reasons are the codes of `errors`.
    """

    def __init__(self, registry: CollectorRegistry, door_of: Callable[[Scope], str]) -> None:
        """
        door_of  the dialect that a request belongs to.
        """
        self._door_of = door_of
        self._requests = Counter(
            "enlarger_http_requests",
            "Requests that were answered.",
            ("door", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "enlarger_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("door", "route"),
            buckets=BOUNDS_S,
            registry=registry,
        )
        self._refusals = Counter(
            "enlarger_http_refusals",
            "Answers of status 400 and above, by the error's code.",
            ("door", "code"),
            registry=registry,
        )
        self._under_way = Gauge(
            "enlarger_http_requests_under_way", "Requests that wait for their answer.", registry=registry
        )

    def begin(self) -> None:
        """A request has come."""
        self._under_way.inc()

    def end(self, scope: Scope, status: int, seconds: float) -> None:
        """A request is answered.

        status  0 if nobody waited for the answer.
        """
        self._under_way.dec()
        door, route = self._door_of(scope), route_of(scope)
        shown = status or HUNG_UP
        self._requests.labels(door, route, str(shown)).inc()
        self._seconds.labels(door, route).observe(seconds)
        if shown >= 400:
            code = scope.get("state", {}).get(REFUSED, f"http_{shown}")
            self._refusals.labels(door, code).inc()


def route_of(scope: Scope) -> str:
    """The template of the route that a request went to, once it has been there."""
    route: Any = scope.get("route")
    return str(getattr(route, "path", UNKNOWN)) or UNKNOWN


def note_refusal(scope: Scope, error: Exception) -> None:
    """Keep why a request is refused, for `Traffic` and the log."""
    if isinstance(error, EnlargerError):
        scope.setdefault("state", {})[REFUSED] = error.code
