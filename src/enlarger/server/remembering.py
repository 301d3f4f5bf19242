"""Keeps the answer to a request that has an idempotency key, before the caller has it."""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from enlarger.dialects.origin import REPLAYED
from enlarger.faults import fault
from enlarger.jobs.idempotency import Answer
from enlarger.service import Pending, Service

LOG = structlog.get_logger()
PENDING = "pending"
"""Where a door says in the request's state what it has accepted."""
LENGTH = "content-length"
NOT_KEPT = (LENGTH, "date", "x-request-id")
"""Headers that belong to one transmission and not to the answer."""


class Remembering:
    """Keeps answers below every door in the same way, errors included.

    The answer is kept first and sent then, so that a caller who has it and asks again cannot get
    another. If it cannot be kept it is sent all the same: a repetition then makes it anew.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def keep_and_send(message: Message) -> None:
            nonlocal start
            pending: Pending | None = scope["state"].get(PENDING)
            if pending is None or pending.origin.key_hash is None:
                await send(message)
                if message["type"] == "http.response.start":
                    fault("api.mid_response")
                return
            if message["type"] == "http.response.start":
                start = message
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]
            )
            kept = tuple((name, value) for name, value in headers if name.lower() not in NOT_KEPT)
            fault("api.before_keep")
            said = await self._keep(pending, Answer(start["status"], kept, bytes(body)))
            if said is not None:
                start = _again(said, start)
            await send(start)
            fault("api.mid_response")
            await send({"type": "http.response.body", "body": bytes(body) if said is None else said.body})

        await self._app(scope, receive, keep_and_send)

    async def _keep(self, pending: Pending, answer: Answer) -> Answer | None:
        try:
            return await self._service.answers.keep(pending, answer)
        except Exception as error:
            LOG.warning("answer.not_kept", error=repr(error))
        return None


def _again(said: Answer, start: Message) -> Message:
    """The head of an answer that a repetition of the same request has had already."""
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in said.headers]
    # Of this transmission, but not the length of what it would have said.
    names = {name.encode() for name in NOT_KEPT if name != LENGTH}
    own = [(name, value) for name, value in start["headers"] if name.lower() in names]
    length = (LENGTH.encode(), str(len(said.body)).encode())
    replayed = (REPLAYED.encode(), b"true")
    return {**start, "status": said.status, "headers": [*headers, *own, length, replayed]}
