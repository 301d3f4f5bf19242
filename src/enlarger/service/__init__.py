"""The use cases: the only door that dialects and pages go through."""

from enlarger.service.answers import Pending
from enlarger.service.assets import AssetLibrary, AssetLink, NewAsset
from enlarger.service.linked import Linked, LinkedPictures
from enlarger.service.service import Limits, Service, Standing
from enlarger.service.submitting import Variant
from enlarger.service.uploads import NewUpload, PartLink, Uploading

__all__ = [
    "AssetLibrary",
    "AssetLink",
    "Limits",
    "Linked",
    "LinkedPictures",
    "NewAsset",
    "NewUpload",
    "PartLink",
    "Pending",
    "Service",
    "Standing",
    "Uploading",
    "Variant",
]
