"""Writing files so that a reader, a crash or an interruption never meets half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes `target` when the block ends well, and vanishes when it does not.

    The folder is made if need be. After the block the bytes and the name are on the disk.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # Opened by mode "x" and not by tempfile: the result has the permissions of any file of the user.
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync_folder(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on the disk, as the bytes of the files already are."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
