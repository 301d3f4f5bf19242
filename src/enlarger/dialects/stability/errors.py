"""Stability's error bodies, and which of our errors becomes which of theirs.

v2beta answers `{id, name, errors[]}`, v1 `{id, name, message}`. Clients of either kind read both
routes, so v2beta bodies carry `message` as well; `errors` stays out of v1 bodies.
"""

from __future__ import annotations

import secrets
import uuid

import structlog
from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

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
    SpendCapReached,
    StillRunning,
    TooManyJobs,
    UsageError,
    WaitTimeout,
)

LOG = structlog.get_logger()
REQUEST_LIMIT_BYTES = 10 * 2**20

UNAUTHORIZED = "authorization: invalid or missing header value"
TOO_LARGE = "body: payloads cannot be larger than 10MiB in size"
NO_CREDIT = "You lack sufficient credits to make this request. Please purchase more credits and try again."
NO_GENERATION = "id: the generation either does not exist or has expired."
THEIR_WORDS = {"content-type: is required": "content-type: required"}
"""What the vendor's own server says, to the letter, of what other doors refuse too."""
THEIR_FIELDS = {"target": "image"}
"""Our names of fields that no form has: what is too large by its target is the picture."""
INTERNAL_STATUS = 500
RATE_LIMITED = "rate_limit_exceeded"
"""The vendor's name of it, and the literal id of every such answer."""
INTERNAL = "An unexpected server error has occurred, please try again later."

HTTP_NAMES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
}
"""Names for what the framework refuses before a route runs; 404 and 405 are ours."""


class NoEngine(Exception):
    """An engine that v1 does not have here; becomes a 404."""


def error_response(
    request: Request, status: int, name: str, message: str, *, error_id: str | None = None
) -> JSONResponse:
    """An error in the shape of the API that the request's path belongs to.

    error_id  drawn if None, so that a report can name one answer.
    """
    route = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if route.startswith("/v1/"):
        return JSONResponse({"id": error_id or str(uuid.uuid4()), "name": name, "message": message}, status)
    body = {"id": error_id or secrets.token_hex(16), "name": name, "errors": [message], "message": message}
    return JSONResponse(body, status)


async def on_bad_field(request: Request, error: Exception) -> JSONResponse:
    """A 400 that names the field."""
    message = THEIR_WORDS.get(str(error), str(error))
    return error_response(request, 400, "bad_request", message)


async def on_no_engine(request: Request, error: Exception) -> JSONResponse:
    """A 404 that names the engine."""
    return error_response(
        request, 404, "not_found", f"engine_id: there is no engine {str(error)[:80]!r} here"
    )


async def on_payload_too_large(request: Request, error: Exception) -> JSONResponse:
    """The 413 of a body that is too large, announced or not."""
    return error_response(request, 413, "payload_too_large", TOO_LARGE)


async def on_enlarger_error(request: Request, error: Exception) -> JSONResponse:
    """Our own errors, said in Stability's words."""
    assert isinstance(error, EnlargerError)  # noqa: S101 (registered for this class alone)
    return render_error(request, error)


def render_error(request: Request, error: EnlargerError) -> JSONResponse:
    """One of our errors in Stability's words. A picture that is too large is a 400 there."""
    status, name, message = _in_their_words(error)
    message = told(request, error, message)
    if status == INTERNAL_STATUS:
        LOG.error("stability.job_error", code=error.code, reason=str(error))
    error_id = RATE_LIMITED if isinstance(error, RateLimited) else None
    return marked(request, error_response(request, status, name, message, error_id=error_id), error)


def _in_their_words(error: EnlargerError) -> tuple[int, str, str]:
    """Status, name and message of one of our errors."""
    match error:
        case BadKey():
            return 401, "unauthorized", UNAUTHORIZED
        case OutOfCredit() | SpendCapReached():
            return 402, "payment_required", NO_CREDIT
        case NotAllowed(message=message):
            return 403, "permission_denied", message
        case NotFound():
            return 404, "generation_not_found", NO_GENERATION
        case IdempotencyConflict(message=message) | StillRunning(message=message):
            return 409, "conflict", f"idempotency-key: {message}"
        case Cancelled(message=message):
            return 409, "cancelled", f"id: {message}"
        case UsageError(message=message, param=param):
            field = "body" if param is None else THEIR_FIELDS.get(param, param)
            return 400, "bad_request", f"{field}: {message}"
        case TooManyJobs(message=message):
            return 429, "too_many_jobs", message
        case WaitTimeout(message=message) | DeadlineExceeded(message=message):
            return 504, "timeout", message
        case BusyError(message=message):
            return 503, "service_unavailable", message
        case RateLimited(message=message):
            return 429, RATE_LIMITED, message
    return INTERNAL_STATUS, "internal_error", INTERNAL


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses: unknown paths and methods, malformed multipart bodies."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    name = HTTP_NAMES.get(error.status_code, "bad_request")
    message = {
        404: f"path: there is no {request.url.path} here",
        405: f"method: {request.method} is not allowed here",
    }.get(error.status_code, f"body: {error.detail}")
    response = error_response(request, error.status_code, name, message)
    response.headers.update(error.headers or {})
    return response


async def on_hang_up(request: Request, error: Exception) -> JSONResponse:
    """The caller went away in the middle of the upload; nobody reads this answer."""
    LOG.info("stability.hang_up")
    return error_response(request, 499, "client_closed_request", "body: the upload was not completed")


async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: logged whole, told in one sentence."""
    LOG.error("stability.unexpected", exc_info=error)
    message = told(request, error, INTERNAL)
    return marked(request, error_response(request, INTERNAL_STATUS, "internal_error", message), error)
