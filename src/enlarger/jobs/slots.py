"""Worker slots: the stable names under which workers run, and who holds them now.

A worker that restarts under its old name takes its unfinished jobs up again; two workers under one
name would run each other's. On one machine a kernel lock sees to that, which goes with the process
that held it. Between machines it is a lease: a row that its holder renews, with a fencing number that
rises with each holder, so that one who was paused past its lease finds that it has lost the slot.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path
from typing import TextIO

import sqlalchemy as sa

from enlarger.database import now_ms, write
from enlarger.errors import NotReady
from enlarger.jobs.tables import SLOTS

NODE_MAX = 60


def slot_id(node: str, ordinal: int) -> str:
    """The name of one worker of one machine: stable over restarts, unlike that of any other.

    node  the machine's name; what does not belong in a file's name becomes a dash.
    """
    return f"{re.sub(r'[^A-Za-z0-9.-]', '-', node)[:NODE_MAX]}-{ordinal}"


class Slot:
    """One slot, held until the process ends or the lease is lost."""

    def __init__(self, engine: sa.Engine, folder: Path, name: str, *, lease_s: float) -> None:
        """
        folder   where the locks of this machine lie.
        name     see `slot_id`.
        lease_s  a holder that has not renewed its lease for so long counts as dead.

        Raises NotReady if another process holds the slot, here or on another machine.
        """
        self.id = name
        self._engine = engine
        self._lease_ms = round(1000 * lease_s)
        self._lock = _lock(folder / f"{name}.lock")
        try:
            self._fence = self._take()
        except BaseException:
            self._lock.close()
            raise

    def heartbeat(self, *, is_ready: bool) -> bool:
        """Renew the lease and say whether a job can be taken at once; False if the slot is lost."""
        with write(self._engine) as connection:
            changed = connection.execute(
                SLOTS.update().where(*self._is_mine()).values(ready=is_ready, heartbeat_ms=now_ms())
            )
        return changed.rowcount > 0

    def release(self) -> None:
        """Say that nobody works here any longer. The lock itself goes with the process, not before."""
        with write(self._engine) as connection:
            connection.execute(SLOTS.update().where(*self._is_mine()).values(ready=False, heartbeat_ms=0))

    def _take(self) -> int:
        host = os.uname().nodename
        with write(self._engine) as connection:
            row = connection.execute(
                sa.select(SLOTS).where(SLOTS.c.id == self.id).with_for_update()
            ).one_or_none()
            values = {
                "host": host,
                "pid": os.getpid(),
                "ready": False,
                "started_ms": now_ms(),
                "heartbeat_ms": now_ms(),
            }
            if row is None:
                connection.execute(SLOTS.insert().values(id=self.id, fence=1, **values))
                return 1
            # On this machine the lock, which we hold, is the better witness that the holder is gone.
            if row.host != host and row.heartbeat_ms > now_ms() - self._lease_ms:
                raise NotReady(
                    f"a worker on {row.host} holds slot {self.id}; give each machine a name of its own"
                    " (ENLARGER_NODE)"
                )
            connection.execute(
                SLOTS.update().where(SLOTS.c.id == self.id).values(fence=row.fence + 1, **values)
            )
            fence: int = row.fence + 1
            return fence

    def _is_mine(self) -> tuple[sa.ColumnElement[bool], ...]:
        return SLOTS.c.id == self.id, SLOTS.c.fence == self._fence


def live_slots(engine: sa.Engine, lease_s: float) -> set[str]:
    """Slots whose holders have renewed their lease in time."""
    query = sa.select(SLOTS.c.id).where(SLOTS.c.heartbeat_ms > now_ms() - round(1000 * lease_s))
    with engine.connect() as connection:
        return set(connection.scalars(query))


def expel_expired(engine: sa.Engine, lease_s: float) -> list[str]:
    """End every lease that has expired, so that a holder that was only paused has lost its slot.

    Returns the slots that this call has ended; two callers never get the same one.
    """
    cutoff = now_ms() - round(1000 * lease_s)
    with write(engine) as connection:
        rows = connection.execute(
            SLOTS.update()
            .where(SLOTS.c.heartbeat_ms <= cutoff, SLOTS.c.heartbeat_ms > 0)
            .values(fence=SLOTS.c.fence + 1, heartbeat_ms=0, ready=False)
            .returning(SLOTS.c.id)
        )
        return list(rows.scalars())


def ready_count(engine: sa.Engine, lease_s: float) -> int:
    """How many workers are well and can take a job at once."""
    query = (
        sa.select(sa.func.count())
        .select_from(SLOTS)
        .where(SLOTS.c.ready, SLOTS.c.heartbeat_ms > now_ms() - round(1000 * lease_s))
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
