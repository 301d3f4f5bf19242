"""Worker slots: the stable names under which workers run, and who holds them now.

A worker that restarts under its old name takes its unfinished jobs up again; two workers under one
name would run each other's. The lock is the kernel's and goes with the process that held it; the
row only tells others that the holder is well.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa

from enlarger.database import now_ms, write
from enlarger.errors import NotReady
from enlarger.jobs.tables import SLOTS

HEARTBEAT_S = 5.0
LEASE_MS = 15_000
"""A slot whose heartbeat is older counts as dead."""


class Slot:
    """One slot of this machine, held until the process ends."""

    def __init__(self, engine: sa.Engine, folder: Path, ordinal: int) -> None:
        """
        folder   where the locks lie.
        ordinal  0 for the first worker of the machine, and so on.

        Raises NotReady if another process holds the slot.
        """
        self.id = f"local-{ordinal}"
        self._engine = engine
        self._lock = _lock(folder / f"{self.id}.lock")
        with write(engine) as connection:
            connection.execute(SLOTS.delete().where(SLOTS.c.id == self.id))
            connection.execute(
                SLOTS.insert().values(
                    id=self.id,
                    pid=os.getpid(),
                    ready=False,
                    started_ms=now_ms(),
                    heartbeat_ms=now_ms(),
                )
            )

    def heartbeat(self, *, is_ready: bool) -> None:
        """Say that the worker is well, and whether it can take a job at once."""
        with write(self._engine) as connection:
            connection.execute(
                SLOTS.update().where(SLOTS.c.id == self.id).values(ready=is_ready, heartbeat_ms=now_ms())
            )

    def release(self) -> None:
        """Say that nobody works here any longer. The lock itself goes with the process, not before."""
        with write(self._engine) as connection:
            connection.execute(SLOTS.delete().where(SLOTS.c.id == self.id))


def ready_count(engine: sa.Engine) -> int:
    """How many workers are well and can take a job at once."""
    query = (
        sa.select(sa.func.count())
        .select_from(SLOTS)
        .where(SLOTS.c.ready, SLOTS.c.heartbeat_ms > now_ms() - LEASE_MS)
    )
    with engine.connect() as connection:
        return connection.scalar(query) or 0


def _lock(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise NotReady(f"another worker holds {path.name}; is the server running already?") from None
    return file
