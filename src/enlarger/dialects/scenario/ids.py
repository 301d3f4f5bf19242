"""Ids in Scenario's own form: a word, an underscore and 24 letters or digits."""

from __future__ import annotations

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24
"""143 bits: nobody guesses one, and no two are the same."""


def new_id(kind: str) -> str:
    """A new id of an `asset` or a `job`."""
    return f"{kind}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
