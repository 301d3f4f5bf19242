"""What a request must pass before anybody looks at its key: the address's limit, a plain body, a pace."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.errors import EncodedBody, EnlargerError, SlowBody
from enlarger.limits.limiter import Limiter
from enlarger.server.middleware import PROBES

IDLE_S = 30.0
"""Longest silence in the middle of a body."""
PACE_BYTES_S = 50 * 1024
"""Slowest average of a body, beyond a first `IDLE_S`: one that trickles holds room that others need."""

Refuse = Callable[[Scope, EnlargerError], Response]


class Gate:
    """Refuses, in the shape of the dialect that owns the path, before anything is read of the body."""

    def __init__(self, app: ASGIApp, limiter: Limiter, refuse: Refuse) -> None:
        """
        refuse  an error as the owner of the scope's path says it.
        """
        self._app = app
        self._limiter = limiter
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        try:
            host, _ = scope.get("client") or ("", 0)
            await self._limiter.count_address(host)
            _check_encoding(scope["headers"])
        except EnlargerError as error:
            await self._refuse(scope, error)(scope, receive, send)
            return
        await self._app(scope, paced(receive), send)


def paced(receive: Receive, *, idle_s: float = IDLE_S, pace_bytes_s: float = PACE_BYTES_S) -> Receive:
    """`receive` that raises SlowBody where a body comes too slowly.

    Only the time that somebody waits for the body counts, so a body is not late because the server
    is busy; and it counts until the body is complete, so waiting for a hang-up has no end.
    """
    received = 0
    waited_s = 0.0
    is_complete = False

    async def on_time() -> Message:
        nonlocal received, waited_s, is_complete
        if is_complete:
            return await receive()
        started = time.monotonic()
        try:
            async with asyncio.timeout(min(idle_s, idle_s + received / pace_bytes_s - waited_s)):
                message = await receive()
        except TimeoutError:
            raise SlowBody from None
        waited_s += time.monotonic() - started
        received += len(message.get("body", b""))
        is_complete = not message.get("more_body", False)
        return message

    return on_time


def _check_encoding(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """A compressed body would go round every limit on bytes. Raises EncodedBody."""
    for name, value in headers:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise EncodedBody(param="content-encoding")
