"""Where clients put the secret of a key."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from enlarger.accounts import Caller
from enlarger.errors import BadKey
from enlarger.service import Service


@dataclass(frozen=True, repr=False)
class Credentials:
    """What a request brings to prove who sends it; has no `repr`, so that no log shows it."""

    secret: str
    key_id: str | None = None
    """The id of the key, where the client sends it too."""


def read_credentials(headers: Mapping[str, str], names: Iterable[str]) -> Credentials | None:
    """The first of these headers that says anything: `Bearer SECRET`, a bare secret, Basic `id:secret`.

    None where nothing is sent. What is no secret is one that opens nothing.
    """
    for name in names:
        value = headers.get(name, "").strip()
        scheme, _, rest = value.partition(" ")
        match scheme.lower():
            case "":
                continue
            case "bearer":
                value = rest.strip()
            case "basic":
                return _basic(rest.strip())
        if value:
            return Credentials(value)
    return None


async def authenticated(
    service: Service, headers: Mapping[str, str], names: Iterable[str], *, is_poll: bool = False
) -> Caller:
    """Who sends a request, by the first of these headers that says anything.

    is_poll  see `Service.authenticate`.

    Raises BadKey, RateLimited.
    """
    credentials = read_credentials(headers, names)
    if credentials is None:
        raise BadKey
    return await service.authenticate(credentials.secret, credentials.key_id, is_poll=is_poll)


def _basic(encoded: str) -> Credentials:
    """The password is the secret; the user's name is the key's id, or the secret again, or empty."""
    try:
        user, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Credentials(encoded)
    return Credentials(secret, None if user in ("", secret) else user)
