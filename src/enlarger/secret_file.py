"""Secrets of an installation, each in a file of its own that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from enlarger.errors import NotReady
from enlarger.files import NameTaken, creating

SECRET_BYTES = 32


def read_or_make_secret(path: Path, loss: str) -> bytes:
    """The 32 random bytes in `path`, drawn on first use.

    Of two processes that draw them at once, both get the same. `loss` and errors: see `read_secret`.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        with contextlib.suppress(NameTaken), creating(path) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(secrets.token_hex(SECRET_BYTES).encode())
    return read_secret(path, loss)


def read_secret(path: Path, loss: str) -> bytes:
    """The 32 random bytes in `path`.

    loss  what happens without them, for the message.

    Raises NotReady for a file that is not there or no secret.
    """
    try:
        secret = bytes.fromhex(path.read_text("ascii"))
    except (FileNotFoundError, ValueError):
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise NotReady(f"{path} is damaged; put its backup there, or {loss}")
    return secret
