"""What every door says of an error beside its vendor's body."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse

from enlarger.dialects.origin import GENERATION, JOB
from enlarger.errors import BusyError, Cancelled, EnlargerError, IdempotencyConflict, StillRunning
from enlarger.service import Pending

SHOULD_RETRY = "x-should-retry"
"""Tells clients that were generated with Stainless whether to send the request again, whatever they
think of its status: by themselves they repeat every 409."""


def leaves_open(error: BaseException) -> bool:
    """Whether an error after acceptance does not say how the job ends: a fault of ours, or `come again`."""
    return not isinstance(error, EnlargerError) or (isinstance(error, BusyError) and not error.is_end)


def marked(request: Request, response: JSONResponse, error: Exception) -> JSONResponse:
    """`response` with when to come back, whether to, and the job that was accepted before the error.

    An error that leaves open how the job ends is no answer that a repetition may get: it is not kept,
    even where the job has ended in the meantime.
    """
    if isinstance(error, EnlargerError) and error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, StillRunning):
        response.headers[SHOULD_RETRY] = "true"
    elif isinstance(error, IdempotencyConflict | Cancelled):
        response.headers[SHOULD_RETRY] = "false"
    pending = _pending(request)
    if pending is not None:
        response.headers[JOB] = pending.ticket.job_id
        if pending.ticket.alias is not None:
            response.headers[GENERATION] = pending.ticket.alias
        if leaves_open(error):
            request.state.pending = None
    return response


def told(request: Request, error: Exception, message: str, *, otherwise: str | None = None) -> str:
    """`message`, and which job was accepted where the error does not say how that job ends.

    otherwise  what is said instead where there is no such job; `message` if None.

    A caller who is told of an error alone could not fetch what it pays for.
    """
    pending = _pending(request)
    if pending is None or not leaves_open(error):
        return message if otherwise is None else otherwise
    return f"{message} The job that was accepted is not lost; its id is {pending.public_id}."


def _pending(request: Request) -> Pending | None:
    pending: Pending | None = getattr(request.state, "pending", None)
    return pending
