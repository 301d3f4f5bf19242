"""`PUT /files/uploads/ID/NUMBER`: where parts of uploads go to. Who has the signed link needs no key."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from enlarger.dialects.body import PayloadTooLarge, announced_bytes
from enlarger.errors import BadParameter, EnlargerError
from enlarger.files import clear_abandoned, passing
from enlarger.server.files import SAFETY, key_of, refusal
from enlarger.service import Service
from enlarger.storage.faults import told
from enlarger.storage.signing import PATH


def make_route(service: Service, folder: Path) -> Route:
    """The route; it must stand before that of `files`, which has every other method.

    folder  for parts that are on their way; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clear_abandoned(folder)
    return Route(f"{PATH}{{key:path}}", _Parts(service, folder), methods=["PUT"])


class _Parts:
    """Takes one part through a file, so that no more than a piece of it is in memory on the way."""

    def __init__(self, service: Service, folder: Path) -> None:
        self._service = service
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            await self._take(request)
            response = Response(status_code=200, headers={**SAFETY, "cache-control": "no-store"})
        except EnlargerError as error:
            response = refusal(request, error)
        except ClientDisconnect:
            # Nobody reads this answer.
            response = Response(status_code=499)
        await response(scope, receive, send)

    async def _take(self, request: Request) -> None:
        uploads = self._service.uploads
        upload, number = await uploads.expected(key_of(request), request.scope["query_string"])
        most = upload.room_for(number)
        try:
            size = announced_bytes(request.headers, most)
        except PayloadTooLarge:
            raise upload.too_large(number) from None
        async with self._service.admit(size):
            with told(), passing(self._folder) as (path, file):
                received = await _receive(request, file, most)
                if received is None:
                    raise upload.too_large(number)
                if received == 0:
                    raise BadParameter(f"part {number} is empty", param="body")
                await uploads.put(upload, number, path, received)


async def _receive(request: Request, file: BinaryIO, most: int) -> int | None:
    """Write the body to a file; returns its bytes, or None as soon as there are more than `most`."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > most:
            return None
        await asyncio.to_thread(file.write, chunk)
    await asyncio.to_thread(file.flush)
    return received
