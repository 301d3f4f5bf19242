"""Assets in Scenario's form, and new assets of this door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enlarger.accounts import Caller
from enlarger.assets import Asset
from enlarger.dialects.scenario.ids import new_id
from enlarger.errors import EnlargerError
from enlarger.imaging import Header
from enlarger.moment import zulu_of
from enlarger.service import AssetLink, NewAsset, Service

DOOR = "scenario"
UPLOADED = "uploaded"
"""The source of what a client sent."""
SOURCES = (UPLOADED, "upscale", "upscale-skybox", "upscale-texture")
"""Sources of assets of this door, which are the types of their metadata too."""
OTHERS = {"upload": UPLOADED}
"""Sources of other doors' assets, in this door's words."""
AUTHOR, METADATA, DESCRIPTION, HIDDEN = "author", "metadata", "description", "isHidden"
"""Members of an asset's memo: the key that made it, what its metadata says beside its size."""


def new_asset(
    caller: Caller, name: str, *, parent: Asset | None = None, is_hidden: bool = False, **more: Any
) -> NewAsset:
    """What is kept of a picture that a caller sends.

    parent  the asset that it was made from.
    more    further members of its metadata.
    """
    metadata = ancestry_of(parent) | more
    return NewAsset(
        id=new_id("asset"),
        door=DOOR,
        name=name,
        source=UPLOADED,
        parent_id=None if parent is None else parent.id,
        memo=memo_of(caller, metadata, is_hidden=is_hidden),
    )


def copy_of(caller: Caller, asset: Asset) -> NewAsset:
    """What is kept of a copy: all that is said of the asset, whose child it is."""
    memo = asset.memo if asset.door == DOOR else {}
    metadata = {**memo.get(METADATA, {}), **ancestry_of(asset)}
    said = {DESCRIPTION: asset.memo[DESCRIPTION]} if DESCRIPTION in asset.memo else {}
    return NewAsset(
        id=new_id("asset"),
        door=DOOR,
        name=asset.name,
        source=_source_of(asset),
        parent_id=asset.id,
        tags=asset.tags,
        memo=memo_of(caller, metadata, is_hidden=bool(memo.get(HIDDEN))) | said,
    )


def memo_of(caller: Caller, metadata: Mapping[str, Any], *, is_hidden: bool = False) -> dict[str, Any]:
    """What is kept with an asset for `asset_of`."""
    return {AUTHOR: caller.key_id, METADATA: dict(metadata), HIDDEN: is_hidden}


def ancestry_of(parent: Asset | None) -> dict[str, Any]:
    """`parentId` and `rootParentId` of what is made from an asset."""
    if parent is None:
        return {}
    said = parent.memo.get(METADATA, {}) if parent.door == DOOR else {}
    root = said.get("rootParentId", parent.id)
    return {"parentId": parent.id, "rootParentId": root}


def asset_of(asset: Asset, link: AssetLink) -> dict[str, Any]:
    """An asset on the wire. Its `url` opens the very file that was uploaded or made."""
    memo = asset.memo if asset.door == DOOR else {}
    source = _source_of(asset)
    metadata = {
        "kind": "image",
        "type": source,
        "name": asset.name,
        "width": asset.width,
        "height": asset.height,
        **memo.get(METADATA, {}),
    }
    shown = {
        "id": asset.id,
        "authorId": memo.get(AUTHOR, asset.workspace_id),
        "ownerId": asset.workspace_id,
        "collectionIds": [],
        "createdAt": zulu_of(asset.created_ms),
        "updatedAt": zulu_of(asset.updated_ms),
        "editCapabilities": ["UPSCALE"],
        "kind": "image",
        "metadata": metadata,
        "mimeType": asset.media_type,
        "privacy": "private",
        "properties": {"size": asset.size_bytes, "width": asset.width, "height": asset.height},
        "source": source,
        "status": "success",
        "tags": list(asset.tags),
        "url": link.url,
        "nsfw": [],
        "isHidden": bool(memo.get(HIDDEN)),
    }
    if asset.job_id is not None:
        shown["outputIndex"] = 0
    if isinstance(description := asset.memo.get(DESCRIPTION), str) and description:
        shown["description"] = description
    return shown


def _source_of(asset: Asset) -> str:
    """Where an asset comes from, in this door's words."""
    return asset.source if asset.source in SOURCES else OTHERS.get(asset.source, "unknown")


async def show(service: Service, assets: Sequence[Asset], base_url: str) -> list[dict[str, Any]]:
    """Assets on the wire, each with a link that lives a week."""
    links = await service.assets.links(assets, base_url)
    return [asset_of(asset, link) for asset, link in zip(assets, links, strict=True)]


async def keep(
    service: Service, caller: Caller, new: NewAsset, picture: bytes, field: str = "image"
) -> Asset:
    """Keep a picture that a caller sent as `field`. Raises what `examine` does, BadParameter."""
    return await service.assets.add(caller, new, picture, await examine(service, picture, field))


async def examine(service: Service, picture: bytes, field: str) -> Header:
    """A picture's format and size. Raises UnsupportedPicture, PictureTooLarge, naming `field`."""
    try:
        return await service.examine(picture)
    except EnlargerError as error:
        error.param = field
        raise
