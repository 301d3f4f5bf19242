"""`data:` URLs: pictures that lie in the request's JSON itself."""

from __future__ import annotations

import base64
import binascii

from enlarger.dialects.body import BadField

WHITESPACE = str.maketrans("", "", " \t\n\f\r")


def read_data_url(url: str, field: str) -> bytes:
    """The bytes of `data:image/png;base64,...`, whatever type it names: the content says what it is.

    White space in the base64 and missing `=` at its end are allowed, as browsers do (WHATWG,
    "forgiving-base64 decode"); the alphabet for URLs is not.

    field  where the URL stands in the request, for errors.

    Raises BadField.
    """
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.strip().lower() != "data":
        raise BadField(field, "must be an inline data URL, data:image/png;base64,...; no URL is fetched")
    head, comma, encoded = rest.partition(",")
    if not comma or head.rpartition(";")[2].strip().lower() != "base64":
        raise BadField(field, "must be a data URL in base64: data:image/png;base64,...")
    try:
        data = decode_base64(encoded)
    except ValueError:
        raise BadField(field, "has what is no base64 after the comma") from None
    if not data:
        raise BadField(field, "has no picture after the comma")
    return data


def decode_base64(encoded: str) -> bytes:
    """The bytes; white space within and missing `=` at the end are no fault. Raises ValueError."""
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        bare = encoded.translate(WHITESPACE).rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
