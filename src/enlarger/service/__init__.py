"""The use cases: the only door that dialects and pages go through."""

from enlarger.service.answers import Pending
from enlarger.service.assets import AssetLibrary, AssetLink, NewAsset
from enlarger.service.service import Limits, Service, Standing

__all__ = ["AssetLibrary", "AssetLink", "Limits", "NewAsset", "Pending", "Service", "Standing"]
