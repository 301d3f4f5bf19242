"""Who sends a request: Basic `id:secret`, or the secret as a Bearer token."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from enlarger.accounts import Caller
from enlarger.dialects.credentials import read_credentials
from enlarger.errors import BadKey
from enlarger.service import Service

KEY_HEADERS = ("authorization",)


async def caller_of(request: Request) -> Caller:
    """The caller; before anything else of the request is looked at. Raises BadKey, RateLimited."""
    service: Service = request.app.state.service
    credentials = read_credentials(request.headers, KEY_HEADERS)
    if credentials is None:
        raise BadKey
    return await service.authenticate(credentials.secret, credentials.key_id)


KnownCaller = Annotated[Caller, Depends(caller_of)]


def base_url_of(request: Request) -> str:
    """Scheme and host that the caller reached us at, for links."""
    return f"{request.url.scheme}://{request.url.netloc}"
