"""Which dialect answers at which path.

Every dialect answers at its vendor's own paths at the root, so that a client changes the host and
nothing else, and once more below a prefix of its own. Where the vendors' paths meet, this table
says whose they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from enlarger.errors import EnlargerError
from enlarger.server.traffic import note_refusal

STABILITY = "stability"
OMIXA = "omixa"
ONEMIN = "onemin"
SCENARIO = "scenario"
OWN = "enlarger"
"""Our own API: at `/enlarger/v1/...` and nowhere else; what no dialect owns counts as its."""
OWNERS: tuple[tuple[str, str], ...] = (
    ("/v2beta", STABILITY),
    ("/v2alpha", STABILITY),
    ("/v1/user", STABILITY),
    ("/v1/engines", STABILITY),
    ("/v1/generation", STABILITY),
    ("/api/v1", OMIXA),
    ("/api", ONEMIN),
    ("/users", ONEMIN),
    ("/teams", ONEMIN),
    ("/models", ONEMIN),
    ("/v1", SCENARIO),
)
"""(path prefix, dialect), the first that fits wins; an unknown path below it gets its owner's 404."""


def owner_of(path: str) -> str | None:
    """The dialect that a path at the root belongs to, known route or not."""
    for prefix, dialect in OWNERS:
        if path == prefix or path.startswith(prefix + "/"):
            return dialect
    return None


@dataclass(frozen=True)
class Door:
    """One dialect, or what answers where no dialect does."""

    app: ASGIApp
    render_error: Callable[[Request, EnlargerError], Response]
    """Says one of our errors in the vendor's shape; for requests that never reach `app`."""
    prefixes: tuple[str, ...] = ()
    """Where it answers besides its vendor's own paths."""


class Doors:
    """Sends each request to the dialect that owns its path, and the rest to `otherwise`."""

    def __init__(self, dialects: Mapping[str, Door], otherwise: Door) -> None:
        self._dialects = dialects
        self._otherwise = otherwise
        mounts = [Mount(prefix, door.app) for door in dialects.values() for prefix in door.prefixes]
        # A redirect would be made from the Host header, which is the caller's to choose.
        self._prefixed = Router(mounts, default=otherwise.app, redirect_slashes=False)

    @property
    def dialects(self) -> Mapping[str, Door]:
        """Every dialect by its name."""
        return self._dialects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        owner = owner_of(scope["path"]) if scope["type"] == "http" else None
        app = self._prefixed if owner is None else self._dialects[owner].app
        await app(scope, receive, send)

    def name_of(self, scope: Scope) -> str:
        """The dialect that a request belongs to; OWN where it belongs to none."""
        name, _ = self._below(scope["path"])
        return owner_of(scope["path"]) or name or OWN

    def refuse(self, scope: Scope, error: EnlargerError) -> Response:
        """`error` in the shape of whoever owns the path, without asking a route."""
        note_refusal(scope, error)
        if owner := owner_of(scope["path"]):
            return self._dialects[owner].render_error(Request(scope), error)
        name, prefix = self._below(scope["path"])
        if name is None:
            return self._otherwise.render_error(Request(scope), error)
        # As a mount would say it, so that the dialect sees its own path.
        below = {**scope, "root_path": f"{scope.get('root_path', '')}{prefix}"}
        return self._dialects[name].render_error(Request(below), error)

    def _below(self, path: str) -> tuple[str | None, str]:
        """The dialect whose prefix a path lies below, and the prefix."""
        for name, door in self._dialects.items():
            for prefix in door.prefixes:
                if path.startswith(f"{prefix}/"):
                    return name, prefix
        return None, ""
