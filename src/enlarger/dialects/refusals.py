"""What every door says of an error beside its vendor's body."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import JSONResponse

from enlarger.dialects.origin import JOB
from enlarger.errors import BusyError, Cancelled, EnlargerError, IdempotencyConflict, StillRunning

SHOULD_RETRY = "x-should-retry"
"""Tells clients that were generated with Stainless whether to send the request again, whatever they
think of its status: by themselves they repeat every 409."""


def marked(request: Request, response: JSONResponse, error: EnlargerError) -> JSONResponse:
    """`response` with when to come back, whether to, and the job that was accepted before the error.

    An answer that says to come again is none that a repetition may get: it is not kept, even where the
    job has ended in the meantime.
    """
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, StillRunning):
        response.headers[SHOULD_RETRY] = "true"
    elif isinstance(error, IdempotencyConflict | Cancelled):
        response.headers[SHOULD_RETRY] = "false"
    pending = getattr(request.state, "pending", None)
    if pending is not None:
        response.headers[JOB] = pending.ticket.job_id
        if isinstance(error, BusyError):
            request.state.pending = None
    return response
