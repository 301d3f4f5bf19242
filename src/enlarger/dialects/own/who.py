"""Who sends a request: a key, a member's session, or a member whom a believed proxy has let in."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

from enlarger.accounts import Caller
from enlarger.administration import Administration
from enlarger.dialects.credentials import read_credentials
from enlarger.errors import BadKey, NotAllowed
from enlarger.service import Service

KEY_HEADERS = ("authorization", "x-api-key")
COOKIE = "enlarger_session"
SIGNED_ON = "signed_on"
"""Where the server says in the request's state whom a proxy that it believes has let in."""
WORKSPACE = "x-enlarger-workspace"
"""By which a member of several workspaces who signed on elsewhere names one of them."""
READING = ("GET", "HEAD")


class Who:
    """Proves callers; one for the whole dialect."""

    def __init__(self, service: Service, administration: Administration, public_url: str | None) -> None:
        """
        public_url  what callers reach us at; None is the host that each request names.
        """
        self._service = service
        self._administration = administration
        self._public = None if public_url is None else urlsplit(public_url)

    async def caller(self, request: Request, *, is_poll: bool = False) -> Caller:
        """The caller of a request, once a request.

        is_poll  see `Service.authenticate`.

        A secret comes before a session. What comes by a session or by a proxy and changes something
        must come from a page of ours (`check_origin`).

        Raises BadKey, NotAllowed, RateLimited.
        """
        credentials = read_credentials(request.headers, KEY_HEADERS)
        if credentials is not None:
            return await self._service.authenticate(credentials.secret, credentials.key_id, is_poll=is_poll)
        token = request.cookies.get(COOKIE)
        signed_on = request.scope["state"].get(SIGNED_ON)
        if token is None and signed_on is None:
            raise BadKey
        if request.method not in READING:
            self.check_origin(request)
        if token is not None:
            return await self._administration.session(token)
        return await self._administration.signed_on(signed_on, request.headers.get(WORKSPACE))

    def check_origin(self, request: Request, *, required: bool = True) -> None:
        """Raise NotAllowed unless a browser says that the request comes from a page of ours.

        Browsers send `origin` with everything that changes something, and pages cannot forge it.
        The scheme counts only where `public_url` says which: behind a proxy we may not know ours.
        """
        origin = request.headers.get("origin")
        if origin is None and not required:
            return
        parts = urlsplit(origin or "")
        if self._public is not None:
            is_ours = (parts.scheme, parts.netloc) == (self._public.scheme, self._public.netloc)
        else:
            is_ours = parts.netloc != "" and parts.netloc == request.headers.get("host")
        if not is_ours:
            raise NotAllowed(
                "a session may change things only from a page of this server: `origin` is missing or"
                " another's; programs use a key",
                param="origin",
            )

    def set_cookie(self, request: Request, response: Response, token: str, max_age_s: int) -> None:
        """Give the browser a session's token; 0 s takes it back."""
        scheme = request.url.scheme if self._public is None else self._public.scheme
        response.set_cookie(
            COOKIE,
            token,
            max_age=max_age_s,
            path="/",
            secure=scheme == "https",
            httponly=True,
            samesite="strict",
        )


async def caller_of(request: Request) -> Caller:
    """The caller; before anything else of the request is looked at."""
    who: Who = request.app.state.who
    return await who.caller(request)


async def poller_of(request: Request) -> Caller:
    """The caller of a route by which clients look after one job."""
    who: Who = request.app.state.who
    return await who.caller(request, is_poll=True)


KnownPoller = Annotated[Caller, Depends(poller_of)]
KnownCaller = Annotated[Caller, Depends(caller_of)]
