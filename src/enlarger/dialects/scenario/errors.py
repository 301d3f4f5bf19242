"""Scenario's error bodies: flat JSON, the text in `reason`.

The vendor's own clients look for the text in `reason`, then `message`, then `error`, and for the id of
the request in `trace_id`. `code` is ours, for programs.
"""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.dialects.application import Handlers
from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.refusals import marked, told
from enlarger.errors import (
    BadKey,
    BusyError,
    Cancelled,
    DeadlineExceeded,
    EnlargerError,
    IdempotencyConflict,
    NotAllowed,
    NotFound,
    OutOfCredit,
    RateLimited,
    SlowBody,
    SpendCapReached,
    StillRunning,
    TooManyJobs,
    TooManyUploads,
    UsageError,
    WaitTimeout,
)

LOG = structlog.get_logger()
NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Payload Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
STATUSES = tuple(NAMES)
INTERNAL_STATUS = 500
INTERNAL = "Something went wrong here. Try again later, and name the trace_id if you report it."
UNAUTHORIZED = "The API key is missing or wrong; send it as Basic key:secret or as a Bearer token"
VALUE_MAX = 60
"""Characters of a wrong value that are repeated."""


class Refused(Exception):
    """What cannot be done with this job or asset as it stands; becomes a 400."""


def error_response(request: Request, status: int, reason: str, code: str, **more: Any) -> JSONResponse:
    """An error on the wire.

    reason  what is wrong, with the field, the value and the limit.
    code    stable name of the kind of error.
    more    further members of the body.
    """
    body = {
        "reason": reason,
        "message": reason,
        "error": NAMES.get(status, "Error"),
        "code": code,
        "trace_id": request.scope["state"]["x-request-id"],
    }
    return JSONResponse(body | more, status, headers={"cache-control": "no-store"})


def render_error(request: Request, error: EnlargerError) -> JSONResponse:
    """One of our errors in Scenario's shape."""
    status, reason = _in_their_words(error)
    reason = told(request, error, reason)
    if status == INTERNAL_STATUS:
        LOG.error("scenario.error", code=error.code, reason=str(error))
    more: dict[str, Any] = {}
    if isinstance(error, RateLimited):
        more["remainingSeconds"] = error.retry_after_s
    if isinstance(error, TooManyJobs):
        more["details"] = {"actionName": "parallel-jobs", "actionLimit": error.limit}
    return marked(request, error_response(request, status, reason, error.code, **more), error)


def _in_their_words(error: EnlargerError) -> tuple[int, str]:
    """Status and text of one of our errors."""
    message = error.message
    match error:
        case BadKey():
            return 401, UNAUTHORIZED
        case OutOfCredit() | SpendCapReached():
            return 402, message
        case NotAllowed():
            return 403, message
        case NotFound():
            return 404, message
        case SlowBody():
            return 408, message
        case IdempotencyConflict() | StillRunning():
            return 409, f"idempotency-key: {message}"
        case Cancelled():
            return 409, message
        case UsageError(param=param):
            return 400, message if param is None or param in message else f"{param}: {message}"
        case RateLimited() | TooManyJobs() | TooManyUploads():
            return 429, message
        case WaitTimeout() | DeadlineExceeded():
            return 504, message
        case BusyError():
            return 503, message
    return INTERNAL_STATUS, INTERNAL


async def on_enlarger_error(request: Request, error: Exception) -> JSONResponse:
    """Our own errors."""
    assert isinstance(error, EnlargerError)  # noqa: S101 (registered for this class alone)
    return render_error(request, error)


async def on_bad_field(request: Request, error: Exception) -> JSONResponse:
    """A 400 that names the field."""
    return error_response(request, 400, str(error), "bad_parameter")


async def on_refused(request: Request, error: Exception) -> JSONResponse:
    """A 400 that says what cannot be done."""
    return error_response(request, 400, str(error), "refused")


async def on_payload_too_large(request: Request, error: Exception) -> JSONResponse:
    """The 413 of a body that is too large, announced or not."""
    return error_response(request, 413, str(error), "payload_too_large")


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """A query that is none of the route's."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this class alone)
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"] if part not in ("query", "path", "body"))
    given = repr(str(fault.get("input"))[:VALUE_MAX])
    return error_response(request, 400, f"{where}: {fault['msg']}, got {given}", "bad_parameter")


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    status = error.status_code
    reason, code = {
        404: (f"there is no {request.url.path} here", "not_found"),
        405: (f"{request.method} is not allowed at {request.url.path}", "method_not_allowed"),
    }.get(status, (str(error.detail), "bad_request"))
    response = error_response(request, status, reason, code)
    response.headers.update(error.headers or {})
    return response


async def on_hang_up(request: Request, error: Exception) -> JSONResponse:
    """The caller went away in the middle of the upload; nobody reads this answer."""
    LOG.info("scenario.hang_up")
    return error_response(request, 499, "the upload was not completed", "client_closed_request")


async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: logged whole, told in one sentence."""
    LOG.error("scenario.unexpected", exc_info=error)
    reason = told(request, error, INTERNAL)
    return marked(request, error_response(request, INTERNAL_STATUS, reason, EnlargerError.code), error)


HANDLERS: Handlers = {
    BadField: on_bad_field,
    Refused: on_refused,
    PayloadTooLarge: on_payload_too_large,
    EnlargerError: on_enlarger_error,
    RequestValidationError: on_invalid,
    HTTPException: on_http_exception,
    ClientDisconnect: on_hang_up,
    Exception: on_unexpected,
}
"""By kind of exception, for the application."""
