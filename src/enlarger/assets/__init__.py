"""Pictures that a workspace keeps under a name: what it uploaded, and results that stay until deleted."""

from enlarger.assets.assets import Asset, AssetFilter, AssetPage, Assets, insert
from enlarger.assets.uploads import Part, Upload, Uploads, UploadState

__all__ = [
    "Asset",
    "AssetFilter",
    "AssetPage",
    "Assets",
    "Part",
    "Upload",
    "UploadState",
    "Uploads",
    "insert",
]
