"""Passwords: what is kept of them, and how long checking one takes.

Argon2id with the parameters of RFC 9106 for little memory, 64 MiB: a guess costs as much as a
sign-in. Only ever called in a thread, and by few at once.
"""

from __future__ import annotations

import secrets
import string
import unicodedata
from functools import cache

from argon2 import PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError

from enlarger.errors import BadParameter

PASSWORD_MIN = 12
PASSWORD_MAX = 256
"""Characters. Length is what makes a password; nothing is said about which characters."""
DRAWN_LENGTH = 20
ALPHABET = string.ascii_letters + string.digits
_HASHER = PasswordHasher.from_parameters(profiles.RFC_9106_LOW_MEMORY)


def hash_password(password: str) -> str:
    """What is kept of a password. Raises BadParameter, without it, for one too short or too long."""
    plain = _normal(password)
    if not PASSWORD_MIN <= len(plain) <= PASSWORD_MAX:
        raise BadParameter(
            f"password has {len(plain)} characters; it must have {PASSWORD_MIN} to {PASSWORD_MAX}",
            param="password",
        )
    return _HASHER.hash(plain)


def is_right(password: str, kept: str | None) -> bool:
    """Whether a password is the one that `kept` was made of.

    kept  None where there is no such member, or no password: it takes as long as a wrong password,
          so that nobody learns who is a member.
    """
    try:
        _HASHER.verify(kept or _nobodys(), _normal(password[: PASSWORD_MAX + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def draw_password() -> str:
    """A random one, 119 bits, to be shown once."""
    return "".join(secrets.choice(ALPHABET) for _ in range(DRAWN_LENGTH))


def _normal(password: str) -> str:
    # The same keys give other characters on another machine otherwise (NIST SP 800-63B).
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return _HASHER.hash(draw_password())
