"""`/metrics`: the installation's numbers for Prometheus, and who may read them."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from urllib.parse import urlsplit

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PATH = "/metrics"
MARKS_OF_A_PROXY = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that a proxy adds to what it passes on."""


def make_route(registry: CollectorRegistry, token: SecretStr | None) -> Route:
    """The route.

    token  what a scraper must send; None answers this machine itself and says to others that there
           is no such path.
    """
    # Two scrapers at once would only do the same work twice.
    turn = asyncio.Lock()

    async def metrics(request: Request) -> Response:
        if token is None:
            if not is_from_here(request):
                raise HTTPException(404)
        elif not _has(request, token):
            raise HTTPException(401, headers={"www-authenticate": "Bearer"})
        async with turn:
            page = await asyncio.to_thread(generate_latest, registry)
        return Response(page, headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"})

    return Route(PATH, metrics)


def is_from_here(request: Request) -> bool:
    """Whether a request comes from this machine and was sent to it by name, through no proxy.

    The name keeps out pages in a browser here that made a name of their own lead to this machine. A
    proxy that adds no header and changes the name cannot be told from a user here: it must not pass
    on `/metrics`, or there must be a token.
    """
    if any(name in request.headers for name in MARKS_OF_A_PROXY):
        return False
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    except ValueError:
        return False
    return _is_loopback(request.client.host if request.client else "") and (
        host == "localhost" or _is_loopback(host)
    )


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _has(request: Request, token: SecretStr) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    wanted = token.get_secret_value().encode()
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("latin-1"), wanted)
