"""1min.ai's error bodies, and which of our errors becomes which of theirs.

No page of the vendor's shows an error in full. Some clients read `message` at the top, others
`error.message` and `error.details`, so every body has both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.refusals import marked, told
from enlarger.errors import (
    AccessError,
    BadParameter,
    BusyError,
    Cancelled,
    DeadlineExceeded,
    EnlargerError,
    NotFound,
    PictureTooLarge,
    StillRunning,
    UnsupportedPicture,
    UsageError,
    WaitTimeout,
)

LOG = structlog.get_logger()
INTERNAL_STATUS = 500
INTERNAL = "Something went wrong inside the server; nothing was charged. Send the request again later."
UNEXPECTED = "Something went wrong inside the server."
"""Where a job goes on, which is charged if it succeeds."""
HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}


PROMPT = "promptObject."
"""What the names of a prompt's members begin with."""


class BadPrompt(BadField):
    """A member of `promptObject` is wrong; becomes a 422, which the vendor's clients take for that."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{PROMPT}{member}", problem)


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Call a picture by the name of the field that it came in, where what is wrong is the picture."""
    try:
        yield
    except (UnsupportedPicture, PictureTooLarge) as error:
        error.param = field
        raise


def render_error(request: Request, error: EnlargerError) -> JSONResponse:
    """One of our errors in 1min.ai's shape."""
    status, message = _in_their_words(error)
    message = told(request, error, message)
    if status == INTERNAL_STATUS:
        LOG.error("onemin.job_error", code=error.code, reason=str(error))
    return marked(request, _response(status, error.code, message, error.param), error)


def _in_their_words(error: EnlargerError) -> tuple[int, str]:
    """Status and message of one of our errors."""
    match error:
        case BadParameter(param=str() as param) if param.startswith(PROMPT):
            return 422, error.message
        case UsageError() | AccessError() | NotFound() | StillRunning():
            return error.status, error.message
        case Cancelled():
            return 409, error.message
        case WaitTimeout() | DeadlineExceeded():
            return 504, error.message
        case BusyError():
            return 503, error.message
    return INTERNAL_STATUS, INTERNAL


def _response(status: int, code: str, message: str, field: str | None = None) -> JSONResponse:
    """
    field  the one at fault, in the vendor's words.
    """
    told = message if field is None else f"{field}: {message}"
    details = [] if field is None else [{"field": field, "message": message}]
    error = {"message": told, "code": code, "details": details}
    body = {"message": told, "code": code, "error": error}
    return JSONResponse(body, status, headers={"cache-control": "no-store"})


async def on_bad_field(request: Request, error: Exception) -> JSONResponse:
    """A 400 that names the field, or a 422 inside `promptObject`."""
    assert isinstance(error, BadField)  # noqa: S101 (registered for this class alone)
    status = 422 if isinstance(error, BadPrompt) else 400
    return _response(status, "bad_parameter", error.problem, error.field)


async def on_payload_too_large(request: Request, error: Exception) -> JSONResponse:
    """The 413 of a body or file that is too large, announced or not."""
    assert isinstance(error, PayloadTooLarge)  # noqa: S101 (registered for this class alone)
    return _response(413, HTTP_CODES[413], f"must have at most {error.limit_bytes} bytes", "body")


async def on_enlarger_error(request: Request, error: Exception) -> JSONResponse:
    """Our own errors."""
    assert isinstance(error, EnlargerError)  # noqa: S101 (registered for this class alone)
    return render_error(request, error)


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses: unknown paths and methods, malformed multipart bodies."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    message, field = {
        404: (f"there is no {request.url.path} here", "path"),
        405: (f"{request.method} is not allowed here", "method"),
    }.get(error.status_code, (str(error.detail), "body"))
    code = HTTP_CODES.get(error.status_code, "bad_request")
    response = _response(error.status_code, code, message, field)
    response.headers.update(error.headers or {})
    return response


async def on_hang_up(request: Request, error: Exception) -> JSONResponse:
    """The caller went away in the middle of the upload; nobody reads this answer."""
    LOG.info("onemin.hang_up")
    return _response(499, "client_closed_request", "the upload was not completed", "body")


async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: logged whole, told in one sentence."""
    LOG.error("onemin.unexpected", exc_info=error)
    message = told(request, error, UNEXPECTED, otherwise=INTERNAL)
    return marked(request, _response(INTERNAL_STATUS, EnlargerError.code, message), error)
