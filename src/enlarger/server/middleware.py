"""What surrounds every request, whatever the dialect: its id, its log line, a polite refusal."""

from __future__ import annotations

import asyncio
import secrets
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.server.traffic import REFUSED, Traffic

LOG = structlog.get_logger()
REQUEST_ID = "x-request-id"
PROBES = ("/healthz", "/readyz", "/metrics")
"""What machines of the operator ask every few seconds; never limited, hardly logged."""
PATH_MAX = 200
"""Characters of a path that are logged."""
LINGER_BYTES = 64 * 2**20
LINGER_S = 5.0


class RequestIds:
    """Gives every request an id of ours, in its answer's `x-request-id` and in every log line; counts it.

    The log line has method, path, status, milliseconds and the code of a refusal: no header, no query
    and no body, so no key, prompt or picture can get into it.
    """

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        scope.setdefault("state", {})[REQUEST_ID] = request_id
        status = 0
        is_answered = False
        started = time.perf_counter()
        self._traffic.begin()

        async def send_with_id(message: Message) -> None:
            nonlocal status, is_answered
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)
            is_answered = message["type"] == "http.response.body" and not message.get("more_body")

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                # A dialect logs its faults and answers them; raising them again, as its framework
                # does, would only make the server drop the connection under the next request.
                if not is_answered:
                    raise
            finally:
                seconds = time.perf_counter() - started
                self._traffic.end(scope, status, seconds)
                # Probes come every few seconds and say nothing that their answers do not.
                log = LOG.debug if scope["path"] in PROBES else LOG.info
                log(
                    "http.request",
                    method=scope["method"],
                    path=scope["path"][:PATH_MAX],
                    status=status,
                    code=scope["state"].get(REFUSED),
                    ms=round(1000 * seconds),
                )


class Lingering:
    """Reads on for a while before an answer that came before the end of the request's body.

    A server that answers 401 or 413 and closes while the client still sends makes the client see a
    broken connection instead of the answer. What is read is thrown away; at most 64 MiB, 5 s.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A client that asked whether to send its body has its answer, and keeps the body.
        is_read = any(name == b"expect" for name, _ in scope["headers"])

        async def watch() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = not message.get("more_body", False)
            return message

        async def send_after_body(message: Message) -> None:
            if message["type"] == "http.response.start" and not is_read:
                await discard()
            await send(message)

        async def discard() -> None:
            left = LINGER_BYTES
            try:
                async with asyncio.timeout(LINGER_S):
                    while not is_read and left > 0:
                        left -= len((await watch()).get("body", b""))
            except TimeoutError:
                pass

        await self._app(scope, watch, send_after_body)
