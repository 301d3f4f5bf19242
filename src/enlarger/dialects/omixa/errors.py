"""Omixa's error body, `{"error": {"message", "type", "code", "param"}}`, and what becomes of our errors."""

from __future__ import annotations

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.dialects.body import BadField, PayloadTooLarge
from enlarger.dialects.omixa.faults import Invalid, first_fault
from enlarger.dialects.refusals import marked, told
from enlarger.errors import (
    AccessError,
    BadKey,
    BusyError,
    Cancelled,
    DeadlineExceeded,
    EncodedBody,
    EnlargerError,
    IdempotencyConflict,
    ModelNotOffered,
    NotAllowed,
    NotFound,
    OutOfCredit,
    RateLimited,
    SlowBody,
    SpendCapReached,
    StillRunning,
    TooManyJobs,
    UsageError,
    WaitTimeout,
)

LOG = structlog.get_logger()
AUTHENTICATION, PERMISSION, BILLING = "authentication_error", "permission_error", "billing_error"
INVALID, VALIDATION, CONFLICT = "invalid_request_error", "validation_error", "conflict_error"
NOT_FOUND, RATE, SERVER, TIMEOUT = "not_found_error", "rate_limit_error", "server_error", "timeout_error"
INPUT_IMAGES = "input_images"
THEIR_FIELDS = {"image": INPUT_IMAGES, "target": INPUT_IMAGES}
"""Our names of fields, where Omixa's are others: what is too large by its target is the picture."""
NO_KEY = "The API key is missing or opens nothing; send `Authorization: Bearer YOUR_KEY`."
NO_CREDIT = "Insufficient wallet balance."
NO_MODEL = "model_not_found"
INTERNAL_STATUS, INTERNAL_CODE = 500, "internal_error"
INTERNAL = "An unexpected error has occurred; nothing was charged. Try again later."
UNEXPECTED = "An unexpected error has occurred."
"""Where a job goes on, which is charged if it succeeds."""


class NoModel(EnlargerError):
    """There is no such model here; `GET /api/v1/models` lists those that there are."""

    code = "model_not_found"
    status = 404


class BadSignature(BadKey):
    """The signature is not that of this request; see `X-Omixa-Signature` in the documentation."""

    code = "invalid_signature"


def render_error(request: Request, error: EnlargerError) -> JSONResponse:
    """One of our errors in Omixa's words."""
    status, kind, code, message = _in_their_words(error)
    if status == INTERNAL_STATUS:
        LOG.error("omixa.job_error", code=error.code, reason=str(error))
    message = told(request, error, message)
    param = None if error.param is None else THEIR_FIELDS.get(error.param, error.param)
    return marked(request, _response(status, message, kind, code, param), error)


def _in_their_words(error: EnlargerError) -> tuple[int, str, str, str]:
    """Status, type, code and message of one of our errors."""
    message = error.message
    match error:
        case BadSignature():
            return 401, AUTHENTICATION, error.code, message
        case BadKey():
            return 401, AUTHENTICATION, "invalid_api_key", NO_KEY
        case OutOfCredit():
            return 402, BILLING, error.code, NO_CREDIT
        case SpendCapReached():
            return 402, BILLING, error.code, message
        case NotAllowed(param="model"):
            return 403, PERMISSION, "model_not_allowed", message
        case RateLimited() | TooManyJobs():
            return 429, RATE, error.code, message
        case AccessError():
            return 403, PERMISSION, error.code, message
        case NotFound() | NoModel():
            return 404, NOT_FOUND, error.code, message
        case IdempotencyConflict() | StillRunning():
            return 409, CONFLICT, error.code, message
        case Cancelled():
            return 409, CONFLICT, error.code, message
        case EncodedBody() | SlowBody():
            return error.status, INVALID, error.code, message
        case ModelNotOffered():
            return 422, VALIDATION, error.code, message
        case UsageError():
            return 422, VALIDATION, "invalid_value", message
        case WaitTimeout() | DeadlineExceeded():
            return 504, TIMEOUT, error.code, message
        case BusyError():
            return 503, SERVER, error.code, message
    return INTERNAL_STATUS, SERVER, INTERNAL_CODE, INTERNAL


async def on_enlarger_error(request: Request, error: Exception) -> JSONResponse:
    """Our own errors."""
    assert isinstance(error, EnlargerError)  # noqa: S101 (registered for this class alone)
    return render_error(request, error)


async def on_bad_field(request: Request, error: Exception) -> JSONResponse:
    """A 422 that names the field."""
    assert isinstance(error, BadField)  # noqa: S101 (registered for this class alone)
    code = error.code if isinstance(error, Invalid) else "invalid_value"
    return _response(422, str(error), VALIDATION, code, error.field)


async def on_invalid_query(request: Request, error: Exception) -> JSONResponse:
    """A query that is none of the route's."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this class alone)
    return await on_bad_field(request, first_fault(error.errors()))


async def on_payload_too_large(request: Request, error: Exception) -> JSONResponse:
    """The 413 of a body that is too large, announced or not."""
    assert isinstance(error, PayloadTooLarge)  # noqa: S101 (registered for this class alone)
    message = f"body: must have at most {error.limit_bytes} bytes"
    return _response(413, message, INVALID, "payload_too_large", "body")


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses: unknown paths and methods."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    status = error.status_code
    kind, code, message = {
        404: (NOT_FOUND, "not_found", f"There is no {request.url.path} here."),
        405: (INVALID, "method_not_allowed", f"{request.method} is not allowed at {request.url.path}."),
    }.get(status, (INVALID, "bad_request", str(error.detail)))
    response = _response(status, message, kind, code, None)
    response.headers.update(error.headers or {})
    return response


async def on_hang_up(request: Request, error: Exception) -> JSONResponse:
    """The caller went away in the middle of the upload; nobody reads this answer."""
    assert isinstance(error, ClientDisconnect)  # noqa: S101 (registered for this class alone)
    LOG.info("omixa.hang_up")
    return _response(499, "The upload was not completed.", INVALID, "client_closed_request", "body")


async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: logged whole, told in one sentence."""
    LOG.error("omixa.unexpected", exc_info=error)
    message = told(request, error, UNEXPECTED, otherwise=INTERNAL)
    return marked(request, _response(INTERNAL_STATUS, message, SERVER, INTERNAL_CODE, None), error)


def _response(status: int, message: str, kind: str, code: str, param: str | None) -> JSONResponse:
    body = {"message": message, "type": kind, "code": code, "param": param}
    return JSONResponse({"error": body}, status, headers={"cache-control": "no-store"})
