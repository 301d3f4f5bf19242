"""Pictures that a workspace keeps under a name: what it uploaded, and results that stay until deleted."""

from enlarger.assets.assets import Asset, AssetFilter, AssetOrder, AssetPage, Assets, insert
from enlarger.assets.uploads import Part, Upload, Uploads, UploadState

__all__ = [
    "Asset",
    "AssetFilter",
    "AssetOrder",
    "AssetPage",
    "Assets",
    "Part",
    "Upload",
    "UploadState",
    "Uploads",
    "insert",
]
