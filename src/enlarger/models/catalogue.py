"""The catalogue: `catalogue.toml` as typed values."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec

from enlarger.errors import BadParameter


@dataclass(frozen=True)
class Package:
    """A wheel on the Python index that carries weights."""

    name: str
    version: str
    wheel: str
    """File name of the one wheel that the digest is of."""
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One network: what it is for, what it is, where its weights come from."""

    name: str
    purpose: str
    scale: int
    """Output pixels per input pixel along one axis."""
    halo_px: int
    """Pixels of input that a tile needs around it."""
    exact: bool
    """Whether tiles with that halo equal the whole picture bit for bit."""
    licence: str
    """SPDX identifier of the weights' own licence."""
    commercial: bool
    """Whether that licence allows commercial use."""
    default: bool
    """Whether it is fetched without being named."""
    source: str
    """Where the authors published it."""
    package: Package
    files: Mapping[str, str]
    """Path inside the wheel to SHA-256, hexadecimal."""

    @property
    def digest(self) -> str:
        """SHA-256 over the files' digests, in the catalogue's order: one name for the weights."""
        return hashlib.sha256("".join(self.files.values()).encode()).hexdigest()


class Catalogue(Mapping[str, Entry]):
    """Networks by name, in the file's order."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Entry:
        """Raises BadParameter, listing the names, where there is no such network."""
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            raise BadParameter(f"model {name!r} is not one of: {known}", param="model") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    @property
    def defaults(self) -> tuple[Entry, ...]:
        """Networks that are fetched without being named."""
        return tuple(entry for entry in self.values() if entry.default)


def parse_catalogue(text: str) -> Catalogue:
    """The catalogue in a TOML text; a field that is missing or unknown is an error."""
    tables = tomllib.loads(text)
    packages = {
        name: msgspec.convert({"name": name, **table}, Package)
        for name, table in tables["packages"].items()
    }
    entries = {}
    for name, table in tables["networks"].items():
        package = packages[table["package"]]
        entries[name] = Entry(**{**table, "name": name, "package": package})
    return Catalogue(entries)


@cache
def known_networks() -> Catalogue:
    """The networks that this version of Enlarger knows."""
    return parse_catalogue(resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8"))
