"""Use cases of assets: pictures that a workspace keeps, whichever door they came by."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from enlarger.accounts import Act, Caller
from enlarger.assets import Asset, AssetFilter, AssetOrder, AssetPage, Assets
from enlarger.database import now_ms
from enlarger.database.threads import in_thread
from enlarger.errors import EnlargerError
from enlarger.imaging import Header
from enlarger.service.discarding import discard
from enlarger.storage import ObjectStore

WEEK_S = 604_800
"""Longest life of a link to an asset; what S3 allows too."""


@dataclass(frozen=True, kw_only=True)
class NewAsset:
    """What a door says of a picture that is to be kept."""

    id: str
    """In the door's own form; no two assets of the installation have the same."""
    door: str
    name: str
    """As the client called it, at most 500 characters."""
    source: str = "upload"
    parent_id: str | None = None
    tags: tuple[str, ...] = ()
    memo: Mapping[str, Any] = field(default_factory=dict)
    """What the door wants to say of it again; plain JSON."""
    keep_ms: int | None = None
    """How long it is kept; None is until it is deleted."""


@dataclass(frozen=True)
class AssetLink:
    """A way to an asset's picture for whoever has it."""

    url: str
    expires_ms: int


def asset_of(new: NewAsset, workspace_id: str, header: Header, size_bytes: int) -> Asset:
    """The asset that `new` is to be, with an object key that nobody has had. Raises BadParameter.

    header  what `Service.examine` said of the picture.
    """
    now = now_ms()
    return Asset(
        id=new.id,
        workspace_id=workspace_id,
        door=new.door,
        object_key=f"ws/{workspace_id}/assets/{uuid.uuid4().hex}.{header.format}",
        name=new.name,
        media_type=f"image/{header.format}",
        size_bytes=size_bytes,
        width=header.width,
        height=header.height,
        source=new.source,
        parent_id=new.parent_id,
        tags=new.tags,
        memo=new.memo,
        created_ms=now,
        updated_ms=now,
        expires_ms=None if new.keep_ms is None else now + new.keep_ms,
    )


class AssetLibrary:
    """Keeps, lists and hands out the assets of a workspace; another workspace's are not found."""

    def __init__(self, engine: sa.Engine, store: ObjectStore) -> None:
        self._assets = Assets(engine)
        self._store = store

    async def add(self, caller: Caller, new: NewAsset, picture: bytes, header: Header) -> Asset:
        """Keep a picture.

        header  what `Service.examine` said of `picture`.

        Raises NotAllowed, BadParameter, AssetExists where the id is taken; then nothing is kept.
        """
        caller.check_may(Act.RUN)
        asset = asset_of(new, caller.workspace.id, header, len(picture))

        def add() -> None:
            # The picture first: an asset without one could not keep its promise.
            self._store.create(asset.object_key, picture)
            try:
                self._assets.add(asset)
            except EnlargerError:
                # And not for what the database raises: its commit may have been done all the same.
                discard(self._store, asset.object_key)
                raise

        await in_thread(add)
        return asset

    async def get(self, caller: Caller, asset_id: str) -> Asset:
        """Raises NotFound, NotAllowed."""
        caller.check_may(Act.READ)
        return await in_thread(lambda: self._assets.get(asset_id, caller.workspace.id))

    async def get_many(self, caller: Caller, asset_ids: Sequence[str]) -> list[Asset]:
        """Those of the assets that there are, in the order asked for. Raises NotAllowed."""
        caller.check_may(Act.READ)
        return await in_thread(lambda: self._assets.get_many(asset_ids, caller.workspace.id))

    async def page(
        self,
        caller: Caller,
        *,
        door: str | None = None,
        tag: str | None = None,
        source: str | None = None,
        choice: AssetFilter = AssetFilter(),  # noqa: B008 (a frozen value)
        limit: int = 50,
        after: str | None = None,
        beyond: tuple[int, str] | None = None,
        order: AssetOrder = AssetOrder.CREATED,
        oldest_first: bool = False,
    ) -> AssetPage:
        """The workspace's assets, the latest first; see `Assets.page`."""
        caller.check_may(Act.READ)
        workspace_id = caller.workspace.id
        return await in_thread(
            lambda: self._assets.page(
                workspace_id,
                door=door,
                tag=tag,
                source=source,
                choice=choice,
                limit=limit,
                after=after,
                beyond=beyond,
                order=order,
                oldest_first=oldest_first,
            )
        )

    async def change(self, caller: Caller, asset_id: str, edit: Callable[[Asset], Asset]) -> Asset:
        """Change an asset's name, tags or memo, see `Assets.change`.

        Raises NotFound, NotAllowed, BadParameter.
        """
        caller.check_may(Act.RUN)
        return await in_thread(lambda: self._assets.change(asset_id, caller.workspace.id, edit))

    async def remove(self, caller: Caller, asset_ids: Sequence[str]) -> list[Asset]:
        """Delete assets with their pictures; returns those that there were. Raises NotAllowed."""
        caller.check_may(Act.RUN)

        def remove() -> list[Asset]:
            removed = self._assets.remove(asset_ids, caller.workspace.id)
            discard(self._store, *(asset.object_key for asset in removed))
            return removed

        return await in_thread(remove)

    async def read(self, asset: Asset) -> bytes:
        """The asset's picture. Raises NotFound if it has gone meanwhile."""
        return await in_thread(lambda: self._store.read(asset.object_key))

    async def links(
        self, assets: Sequence[Asset], base_url: str, *, within_s: int = WEEK_S
    ) -> list[AssetLink]:
        """A link to each asset's picture.

        base_url  scheme and host that the caller reached us at, for links where no other is set.
        within_s  how long they live, 1 to 604800; none outlives its asset by more than a second.
        """

        def make() -> list[AssetLink]:
            now = now_ms()
            made = []
            for asset in assets:
                left_s = within_s
                if asset.expires_ms is not None:
                    left_s = max(1, min(within_s, (asset.expires_ms - now) // 1000))
                url = self._store.signed_url(
                    asset.object_key,
                    expires_in_s=left_s,
                    file_name=asset.name,
                    content_type=asset.media_type,
                    base_url=base_url,
                )
                made.append(AssetLink(url, now + 1000 * left_s))
            return made

        return await in_thread(make)
