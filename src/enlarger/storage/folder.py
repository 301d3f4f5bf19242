"""Objects as files in a folder of this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from enlarger.errors import LinkRefused, NotFound, NotReady
from enlarger.files import NameTaken, clear_abandoned, creating, sync_folder
from enlarger.storage.faults import found, removed_on_failure, told
from enlarger.storage.links import Links
from enlarger.storage.store import Download, ObjectInfo, checked, content_type_of

WORKSHOP = ".partial"
"""Where objects are written until they are whole; its name could not be part of a key."""
READING = ("GET", "HEAD")
"""Methods that objects are reached by; none writes one."""


class Folder:
    """An ObjectStore whose keys are paths below one folder."""

    def __init__(self, root: Path, links: Links | None = None) -> None:
        self._root = root
        self._links = links
        self._workshop = root / WORKSHOP
        with told():
            self._workshop.mkdir(parents=True, exist_ok=True)
            clear_abandoned(self._workshop)

    def create(self, key: str, source: bytes | Path) -> None:
        """See ObjectStore."""
        path = self._path(key)
        with told():
            if isinstance(source, bytes):
                if not path.exists():
                    with contextlib.suppress(NameTaken), creating(path, self._workshop) as file:
                        file.write(source)
            elif not _link(source, path):
                with (
                    contextlib.suppress(NameTaken),
                    source.open("rb") as pieces,
                    creating(path, self._workshop) as file,
                ):
                    shutil.copyfileobj(pieces, file)
            # Also where it existed: whoever made it may have died before this.
            with path.open("rb") as written:
                os.fsync(written.fileno())
            for folder in path.relative_to(self._root).parents:
                sync_folder(self._root / folder)

    def read(self, key: str) -> bytes:
        """See ObjectStore."""
        with told(), found():
            return self._path(key).read_bytes()

    def copy_to(self, key: str, target: Path) -> None:
        """See ObjectStore."""
        with told():
            with found():
                source = self._path(key).open("rb")
            with source, removed_on_failure(target), target.open("wb") as file:
                shutil.copyfileobj(source, file)

    def head(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        return _info(key, self._status(key))

    def exists(self, key: str) -> bool:
        """See ObjectStore."""
        try:
            self._status(key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        with told():
            for folder, _, names in os.walk(self._path(prefix), onerror=_raise_unless_gone):
                for name in names:
                    key = (Path(folder) / name).relative_to(self._root).as_posix()
                    # What goes away while the folder is read is no object any more.
                    with contextlib.suppress(NotFound):
                        yield self.head(key)

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore."""
        with told():
            for key in keys:
                with contextlib.suppress(FileNotFoundError):
                    self._path(key).unlink()

    def check(self) -> None:
        """See ObjectStore."""
        with told():
            probe = self._workshop / f"check-{os.getpid()}"
            with removed_on_failure(probe):
                # A byte, and not only a name: a full disk still takes names.
                probe.write_bytes(b"?")
            probe.unlink(missing_ok=True)

    def signed_url(
        self,
        key: str,
        *,
        expires_in_s: int,
        file_name: str | None = None,
        content_type: str | None = None,
        base_url: str = "",
    ) -> str:
        """See ObjectStore."""
        if self._links is None:
            raise NotReady("this process signs no links")
        return self._links.make(
            checked(key),
            expires_in_s=expires_in_s,
            file_name=file_name or key.rsplit("/", 1)[-1],
            content_type=content_type or content_type_of(key),
            base_url=base_url,
        )

    def follow(self, method: str, key: str, query: bytes) -> Download:
        """See ObjectStore."""
        if self._links is None:
            raise NotReady("this process follows no links")
        if method not in READING:
            raise LinkRefused
        link = self._links.verify(method, key, query)
        status = self._status(key)
        return Download(self._path(key), status, link.file_name, link.content_type, link.remaining_s)

    def _path(self, key: str) -> Path:
        return self._root / checked(key)

    def _status(self, key: str) -> os.stat_result:
        with told(), found():
            status = self._path(key).stat()
        if not stat.S_ISREG(status.st_mode):
            raise NotFound
        return status


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    return ObjectInfo(key, status.st_size, status.st_mtime_ns // 1_000_000)


def _link(source: Path, target: Path) -> bool:
    """Give a file a second name; False where the two lie on different disks."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True
