"""Who sends a request, and whether it is signed where this installation wants that."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Annotated

from fastapi import Depends, Request

from enlarger.accounts import Caller
from enlarger.dialects.credentials import read_credentials
from enlarger.dialects.omixa.errors import BadSignature
from enlarger.errors import BadKey
from enlarger.service import Service

KEY_HEADERS = ("authorization",)
TIMESTAMP, SIGNATURE = "x-omixa-timestamp", "x-omixa-signature"
SCHEME = "sha256="
WINDOW_S = 300
"""How far a signed request's time may be from ours, before or after."""
SECONDS = re.compile(r"[0-9]{1,12}")


class Who:
    """Proves callers; one for the whole dialect."""

    def __init__(self, service: Service, *, is_signature_required: bool) -> None:
        self._service = service
        self._is_signature_required = is_signature_required

    async def caller(self, request: Request) -> Caller:
        """The caller of a request, once a request. Raises BadKey, RateLimited.

        The key is looked at first: only with its secret can a signature be checked.
        """
        credentials = read_credentials(request.headers, KEY_HEADERS)
        if credentials is None:
            raise BadKey
        caller = await self._service.authenticate(credentials.secret, credentials.key_id)
        if self._is_signature_required:
            _check_time(request)
            if request.method in ("GET", "HEAD"):
                check_signature(request, credentials.secret, b"")
        return caller

    def check_body(self, request: Request, body: bytes) -> None:
        """Raise BadSignature for a body that is not the one that was signed.

        For every route that reads one.

        body  as received, byte for byte.
        """
        credentials = read_credentials(request.headers, KEY_HEADERS)
        if self._is_signature_required and credentials is not None:
            check_signature(request, credentials.secret, body)


def check_signature(request: Request, secret: str, body: bytes) -> None:
    """Raise BadSignature unless `X-Omixa-Signature` is that of this request.

    What is signed is `timestamp.METHOD./api/v1/path.body`: the vendor's own path without a query,
    also for who calls below a prefix of ours. The key of the HMAC is the secret of the API key.
    """
    path = request.scope["raw_path"].partition(b"?")[0]
    path = path.removeprefix(request.scope.get("root_path", "").encode())
    time_sent = request.headers.get(TIMESTAMP, "").encode()
    signed = b".".join((time_sent, request.method.encode(), path, body))
    expected = SCHEME + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    given = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise BadSignature(
            "X-Omixa-Signature must be `sha256=` and the hexadecimal HMAC-SHA256, with the API key as its"
            " key, of `timestamp.METHOD./api/v1/path.raw_body`",
            param=SIGNATURE,
        )


def _check_time(request: Request) -> None:
    """Raises BadSignature; before the body is read, which may be long."""
    sent = request.headers.get(TIMESTAMP, "")
    if not SECONDS.fullmatch(sent) or abs(int(sent) - time.time()) > WINDOW_S:
        raise BadSignature(
            f"X-Omixa-Timestamp must be the time in seconds since 1970, within {WINDOW_S} of the server's;"
            " requests must be signed here",
            param=TIMESTAMP,
        )
    if not request.headers.get(SIGNATURE):
        raise BadSignature("X-Omixa-Signature is missing; requests must be signed here", param=SIGNATURE)


async def caller_of(request: Request) -> Caller:
    """The caller; before anything else of the request is looked at."""
    who: Who = request.app.state.who
    return await who.caller(request)


KnownCaller = Annotated[Caller, Depends(caller_of)]
