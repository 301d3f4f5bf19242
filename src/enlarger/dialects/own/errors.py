"""Our own shape of an error: `{"error": {"message", "type", "code", "param"}}`, everywhere the same."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from enlarger.dialects.body import BadField
from enlarger.dialects.refusals import marked, told
from enlarger.errors import (
    AccessError,
    BadParameter,
    BusyError,
    EnlargerError,
    NotFound,
    PictureTooLarge,
    UsageError,
)

LOG = structlog.get_logger()
TYPES = ((UsageError, "usage"), (AccessError, "access"), (NotFound, "not_found"), (BusyError, "busy"))
SERVER = "server"
"""Type of what is no fault of the caller's."""
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}
FAULTS = 500
VALUE_MAX = 60
"""Characters of a wrong value that are repeated."""


def render_error(request: Request, error: EnlargerError) -> JSONResponse:
    """One of our errors in our own words."""
    if error.status == FAULTS:
        LOG.error("own.error", code=error.code, reason=str(error))
    kind = next((name for base, name in TYPES if isinstance(error, base)), SERVER)
    message = told(request, error, error.message)
    return marked(request, _response(error.status, message, kind, error.code, error.param), error)


def render_refusal(request: Request, error: HTTPException) -> JSONResponse:
    """What a router refuses: unknown paths and methods, malformed multipart bodies."""
    code = HTTP_CODES.get(error.status_code, "bad_request")
    message = {
        404: f"there is no {request.url.path} here",
        405: f"{request.method} is not allowed at {request.url.path}",
    }.get(error.status_code, f"body: {error.detail}")
    kind = "not_found" if code == "not_found" else "usage"
    response = _response(error.status_code, message, kind, code, None)
    response.headers.update(error.headers or {})
    return response


def first_fault(error: RequestValidationError | ValidationError) -> BadParameter:
    """What is wrong in a query or in JSON, with the field and its value."""
    fault: dict[str, Any] = dict(error.errors()[0])
    where = [str(part) for part in fault["loc"] if part not in ("query", "path", "body")]
    name = ".".join(where) or "body"
    if fault["type"] == "extra_forbidden":
        return BadParameter(f"there is no parameter {name}", param=name)
    if fault["type"] == "missing":
        return BadParameter(f"{name} is missing", param=name)
    reason = str(fault["msg"])
    if isinstance(fault.get("input"), str | int | float) and name not in ("password", "current", "new"):
        reason = f"{str(fault['input'])[:VALUE_MAX]!r}: {reason}"
    return BadParameter(f"{name} is {reason}" if ":" in reason else f"{name}: {reason}", param=name)


async def on_enlarger_error(request: Request, error: Exception) -> JSONResponse:
    """Our own errors."""
    assert isinstance(error, EnlargerError)  # noqa: S101 (registered for this class alone)
    return render_error(request, error)


async def on_bad_field(request: Request, error: Exception) -> JSONResponse:
    """A field of a form."""
    assert isinstance(error, BadField)  # noqa: S101 (registered for this class alone)
    return render_error(request, BadParameter(f"{error.field} {error.problem}", param=error.field))


async def on_payload_too_large(request: Request, error: Exception) -> JSONResponse:
    """A body that is too large, announced or not."""
    return render_error(request, PictureTooLarge(str(error), param="body"))


async def on_invalid(request: Request, error: Exception) -> JSONResponse:
    """A query that is none of the route's."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this class alone)
    return render_error(request, first_fault(error))


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What the router refuses."""
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class alone)
    return render_refusal(request, error)


async def on_hang_up(request: Request, error: Exception) -> JSONResponse:
    """The caller went away in the middle of the upload; nobody reads this answer."""
    assert isinstance(error, ClientDisconnect)  # noqa: S101 (registered for this class alone)
    LOG.info("own.hang_up")
    return _response(499, "the upload was not completed", "usage", "client_closed_request", "body")


async def on_unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: logged whole, told in one sentence."""
    LOG.error("own.unexpected", exc_info=error)
    message = told(request, error, EnlargerError().message)
    return marked(request, _response(FAULTS, message, SERVER, EnlargerError.code, None), error)


def _response(status: int, message: str, kind: str, code: str, param: str | None) -> JSONResponse:
    body = {"message": message, "type": kind, "code": code, "param": param}
    return JSONResponse({"error": body}, status, headers={"cache-control": "no-store"})
