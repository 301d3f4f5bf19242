"""How many bytes of request bodies may be under way at once, so that many large ones fill no memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from enlarger.errors import BusyError

PATIENCE_S = 10.0
"""How long a request waits for its turn: short of what clients and proxies wait for an answer."""


class Admission:
    """A room for bodies, in bytes, of one event loop.

    First come, first served: nobody goes past one that waits, so small bodies never starve a large
    one. A body larger than the room is let in when it is alone.
    """

    def __init__(self, capacity_bytes: int, *, patience_s: float = PATIENCE_S) -> None:
        """
        capacity_bytes  of all bodies that are inside at once; 1 or more.
        patience_s      how long one waits before it is sent away.
        """
        self._free = self._capacity = capacity_bytes
        self._patience_s = patience_s
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextlib.asynccontextmanager
    async def admit(self, size_bytes: int) -> AsyncIterator[None]:
        """Hold room for a body while the block runs, after waiting for it if need be.

        Raises BusyError, and holds nothing, if there is no room in time.
        """
        size = min(size_bytes, self._capacity)
        await self._enter(size)
        try:
            yield
        finally:
            self._leave(size)

    async def _enter(self, size: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((size, turn))
        self._call()
        try:
            async with asyncio.timeout(self._patience_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                # Let in and called away in the same moment.
                self._leave(size)
            else:
                with contextlib.suppress(ValueError):
                    self._queue.remove((size, turn))
                # Whoever stood behind this one may fit.
                self._call()
            if isinstance(error, TimeoutError):
                raise BusyError("Too many uploads are under way; try again later.") from None
            raise

    def _leave(self, size: int) -> None:
        self._free += size
        self._call()

    def _call(self) -> None:
        """Let in from the front of the queue whoever fits; who does not fit holds up all behind."""
        while self._queue:
            size, turn = self._queue[0]
            if size > self._free:
                return
            self._queue.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)
