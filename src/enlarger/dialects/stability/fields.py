"""Reads what is Stability's own in a request: the key's header, the wanted form of the answer."""

from __future__ import annotations

import math
from collections.abc import Mapping

from enlarger.errors import BadKey


def read_secret(headers: Mapping[str, str]) -> str:
    """The key from `authorization`, with or without "Bearer ". Raises BadKey if there is none."""
    value = headers.get("authorization", "").strip()
    scheme, _, rest = value.partition(" ")
    secret = rest.strip() if scheme.lower() == "bearer" else value
    if not secret or secret.lower() == "bearer":
        raise BadKey
    return secret


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
