"""What the values of settings must be beside their type; each raises ValueError with what is wrong."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from pydantic import SecretStr

from enlarger.errors import BadParameter
from enlarger.limits.rule import Rule
from enlarger.money import micros_of

BOOTSTRAP_KEY_MIN = 32
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{2,63}")
"""Names that nothing else between a client and us gives a meaning to by accident."""


def check_secret(secret: SecretStr) -> SecretStr:
    """Of so many characters that it cannot be guessed, and such as a header can carry."""
    value = secret.get_secret_value()
    if len(value) < BOOTSTRAP_KEY_MIN or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError(f"must have {BOOTSTRAP_KEY_MIN} or more ASCII characters and no space")
    return secret


def check_url(text: str) -> str:
    """An address that paths can be added to; without the slash at its end."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http:// or https:// URL without a query")
    return text.rstrip("/")


def check_credit(text: str) -> str:
    """An amount, or `unlimited`."""
    if text != "unlimited":
        try:
            micros_of(text)
        except BadParameter as error:
            raise ValueError(error.message) from None
    return text


def check_rule(text: str) -> str:
    """A rate, as `Rule.parse` reads it."""
    Rule.parse(text, 0)
    return text


def check_header(text: str) -> str:
    """A header's name, in small letters."""
    if not HEADER.fullmatch(text):
        raise ValueError("must be the name of a header, as in `X-Forwarded-Email`")
    return text.lower()


def check_proxies(text: str) -> str:
    """Addresses and networks, with commas."""
    for entry in text.split(","):
        try:
            ipaddress.ip_network(entry.strip())
        except ValueError:
            # Also `*`: whoever may send the header from anywhere chooses the address that is counted.
            raise ValueError("must be addresses or networks, as in `10.0.0.7, 192.168.0.0/16`") from None
    return text
