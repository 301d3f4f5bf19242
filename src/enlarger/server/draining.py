"""How the API process ends: what is under way is answered, what comes new is sent elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import FrameType

import structlog
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.errors import EnlargerError, NotReady
from enlarger.server.middleware import PROBES

LOG = structlog.get_logger()
HARMLESS = ("GET", "HEAD", "OPTIONS")
"""Methods that need no worker: who asks for a result that is there still gets it."""
CLOSING_S = 1
"""Grace beyond the drain for answers that are being written."""


class Drain:
    """Whether this process is ending, and whether it still owes answers. For one event loop."""

    def __init__(self, timeout_s: float) -> None:
        """
        timeout_s  how long requests under way may take once it has begun.
        """
        self.timeout_s = timeout_s
        self._begun_at: float | None = None
        self.under_way = 0
        """Requests, but for probes, that are not answered yet."""

    @property
    def has_begun(self) -> bool:
        """Whether new work is turned away."""
        return self._begun_at is not None

    @property
    def is_over(self) -> bool:
        """Whether the process may end: all is answered, or the time is up."""
        if self._begun_at is None:
            return False
        return not self.under_way or time.monotonic() > self._begun_at + self.timeout_s

    def begin(self) -> None:
        """Turn new work away from now on."""
        self._begun_at = time.monotonic()
        LOG.info("api.draining", under_way=self.under_way)


class Drained:
    """Counts requests, and refuses new work while the process drains."""

    def __init__(
        self, app: ASGIApp, drain: Drain, refuse: Callable[[Scope, EnlargerError], Response]
    ) -> None:
        """
        refuse  an error as the owner of the scope's path says it.
        """
        self._app = app
        self._drain = drain
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        if self._drain.has_begun and scope["method"] not in HARMLESS:
            error = NotReady("the server is stopping; send it again in a moment")
            await self._refuse(scope, error)(scope, receive, send)
            return
        is_begun = False

        async def watching(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        self._drain.under_way += 1
        try:
            await self._app(scope, receive, watching)
        except asyncio.CancelledError:
            # The time is up. Whoever waits for a result gets an answer that says to ask again.
            if is_begun or not self._drain.is_over:
                raise
            error = NotReady("the server has stopped; what it has accepted goes on when it is back")
            await self._refuse(scope, error)(scope, receive, send)
        finally:
            self._drain.under_way -= 1


class DrainingServer(uvicorn.Server):
    """A server that on its first signal goes on until its drain is over; a second one ends it at once.

    uvicorn itself would stop accepting at once, and a load balancer that asks `/readyz` would wait for
    an answer instead of getting a 503.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come."""
        if self._drain.has_begun:
            super().handle_exit(sig, frame)
        else:
            self._drain.begin()

    def leave(self) -> None:
        """The supervisor is gone: give the port to its successor at once, and answer what is under way."""
        self.config.timeout_graceful_shutdown = max(CLOSING_S, int(self._drain.timeout_s))
        self._drain.begin()
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        return await super().on_tick(counter) or self._drain.is_over
