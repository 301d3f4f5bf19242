"""Which networks exist, where their weights are, under which licence, and how they are read.

A new network is a table in `catalogue.toml`; a new weights format is a module in `loaders`.
"""

from enlarger.models.catalogue import (
    Asset,
    AssetCatalogue,
    Catalogue,
    Entry,
    Package,
    known_assets,
    known_networks,
)
from enlarger.models.network import Network
from enlarger.models.store import ModelStore

__all__ = [
    "Asset",
    "AssetCatalogue",
    "Catalogue",
    "Entry",
    "ModelStore",
    "Network",
    "Package",
    "known_assets",
    "known_networks",
]
