"""Reads what is Stability's own in a request: the key's header, the wanted form of the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping

from enlarger.errors import BadKey

KEY_HEADERS = ("authorization", "x-api-key")
"""The second is sent by ComfyUI's own nodes."""


def read_secret(headers: Mapping[str, str]) -> str:
    """The key from `authorization`, with or without "Bearer ", or `x-api-key`. Raises BadKey."""
    for name in KEY_HEADERS:
        value = headers.get(name, "").strip()
        scheme, _, rest = value.partition(" ")
        secret = rest.strip() if scheme.lower() == "bearer" else value
        if secret and secret.lower() != "bearer":
            return secret
    raise BadKey


def wants_async(headers: Mapping[str, str]) -> bool:
    """Whether the caller prefers an id now to the result later (RFC 7240)."""
    preferences = headers.get("prefer", "").lower().split(",")
    return any(one.partition(";")[0].strip() == "respond-async" for one in preferences)


def wants_json(accept: str | None) -> bool:
    """Whether `application/json` ranks best among the accepted types; nothing is ever refused.

    The rank is the q value, then the order of mention. No header means bytes.
    """
    ranked: list[tuple[float, int, str]] = []
    for order, entry in enumerate((accept or "").split(",")):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if quality > 0 and math.isfinite(quality):
            ranked.append((-quality, order, media_type))
    return bool(ranked) and min(ranked)[2] == "application/json"
