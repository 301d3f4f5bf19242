"""Which dialect answers at which path.

Every dialect answers at its vendor's own paths at the root, so that a client changes the host and
nothing else, and once more below a prefix of its own. Where the vendors' paths meet, this table
says whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Receive, Scope, Send

STABILITY = "stability"
OWNERS: tuple[tuple[str, str], ...] = (
    ("/v2beta", STABILITY),
    ("/v2alpha", STABILITY),
    ("/v1/user", STABILITY),
    ("/v1/engines", STABILITY),
    ("/v1/generation", STABILITY),
)
"""(path prefix, dialect), the first that fits wins; an unknown path below it gets its owner's 404."""


def owner_of(path: str) -> str | None:
    """The dialect that a path at the root belongs to, known route or not."""
    for prefix, dialect in OWNERS:
        if path == prefix or path.startswith(prefix + "/"):
            return dialect
    return None


class Doors:
    """Sends each request to the dialect that owns its path, and the rest to `otherwise`."""

    def __init__(self, dialects: Mapping[str, ASGIApp], otherwise: ASGIApp) -> None:
        self._dialects = dialects
        self._prefixed = Router(
            [Mount(f"/{name}", app) for name, app in dialects.items()], default=otherwise
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        owner = owner_of(scope["path"]) if scope["type"] == "http" else None
        app = self._prefixed if owner is None else self._dialects[owner]
        await app(scope, receive, send)
