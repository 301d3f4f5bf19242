"""Writing files so that a reader, a crash or an interruption never meets half of one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

PARTIAL = re.compile(r"\.enlarger-[0-9a-f]{16}\.part")
"""Names of files that are being written: nobody else's look like that, for they may be removed."""
NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What file systems without hard links say: FAT, exFAT, some of networks."""


class NameTaken(FileExistsError):
    """A file appeared at the name while another was being written for it."""


def replacing(target: Path) -> contextlib.AbstractContextManager[BinaryIO]:
    """A file that becomes `target` when the block ends well, and vanishes when it does not.

    The folder is made if need be. After the block the bytes and the name are on the disk. Where the
    process is killed inside the block the name is as it was, and `clear_abandoned` finds the rest.
    """
    return _written(target, lambda partial: partial.replace(target))


def creating(target: Path, workshop: Path | None = None) -> contextlib.AbstractContextManager[BinaryIO]:
    """As `replacing`, but a file that has the name when the block ends stays, and NameTaken is raised.

    workshop  folder on the same disk that the file is written in; that of `target` if None.

    Where there are no hard links the name is first taken by an empty file, which the written one then
    replaces: nobody's file is lost there either, but a reader may meet the empty one for a moment.
    """
    return _written(target, lambda partial: _link(partial, target), workshop)


@contextlib.contextmanager
def _written(
    target: Path, publish: Callable[[Path], object], workshop: Path | None = None
) -> Iterator[BinaryIO]:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial, file = _open_partial(workshop or target.parent)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        publish(partial)
        sync_folder(target.parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _link(partial: Path, target: Path) -> None:
    """Give `partial` the name `target`, which must be free."""
    try:
        try:
            os.link(partial, target)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            target.open("xb").close()
            partial.replace(target)
            return
    except FileExistsError as error:
        raise NameTaken(error.errno, error.strerror, str(target)) from None
    partial.unlink()


@contextlib.contextmanager
def passing(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file in `folder` for as long as the block runs; `clear_abandoned` finds what a kill leaves."""
    path, file = _open_partial(folder)
    try:
        with file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


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


def _open_partial(folder: Path) -> tuple[Path, BinaryIO]:
    """A new locked file in `folder`."""
    while True:
        # Opened by mode "x" and not by tempfile: the result has the permissions of any file of the user.
        partial = folder / f".enlarger-{secrets.token_hex(8)}.part"
        file = partial.open("xb")
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return partial, file
        # Between its opening and its locking another process took it for abandoned.
        file.close()
