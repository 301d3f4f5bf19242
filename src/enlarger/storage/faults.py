"""What disks say becomes an error of ours, and no half of a file stays."""

from __future__ import annotations

import contextlib
import errno
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import structlog

from enlarger.errors import NotFound, StorageFull, StorageUnavailable

LOG = structlog.get_logger()
FULL = {errno.ENOSPC, errno.EDQUOT}
FAILURES: Counter[str] = Counter()
"""How often the store failed in this process, by the code of the error that was raised; for the metrics."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Raise StorageFull or StorageUnavailable for what the disk refuses; the log has the details."""
    try:
        yield
    except OSError as error:
        LOG.warning("storage.failed", error=str(error))
        failure = StorageFull if error.errno in FULL else StorageUnavailable
        FAILURES[failure.code] += 1
        raise failure from error


@contextlib.contextmanager
def found() -> Iterator[None]:
    """A file that is not there, or is a folder or below a file, is an object that is not there."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise NotFound from None


@contextlib.contextmanager
def removed_on_failure(target: Path) -> Iterator[None]:
    """Leave no half of a file that the block was to write."""
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise
