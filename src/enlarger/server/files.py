"""`/files/KEY`: signed links to objects of the folder. Who has the link needs no key."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from enlarger.errors import EnlargerError
from enlarger.server.traffic import note_refusal
from enlarger.storage import ObjectStore
from enlarger.storage.signing import PATH, content_disposition

SAFETY = {
    # What is served here came from strangers: whatever it is, no browser may run it or guess at it.
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
}


def make_route(store: ObjectStore) -> Route:
    """The route, for every method: those that no link is good for are refused as a changed link is."""
    return Route(f"{PATH}{{key:path}}", _Files(store))


def key_of(request: Request) -> str:
    """What a link names."""
    # Not the route's own parameter: its pattern passes over a line break at the end.
    return str(request.scope["path"]).removeprefix(request.scope.get("root_path", "") + PATH)


def refusal(request: Request, error: EnlargerError) -> JSONResponse:
    """One of our errors, said to whoever has a link and no dialect."""
    note_refusal(request.scope, error)
    body = {"message": error.message, "type": "link", "code": error.code}
    response = JSONResponse({"error": body}, error.status, {**SAFETY, "cache-control": "no-store"})
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    return response


class _Files:
    """Answers GET and HEAD, ranges too, from the file itself."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> FileResponse | JSONResponse:
        key = key_of(request)
        query = request.scope["query_string"]
        try:
            download = await asyncio.to_thread(self._store.follow, request.method, key, query)
        except EnlargerError as error:
            return refusal(request, error)
        headers = {
            **SAFETY,
            "cache-control": f"private, max-age={download.remaining_s}",
            "content-disposition": content_disposition(download.file_name),
        }
        return FileResponse(
            download.path, headers=headers, media_type=download.content_type, stat_result=download.status
        )
