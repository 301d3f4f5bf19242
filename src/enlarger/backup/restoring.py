"""Makes an installation of a backup, in a folder that has none."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enlarger.backup.archive import DATABASE, OBJECTS, SECRETS, unpack
from enlarger.backup.making import inspect
from enlarger.errors import BadParameter, NotReady
from enlarger.files import sync_folder
from enlarger.settings import Settings
from enlarger.storage import open_store

STAGING = ".restoring-"
"""Beginning of the name of the folder in which a restore stands until it is whole."""


@dataclass(frozen=True)
class Restored:
    """An installation that was restored."""

    jobs: int
    objects: int
    with_objects: bool
    """Whether the backup had the pictures; else they are still where they were, or nowhere."""


def restore_backup(settings: Settings, source: Path) -> Restored:
    """Make the installation of `settings` out of a backup.

    Everything is unpacked and checked beside its place first; the database comes last, so that
    without it there is no installation.

    Raises BadParameter for a file that is no whole backup and for settings that put the database
    elsewhere, NotReady where there is an installation already or a server runs; then nothing has
    changed.
    """
    data_dir = settings.data_dir
    if settings.database_url is not None:
        raise BadParameter(
            "a backup is restored into the data folder; unset ENLARGER_DATABASE_URL", param="database_url"
        )
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    _check_free(settings)
    staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=data_dir))
    try:
        manifest = unpack(source, staging)
        problems = inspect(staging / DATABASE)
        if problems:
            raise BadParameter(f"{source} has a damaged database: {problems[0]}", param="source")
        if settings.object_store_url is not None:
            store = open_store(settings.object_store)
            for path in (staging / OBJECTS).rglob("*"):
                if path.is_file():
                    store.create(path.relative_to(staging / OBJECTS).as_posix(), path)
        # Every byte is on the disk before the first name is.
        os.sync()
        if (staging / SECRETS).is_dir():
            settings.secrets_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileNotFoundError):
                settings.secrets_path.rmdir()
            shutil.move(staging / SECRETS, settings.secrets_path)
            sync_folder(settings.secrets_path.parent)
        if settings.object_store_url is None and (staging / OBJECTS).is_dir():
            (staging / OBJECTS).rename(data_dir / OBJECTS)
        sync_folder(data_dir)
        (staging / DATABASE).rename(data_dir / DATABASE)
        sync_folder(data_dir)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Restored(int(manifest["jobs"]), int(manifest["objects"]), bool(manifest["with_objects"]))


def _check_free(settings: Settings) -> None:
    if _is_served(settings.data_dir):
        raise NotReady(f"a server runs in {settings.data_dir}; stop it, and restore into another folder")
    for folder in {settings.data_dir, settings.secrets_path}:
        if folder.is_dir():
            for path in folder.iterdir():
                if path.name.startswith(STAGING):
                    # What a restore left that was killed.
                    shutil.rmtree(path, ignore_errors=True)
                elif folder == settings.data_dir and path == settings.secrets_path:
                    continue
                else:
                    raise NotReady(f"{folder} is not empty; restore into another folder")


def _is_served(data_dir: Path) -> bool:
    try:
        with (data_dir / "server.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
