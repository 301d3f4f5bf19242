"""The routes of `/docs`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from enlarger.dialects.origin import base_of
from enlarger.server.docs.page import STYLE, Book, index, page
from enlarger.server.doors import Door, owner_of

STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
HEADERS = {
    # The one stylesheet in the page, and nothing else from anywhere.
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def make_routes(dialects: Mapping[str, Door], public_url: str | None) -> list[Route]:
    """The index, and a page for each dialect that describes itself.

    dialects    by name; a page has the name of the dialect's first prefix.
    public_url  that examples begin with; None takes that of each request.
    """
    apps = {door.prefixes[0].strip("/"): (name, door.app) for name, door in dialects.items()}

    def book_of(prefix: str) -> Book:
        name, app = apps[prefix]
        assert isinstance(app, FastAPI)  # noqa: S101 (every dialect is one)
        document = app.openapi()
        # A dialect without a path at the root answers below its prefix alone.
        is_at_root = any(owner_of(path) == name for path in document["paths"])
        return Book(prefix, document, "" if is_at_root else f"/{prefix}")

    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(index([book_of(prefix) for prefix in apps]), headers=HEADERS)

    async def dialect(request: Request) -> HTMLResponse:
        prefix = request.path_params["name"]
        if prefix not in apps:
            raise HTTPException(404)
        base_url = public_url or base_of(request)
        return HTMLResponse(page(book_of(prefix), base_url), headers=HEADERS)

    return [Route("/docs", docs), Route("/docs/", docs), Route("/docs/{name}", dialect)]
