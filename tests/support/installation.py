"""An installation that tests break: its database, its pictures, its processes, and who calls it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import sqlalchemy as sa

from enlarger.database import connect, write
from enlarger.storage import ObjectStore, open_store
from tests.support import callers
from tests.support.callers import Caller
from tests.support.invariants import Invariants
from tests.support.plan import Plan
from tests.support.running import RunningServer, wait_for

LEASE_S = 5.0
"""Short, so that a dead worker's jobs are taken over soon; a busy machine must not expire the living."""
RESTART_S = 120.0


@dataclass
class Installation:
    """Everything that outlives its server, and the server while it runs."""

    folder: Path
    models: Path
    database_url: str
    variables: dict[str, str] = field(default_factory=dict)
    """Of the server's environment, beside the usual ones."""
    object_store_url: str | None = None
    """Where tests look for pictures; the server is told by `variables`."""
    plan: Plan = field(init=False)
    engine: sa.Engine = field(init=False)
    invariants: Invariants = field(init=False)
    port: int = field(init=False)
    _server: RunningServer | None = None

    def __post_init__(self) -> None:
        self.plan = Plan(self.folder / "plan")
        self.plan.folder.mkdir(parents=True)
        self.engine = connect(self.database_url, pool_size=8)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.invariants = Invariants(self.engine, self.store())

    def store(self) -> ObjectStore:
        """Where the pictures are."""
        return open_store(self.object_store_url or (self.folder / "objects").as_uri())

    @property
    def database(self) -> str:
        """The kind of database: `sqlite` or `postgres`."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgres"

    @property
    def url(self) -> str:
        """Where the server is, whenever it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def server(self) -> RunningServer:
        """The server that runs now."""
        assert self._server is not None
        return self._server

    @contextlib.contextmanager
    def running(self, **variables: str) -> Iterator[RunningServer]:
        """Start the server; it is ended with the block, if it lives that long.

        variables  more of its environment, for this start alone.
        """
        environment = {
            "ENLARGER_DATABASE_URL": self.database_url,
            "ENLARGER_PORT": str(self.port),
            "ENLARGER_NODE": "here",
            "ENLARGER_LEASE_S": str(LEASE_S),
            "ENLARGER_FAULT_PLAN": str(self.plan.folder),
            **self.variables,
            **variables,
        }
        with RunningServer.start(self.folder, self.models, **environment) as server:
            self._server = server
            try:
                yield server
            finally:
                self._server = None

    def kill_everything(self) -> None:
        """`kill -9` to the supervisor and all that it started, as a power cut would, but for the disk."""
        family = [psutil.Process(self.server.process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        # What was started in between: its lifeline ends it, and the port must be free.
        psutil.wait_procs(family, timeout=30)

    def call(
        self, order: random.Random, count: int, *, side_px: int = 40, is_slow: bool = False
    ) -> list[Caller]:
        """Start so many callers, each with a picture and a key of its own."""
        return callers.start(
            Caller(
                self.url,
                callers.picture(order, side_px),
                f"{order.getrandbits(64):016x}",
                is_slow=is_slow,
            )
            for _ in range(count)
        )

    def wait_until_ready(self, *, workers: int = 1) -> None:
        """Return when `/readyz` is green and so many workers and children are there."""

        def is_ready() -> bool:
            try:
                is_green = (
                    httpx.get(f"{self.url}/readyz", timeout=10, verify=callers.NO_TLS).status_code == 200
                )
            except httpx.TransportError:
                return False
            return is_green and all(
                len(self.server.pids_of(role)) == workers for role in ("worker", "child")
            )

        wait_for(is_ready, RESTART_S, "the server is ready")

    def wait_for_other(self, role: str, gone: int, *, count: int = 1) -> None:
        """Return when the supervisor, or the worker, has started another process in place of one."""

        def is_there() -> bool:
            pids = self.server.pids_of(role)
            return len(pids) == count and gone not in pids

        wait_for(is_there, RESTART_S, f"another {role} in place of {gone}")

    def check(self, waiting: Sequence[Caller] = ()) -> None:
        """Hold the installation against the invariants; `waiting` are who called since the last time.

        Fails with every violation. The server must be running.
        """
        self.invariants.settle()
        callers.join(waiting)
        found = [complaint for caller in waiting if (complaint := caller.complaint()) is not None]
        violations = [*self.invariants.violations(), *found]
        assert not violations, "\n".join(map(str, violations))

    def jobs(self, where: str = "1 = 1") -> list[sa.Row[Any]]:
        """Id, state and attempts of jobs, the oldest first."""
        return self.rows(f"SELECT id, state, attempts FROM jobs WHERE {where} ORDER BY created_ms")

    def rows(self, sql: str) -> list[sa.Row[Any]]:
        """Rows of the server's own database."""
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(sql)))

    def change(self, sql: str) -> None:
        """Change rows behind the server's back."""
        with write(self.engine) as connection:
            connection.execute(sa.text(sql))

    def table(self, name: str) -> str:
        """A table of the durable engine."""
        return f"dbos.{name}" if self.engine.dialect.name == "postgresql" else name

    def job_of(self, caller: Caller) -> str:
        """The id of the job that a caller's key made."""
        from enlarger.jobs.idempotency import hash_key

        query = sa.text("SELECT id FROM jobs WHERE idempotency_hash = :hash")

        def find() -> str | None:
            with self.engine.connect() as connection:
                found: str | None = connection.scalar(query, {"hash": hash_key(caller.key)})
                return found

        wait_for(find, RESTART_S, "the job is accepted")
        return str(find())


def kill(pid: int) -> None:
    """`kill -9`."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def pause(order: random.Random, longest_s: float) -> None:
    """Sleep for a random time."""
    time.sleep(order.uniform(0, longest_s))
