"""The object store."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore

from enlarger.errors import BadParameter, NotFound
from enlarger.files import sync_folder


class ObjectStore:
    """Objects by key. A key is written once: its content never changes."""

    def __init__(self, url: str) -> None:
        """
        url  `file:///absolute/folder`; the folder is made if need be.
        """
        parts = urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
            raise BadParameter(f"object store {url!r} must be a file:/// URL", param="object_store_url")
        self._root = Path(unquote(parts.path))
        self._root.mkdir(parents=True, exist_ok=True)
        self._store = LocalStore(self._root)

    def create(self, key: str, source: bytes | Path) -> None:
        """Store an object, whole and on the disk when this returns. A key that exists is left as it is.

        That it may exist is what makes a repeated attempt at a job harmless. A file on the store's
        own disk is linked and not copied, so its content must not be changed afterwards.
        """
        path = self._root / key
        with contextlib.suppress(AlreadyExistsError, FileExistsError):
            if not (isinstance(source, Path) and _link(source, path)):
                obstore.put(self._store, key, source, mode="create")
        # Also where it existed: whoever made it may have died before this.
        with path.open("rb") as file:
            os.fsync(file.fileno())
        for folder in path.relative_to(self._root).parents:
            sync_folder(self._root / folder)

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises NotFound."""
        try:
            return obstore.get(self._store, key).bytes().to_bytes()
        except FileNotFoundError:
            raise NotFound from None

    def copy_to(self, key: str, target: Path) -> None:
        """Write the object to a file, in pieces. Raises NotFound."""
        try:
            pieces = obstore.get(self._store, key).stream()
        except FileNotFoundError:
            raise NotFound from None
        with target.open("wb") as file:
            for piece in pieces:
                file.write(piece)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is none to remove."""
        for key in keys:
            (self._root / key).unlink(missing_ok=True)

    def check(self) -> None:
        """Raise unless objects can be listed now."""
        obstore.list_with_delimiter(self._store, "health")


def _link(source: Path, target: Path) -> bool:
    """Give a file a second name; False where the two lie on different disks."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True
