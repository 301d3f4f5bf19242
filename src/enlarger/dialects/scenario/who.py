"""Who sends a request: Basic `id:secret`, or the secret as a Bearer token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from enlarger.accounts import Caller
from enlarger.dialects.credentials import authenticated

KEY_HEADERS = ("authorization",)


async def caller_of(request: Request) -> Caller:
    """The caller; before anything else of the request is looked at. Raises BadKey, RateLimited."""
    return await authenticated(request.app.state.service, request.headers, KEY_HEADERS)


async def poller_of(request: Request) -> Caller:
    """The caller of a route by which clients look after one job. Raises BadKey."""
    return await authenticated(request.app.state.service, request.headers, KEY_HEADERS, is_poll=True)


KnownPoller = Annotated[Caller, Depends(poller_of)]
KnownCaller = Annotated[Caller, Depends(caller_of)]
