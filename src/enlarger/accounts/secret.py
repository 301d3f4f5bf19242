"""Key secrets: how they are made, recognised and kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib
from pathlib import Path

from enlarger.secret_file import read_or_make_secret

LIVE_PREFIX = "enl_live_"
TEST_PREFIX = "enl_test_"
RANDOM_BYTES = 32
ALPHABET = string.digits + string.ascii_letters
BODY_LENGTH = 43
"""Base-62 digits of 32 bytes."""
CHECKSUM_LENGTH = 6
"""Base-62 digits of a CRC-32."""


def make_secret(prefix: str = LIVE_PREFIX) -> str:
    """The prefix, 32 random bytes and a checksum, all letters and digits.

    The prefix and the checksum let scanners for leaked secrets recognise one without asking us.
    """
    body = _base62(int.from_bytes(secrets.token_bytes(RANDOM_BYTES)), BODY_LENGTH)
    return f"{prefix}{body}{_checksum(body)}"


def is_well_formed(secret: str) -> bool:
    """Whether `secret` has our prefix, length and checksum; says nothing about whether it opens."""
    body = secret.removeprefix(LIVE_PREFIX).removeprefix(TEST_PREFIX)
    return (
        secret.startswith((LIVE_PREFIX, TEST_PREFIX))
        and len(body) == BODY_LENGTH + CHECKSUM_LENGTH
        and hmac.compare_digest(_checksum(body[:BODY_LENGTH]), body[BODY_LENGTH:])
    )


def digest_of(secret: str, pepper: bytes) -> str:
    """What is stored of a secret: HMAC-SHA256, hexadecimal.

    Not a slow hash: 256 random bits cannot be guessed, and a slow hash on every request would be
    a way to bring the server down.
    """
    return hmac.new(pepper, secret.encode(), hashlib.sha256).hexdigest()


def read_or_make_pepper(path: Path) -> bytes:
    """The installation's pepper, made on first use, readable by its owner alone.

    Whoever has the database without this file can neither use nor test a key. Of two processes that
    make it at once, both get the same. Raises NotReady for a file that is no pepper.
    """
    return read_or_make_secret(path, "no key opens any longer")


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
