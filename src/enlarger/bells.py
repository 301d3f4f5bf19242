"""Bells: how the processes of one machine wake one another, so that none of them has to look often.

A bell is a named pipe below the data folder. Whoever waits for news holds it open; whoever has some
writes a byte. Nothing depends on a ring: it only makes a look come early that would come anyway.
"""

from __future__ import annotations

import contextlib
import os
import select
from pathlib import Path

API = "api"
"""Rung when a job has ended."""
WORKER = "worker"
"""Rung when a job was accepted; each worker has one, its slot's."""
MANY = 4096
"""Rings that are taken up at once."""


class Bell:
    """A bell that this process hears; no other may have one of the same name."""

    def __init__(self, folder: Path, name: str) -> None:
        """
        folder  made if it is missing.
        name    begins with API or WORKER.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Open for writing too, so that it never reads as ended when nobody else has it open.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def fileno(self) -> int:
        """What becomes readable when it rings."""
        return self._descriptor

    def take(self) -> None:
        """Take up the rings that there were, so that the next one is heard."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, MANY)

    def wait(self) -> None:
        """Return when it has rung."""
        select.select([self._descriptor], [], [])
        self.take()

    def close(self) -> None:
        """Hear nothing any longer."""
        os.close(self._descriptor)


def ring(folder: Path, kind: str) -> None:
    """Ring every bell of a kind that somebody hears."""
    for path in folder.glob(f"{kind}*"):
        # Nobody has it open, or so many rings wait already that one more says nothing.
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(descriptor, b"!")
            finally:
                os.close(descriptor)
