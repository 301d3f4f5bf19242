"""The file of a backup: a tar of the database, the secrets and the pictures, and last what it has.

The manifest comes last because it has the digest of everything before it: a file without one was cut
off. Nothing is compressed: pictures are already.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from enlarger.errors import BadParameter

FORMAT = 1
MANIFEST = "manifest.json"
DATABASE = "enlarger.db"
SECRETS = "secrets"
OBJECTS = "objects"
PIECE_BYTES = 2**20


class Digested:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """As of a file."""
        piece = self._file.read(size)
        self._hash.update(piece)
        return piece

    @property
    def digest(self) -> str:
        """SHA-256 of what was read, in hex."""
        return self._hash.hexdigest()


class Writer:
    """Adds members to an archive; `finish` makes it one that can be restored."""

    def __init__(self, file: BinaryIO) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w")  # noqa: SIM115 (closed by `finish`)
        self._members: dict[str, str] = {}

    def add(self, name: str, path: Path) -> None:
        """Add a file that nobody changes meanwhile."""
        with path.open("rb") as file:
            source = Digested(file)
            self._tar.addfile(_member(name, path.stat().st_size), source)
        self._members[name] = source.digest

    def finish(self, **facts: Any) -> None:
        """Add the manifest, with `facts` of the installation beside the digests."""
        manifest = json.dumps({"format": FORMAT, **facts, "members": self._members}).encode()
        self._tar.addfile(_member(MANIFEST, len(manifest)), io.BytesIO(manifest))
        self._tar.close()


@contextmanager
def opened(path: Path) -> Iterator[tarfile.TarFile]:
    """An archive for reading. Raises BadParameter for a file that is none."""
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, OSError, EOFError) as error:
        raise BadParameter(f"{path} cannot be read as a backup: {error}", param="source") from None


def unpack(path: Path, folder: Path) -> dict[str, Any]:
    """Write an archive's members into an empty folder, readable by their owner alone; its manifest.

    Raises BadParameter for a file that is no whole backup, of a format that is not known here, or that
    was changed.
    """
    digests: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    with opened(path) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or manifest is not None:
                raise BadParameter(f"{path} has {member.name!r}, which no backup has", param="source")
            if member.name == MANIFEST:
                manifest = _manifest(content.read(), path)
                continue
            target = folder / _safe(member.name, path)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            source = Digested(content)
            with target.open("xb") as file:
                while piece := source.read(PIECE_BYTES):
                    file.write(piece)
            target.chmod(0o600)
            digests[member.name] = source.digest
    if manifest is None:
        raise BadParameter(f"{path} has no manifest: it was cut off", param="source")
    if manifest["members"] != digests or DATABASE not in digests:
        raise BadParameter(f"{path} is not what was written: a digest differs", param="source")
    return manifest


def _member(name: str, size_bytes: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size_bytes
    member.mode = 0o600
    return member


def _manifest(text: bytes, path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
        known = manifest["format"] == FORMAT and isinstance(manifest["members"], dict)
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise BadParameter(f"{path} is a backup of another version", param="source")
    return dict(manifest)


def _safe(name: str, path: Path) -> PurePosixPath:
    """A member's place below the folder. Raises BadParameter for a name that leads out of it."""
    place = PurePosixPath(name)
    is_ours = name == DATABASE or place.parts[:1] in ((SECRETS,), (OBJECTS,))
    if not is_ours or ".." in place.parts or place.as_posix() != name or "\0" in name:
        raise BadParameter(f"{path} has {name!r}, which no backup has", param="source")
    return place
