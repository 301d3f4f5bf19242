"""Makes a backup while the server runs."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from enlarger.assets.tables import ASSETS, UPLOAD_PARTS, UPLOADS
from enlarger.backup.archive import DATABASE, OBJECTS, SECRETS, Writer
from enlarger.database import connect, now_ms
from enlarger.database.connection import BUSY_TIMEOUT_MS
from enlarger.errors import BadParameter, NotFound, NotReady
from enlarger.files import creating
from enlarger.jobs.tables import IDEMPOTENCY, JOBS
from enlarger.ledger import ledger
from enlarger.settings import Settings
from enlarger.storage import ObjectStore, open_store


@dataclass(frozen=True)
class Made:
    """A backup that was made."""

    path: Path
    size_bytes: int
    jobs: int
    objects: int
    missing: tuple[str, ...]
    """Objects that rows speak of and the store does not have; the backup is as whole as its source."""


def make_backup(settings: Settings, target: Path, *, with_objects: bool) -> Made:
    """Write a backup; at the end it is there whole, or nothing is.

    The database is copied as it is at one moment, by SQLite itself, and checked. Then come the secrets,
    and every object that the copy speaks of: they never change, so it does not matter that they are
    read later.

    target  a file that does not exist, or a folder, in which the file is named for the time.

    Raises BadParameter for Postgres and for a file that exists, NotReady where there is no database
    or a damaged one; then nothing was written.
    """
    source = database_file(settings)
    if not source.exists():
        raise NotReady(f"there is no installation in {settings.data_dir}; start the server once")
    path = target / f"enlarger-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar" if target.is_dir() else target
    if path.exists():
        raise BadParameter(f"{path} exists already; give another name", param="target")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".enlarger-backup-", dir=path.parent) as scratch:
        copy = Path(scratch) / DATABASE
        copy_database(source, copy)
        problems = inspect(copy)
        if problems:
            raise NotReady(f"the database is damaged and was not backed up: {problems[0]}")
        with creating(path) as file:
            os.fchmod(file.fileno(), 0o600)
            archive = Writer(file)
            archive.add(DATABASE, copy)
            for secret in secrets_of(settings.secrets_path):
                name = secret.relative_to(settings.secrets_path).as_posix()
                archive.add(f"{SECRETS}/{name}", secret)
            objects, missing = 0, []
            if with_objects:
                store = open_store(settings.object_store)
                for key in objects_of(copy):
                    if _add_object(archive, store, key, Path(scratch) / "object"):
                        objects += 1
                    else:
                        missing.append(key)
            jobs = _count_jobs(copy)
            archive.finish(made_s=int(time.time()), jobs=jobs, objects=objects, with_objects=with_objects)
        # What has expired while the rest was read has rightly gone.
        still = set(objects_of(copy)) if missing else set()
    return Made(path, path.stat().st_size, jobs, objects, tuple(key for key in missing if key in still))


def database_file(settings: Settings) -> Path:
    """The SQLite file. Raises BadParameter for another database."""
    url = sa.make_url(settings.database)
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise BadParameter(
            f"the database is {url.get_backend_name()}: back it up with pg_dump and restore it with"
            f" pg_restore, and keep {settings.secrets_path} and the object store beside it",
            param="database_url",
        )
    return Path(url.database)


def copy_database(source: Path, target: Path) -> None:
    """Copy a SQLite database that others write to, as it is at one moment.

    In one step: between steps a writer would make SQLite begin again. In WAL nobody waits for it.
    """
    with closing(_open(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, pages=-1)
        # One file, without the log that it would have beside it.
        copy.execute("PRAGMA journal_mode=DELETE")


def inspect(database: Path) -> list[str]:
    """What is wrong with a SQLite database that nobody uses; nothing if it is whole and its books right."""
    try:
        with closing(_open(database)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                return found
            orphans = [row[0] for row in connection.execute("PRAGMA foreign_key_check")]
            if orphans:
                return [f"rows of {', '.join(sorted(set(orphans)))} refer to what is not there"]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    engine = connect(f"sqlite:///{database}", pool_size=1)
    try:
        with engine.connect() as rows:
            return list(ledger.verify(rows))
    except sa.exc.DatabaseError as error:
        return [str(error).partition("\n")[0]]
    finally:
        engine.dispose()


def secrets_of(folder: Path) -> list[Path]:
    """The files of secrets, not those that are being written."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def objects_of(database: Path) -> Iterator[str]:
    """Keys of every object that rows of a database speak of and that is not due to go; each once."""
    engine = connect(f"sqlite:///{database}", pool_size=1)
    now = now_ms()
    stays = JOBS.c.expired_ms.is_(None) & sa.or_(JOBS.c.expires_ms.is_(None), JOBS.c.expires_ms > now)
    is_kept = sa.or_(ASSETS.c.expires_ms.is_(None), ASSETS.c.expires_ms > now)
    living = sa.select(UPLOADS.c.id).where(UPLOADS.c.expires_ms > now)
    seen: set[str] = set()
    try:
        with engine.connect() as connection:
            for column, where in (
                (JOBS.c.input_key, stays),
                (JOBS.c.style_keys, stays),
                (JOBS.c.result_key, stays),
                (IDEMPOTENCY.c.body_key, IDEMPOTENCY.c.expires_ms > now),
                (ASSETS.c.object_key, is_kept),
                (UPLOAD_PARTS.c.object_key, UPLOAD_PARTS.c.upload_id.in_(living)),
            ):
                query = sa.select(column).where(column.is_not(None), where)
                for value in connection.scalars(query):
                    for key in json.loads(value) if column is JOBS.c.style_keys else [value]:
                        # A result that became an asset is spoken of twice.
                        if key not in seen:
                            seen.add(key)
                            yield key
    finally:
        engine.dispose()


def _add_object(archive: Writer, store: ObjectStore, key: str, scratch: Path) -> bool:
    try:
        store.copy_to(key, scratch)
    except NotFound:
        return False
    archive.add(f"{OBJECTS}/{key}", scratch)
    scratch.unlink()
    return True


def _count_jobs(database: Path) -> int:
    with closing(_open(database)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(database, timeout=BUSY_TIMEOUT_MS / 1000)
