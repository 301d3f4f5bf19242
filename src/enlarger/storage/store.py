"""What an object store is, whatever it lies on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from enlarger.errors import BadParameter, NotFound

if TYPE_CHECKING:
    from enlarger.storage.links import Links

KEY = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*")
"""Segments that mean nothing to any file system; none begins with a dot."""
CONTENT_TYPES = {".png": "image/png", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".webp": "image/webp"}
"""By the ending of a key. Anything else is bytes that no browser shows."""


@dataclass(frozen=True)
class ObjectInfo:
    """An object as lists show it."""

    key: str
    size_bytes: int
    modified_ms: int
    """When it was stored, Unix time."""


@dataclass(frozen=True)
class Download:
    """What a signed link leads to."""

    path: Path
    status: os.stat_result
    file_name: str
    content_type: str
    remaining_s: int
    """How long the link still lives."""


class ObjectStore(Protocol):
    """Objects by key. A key is written once: its content never changes.

    Every call may raise StorageUnavailable, and all but `exists` raise NotFound for a text that is
    no key. None waits for ever: a bucket is given `Patience.bound_s`.
    """

    def create(self, key: str, source: bytes | Path) -> None:
        """Store an object, whole and durable when this returns. A key that exists is left as it is.

        That it may exist is what makes a repeated attempt at a job harmless. A file on a folder's
        own disk is linked and not copied, so its content must not be changed afterwards. A bucket
        gets it in one request from memory: as many bytes as the file has, for as long as it takes.

        Raises StorageFull; then nothing of the object is there.
        """

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises NotFound."""

    def copy_to(self, key: str, target: Path) -> None:
        """Write the object to a file, in pieces.

        Raises NotFound, and StorageFull if the file's disk is full; then there is no file.
        """

    def head(self, key: str) -> ObjectInfo:
        """The object's size and time. Raises NotFound."""

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Every object below the folder `prefix` (`ws/abc`, no slash at the end), in no order.

        Objects that come or go meanwhile may be listed or not.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, those that are gone already too. After an error some may be left."""

    def check(self) -> None:
        """Raise unless objects can be stored (a folder) or listed (a bucket) now, within seconds."""

    def signed_url(
        self,
        key: str,
        *,
        expires_in_s: int,
        file_name: str | None = None,
        content_type: str | None = None,
        base_url: str = "",
    ) -> str:
        """A link by which anybody can fetch the object, and nothing else, for a while.

        expires_in_s  1 to 604800, a week.
        file_name     what a browser saves it as, made safe; the end of the key if None.
        content_type  by the ending of the key if None. In a bucket this and the file name are those
                      that the object was created with, from its key: they cannot be signed there.
        base_url      scheme and host that the caller reached us at, where ENLARGER_PUBLIC_URL is not
                      set; "" gives a path. A bucket's link has the bucket's host.

        Whether the object exists is not looked at. Raises BadParameter, and NotReady where this
        process was given no `Links`.
        """

    def follow(self, method: str, key: str, query: bytes) -> Download:
        """What a signed link to our own `/files/` leads to; its parts as the client sent them.

        Raises LinkRefused before anything of the store is looked at; NotFound for an object that
        is gone, and for everything in a bucket, whose links do not come here.
        """


def open_store(url: str, links: Links | None = None) -> ObjectStore:
    """The store at `file:///absolute/folder`, which is made if need be, or `s3://bucket/prefix`.

    links  signs URLs of a folder's objects; not needed by a process that makes and serves none.

    A bucket is not connected to yet; its credentials, region and endpoint are those of the AWS_*
    variables. Raises BadParameter.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        from enlarger.storage.folder import Folder

        return Folder(Path(unquote(parts.path)), links)
    if parts.scheme == "s3" and parts.netloc:
        from enlarger.storage.bucket import Bucket

        return Bucket(parts.netloc, unquote(parts.path).strip("/"))
    raise BadParameter(
        f"object store {url!r} must be a file:/// or an s3://bucket URL", param="object_store_url"
    )


def checked(key: str) -> str:
    """`key` again. Raises NotFound if no object could have it."""
    if not KEY.fullmatch(key):
        raise NotFound(f"{key!r} is no key of an object")
    return key


def content_type_of(key: str) -> str:
    """The content type that the ending of a key stands for."""
    return CONTENT_TYPES.get(Path(key).suffix, "application/octet-stream")
