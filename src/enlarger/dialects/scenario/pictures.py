"""Pictures inside JSON: base64 as it is, or in a data URL."""

from __future__ import annotations

import re

from enlarger.dialects.body import BadField
from enlarger.dialects.data_url import decode_base64

DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(;[\w=.+-]+)*;base64,", re.IGNORECASE)
HEAD_CHARACTERS = 200
"""Of a data URL, within which its picture begins."""


def is_data_url(text: str) -> bool:
    """Whether a text is meant as a data URL (RFC 2397), well made or not."""
    return text[:5].lower() == "data:"


def read_picture(field: str, text: str) -> bytes:
    """The bytes of a picture in base64, bare or as a data URL; what kind it is says its content.

    Raises BadField, naming `field`.
    """
    encoded = text
    if is_data_url(text):
        head = DATA_URL.match(text[:HEAD_CHARACTERS])
        if head is None:
            raise BadField(field, "is a data URL that does not begin like data:image/png;base64,")
        encoded = text[head.end() :]
    try:
        data = decode_base64(encoded)
    except ValueError:
        raise BadField(field, "is no picture in base64, bare or as a data URL") from None
    if not data:
        raise BadField(field, "is empty")
    return data
