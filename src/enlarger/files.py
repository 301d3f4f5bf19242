"""Writing files so that a reader, a crash or an interruption never meets half of one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.part")
"""Names of files that are being written."""


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes `target` when the block ends well, and vanishes when it does not.

    The folder is made if need be. After the block the bytes and the name are on the disk. Where the
    process is killed inside the block the name is as it was, and `clear_abandoned` finds the rest.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, file = _open_partial(target)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        sync_folder(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def creating(target: Path, workshop: Path | None = None) -> Iterator[BinaryIO]:
    """A file that becomes `target` when the block ends well; if there is one by then, that one stays.

    workshop  folder on the same disk that the file is written in; that of `target` if None.

    Otherwise as `replacing`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, file = _open_partial((workshop or target.parent) / target.name)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                # A second name for a finished file: nobody ever reads half of it.
                target.hardlink_to(partial)
        sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def clear_abandoned(folder: Path) -> None:
    """Remove what killed processes left of files that they were writing into `folder`.

    A file that a living process writes stays: it is locked, and the lock ends with the process.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        if not PARTIAL.fullmatch(path.name):
            continue
        # Where files cannot be locked, or are not ours, they are left alone.
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on the disk, as the bytes of the files already are."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_partial(target: Path) -> tuple[Path, BinaryIO]:
    """A new locked file beside `target`."""
    while True:
        # Opened by mode "x" and not by tempfile: the result has the permissions of any file of the user.
        partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        file = partial.open("xb")
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return partial, file
        # Between its opening and its locking another process took it for abandoned.
        file.close()
