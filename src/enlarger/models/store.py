"""The model store: a folder with the weights that are here, each checked against the catalogue."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from enlarger.errors import BadWeights, DigestMismatch, ModelMissing
from enlarger.models.catalogue import Asset, Entry
from enlarger.models.loaders.ncnn import read_ncnn
from enlarger.models.network import Network


@dataclass(frozen=True)
class ModelStore:
    """Files of assets in `root/ASSET/FILE`. They appear whole or not at all."""

    root: Path

    def path(self, entry: Asset, member: str) -> Path:
        """Where the file that the wheel calls `member` lies, whether or not it is here."""
        return self.root / entry.name / PurePosixPath(member).name

    def has(self, entry: Asset) -> bool:
        """Whether every file is here; the digests are checked when it is loaded."""
        return all(self.path(entry, member).is_file() for member in entry.files)

    def verify(self, entry: Asset) -> None:
        """Hash every file. Raises ModelMissing or DigestMismatch, naming the file."""
        for member, digest in entry.files.items():
            path = self.path(entry, member)
            if not path.is_file():
                raise ModelMissing(
                    f"the weights of {entry.name} are not in {self.root};"
                    f" fetch them with `enlarger models pull {entry.name}`",
                    param="model",
                )
            if file_sha256(path) != digest:
                raise DigestMismatch(
                    f"{path} is not the file of the catalogue;"
                    f" run `enlarger models pull {entry.name}` to replace it"
                )

    def file(self, entry: Asset, name: str) -> Path:
        """Where the asset's file `name` lies, once all its files have the catalogue's digests.

        Raises ModelMissing or DigestMismatch.
        """
        self.verify(entry)
        [member] = [member for member in entry.files if PurePosixPath(member).name == name]
        return self.path(entry, member)

    def load(self, entry: Entry) -> Network:
        """Read a network whose files have the catalogue's digests.

        Raises ModelMissing, DigestMismatch, or BadWeights if the graph is not what the catalogue says.
        """
        self.verify(entry)
        paths = {path.suffix: path for path in (self.path(entry, member) for member in entry.files)}
        network = read_ncnn(entry.name, paths[".param"], paths[".bin"])
        if network.scale != entry.scale:
            raise BadWeights(
                f"{entry.name} enlarges {network.scale} times; the catalogue says {entry.scale}"
            )
        return network


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
