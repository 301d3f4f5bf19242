"""The assets table. The pictures themselves are in the object store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from enlarger.assets.tables import ASSETS
from enlarger.database import now_ms, write
from enlarger.database.memos import Wanted, holds, says
from enlarger.errors import AssetExists, BadParameter, NotFound

NAME_MAX = 500
LIMIT_MAX = 200
TAGS_MAX = 100
TAG_MAX = 100


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One picture that is kept. Times are milliseconds since 1970."""

    id: str
    """In the terms of the door that made it."""
    workspace_id: str
    door: str
    object_key: str
    name: str
    """As the client called it, at most 500 characters; never part of a path."""
    media_type: str
    size_bytes: int
    width: int
    height: int
    source: str
    """`upload`, or the kind of job that made it."""
    job_id: str | None = None
    parent_id: str | None = None
    """The asset that it was made from."""
    tags: tuple[str, ...] = ()
    memo: Mapping[str, Any] = field(default_factory=dict)
    """What the door wants to say of it again."""
    created_ms: int = field(default_factory=now_ms)
    updated_ms: int = field(default_factory=now_ms)
    expires_ms: int | None = None
    """When it goes by itself; None is never."""

    def __post_init__(self) -> None:
        if len(self.name) > NAME_MAX:
            raise BadParameter(
                f"name has {len(self.name)} characters; it must have at most {NAME_MAX}", param="name"
            )


class AssetOrder(StrEnum):
    """By which time assets are listed; the words are the columns' names."""

    CREATED = "created_ms"
    UPDATED = "updated_ms"
    """An asset that is changed while a list is read moves in it, and may come twice or not at all."""

    def place(self, asset: Asset) -> tuple[int, str]:
        """Where an asset stands in a list."""
        return getattr(asset, self), asset.id


@dataclass(frozen=True, kw_only=True)
class AssetFilter:
    """Which of a workspace's assets; every field narrows, None does not."""

    sources: tuple[str, ...] | None = None
    parent_id: str | None = None
    tags: tuple[str, ...] = ()
    """All of them."""
    created_after_ms: int | None = None
    created_before_ms: int | None = None
    updated_after_ms: int | None = None
    updated_before_ms: int | None = None
    memo: Wanted = field(default_factory=dict)
    """What the door wrote beside it."""

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """The same for the database."""
        found: list[sa.ColumnElement[bool]] = [says(ASSETS.c.memo, self.memo), *map(_has_tag, self.tags)]
        if self.sources is not None:
            found.append(ASSETS.c.source.in_(self.sources))
        if self.parent_id is not None:
            found.append(ASSETS.c.parent_id == self.parent_id)
        if self.created_after_ms is not None:
            found.append(ASSETS.c.created_ms > self.created_after_ms)
        if self.created_before_ms is not None:
            found.append(ASSETS.c.created_ms < self.created_before_ms)
        if self.updated_after_ms is not None:
            found.append(ASSETS.c.updated_ms > self.updated_after_ms)
        if self.updated_before_ms is not None:
            found.append(ASSETS.c.updated_ms < self.updated_before_ms)
        return found


@dataclass(frozen=True)
class AssetPage:
    """Assets in their order, and whether there are more beyond the last of them."""

    assets: tuple[Asset, ...]
    has_more: bool


def insert(connection: sa.Connection, asset: Asset) -> None:
    """Add an asset whose picture is in the object store, in the caller's transaction."""
    row = asdict(asset) | {"tags": json.dumps(asset.tags), "memo": json.dumps(asset.memo)}
    connection.execute(ASSETS.insert().values(**row))


class Assets:
    """Assets in the database. Every call is one short transaction; all are of one workspace at a time."""

    def __init__(self, engine: sa.Engine, clock_ms: Callable[[], int] = now_ms) -> None:
        self._engine = engine
        self._clock_ms = clock_ms

    def add(self, asset: Asset) -> None:
        """Add an asset whose picture is in the object store. Raises AssetExists if its id is taken."""
        try:
            with write(self._engine) as connection:
                insert(connection, asset)
        except sa.exc.IntegrityError as error:
            raise AssetExists(f"there is an asset {asset.id} already") from error

    def get(self, asset_id: str, workspace_id: str) -> Asset:
        """Raises NotFound, also for an asset of another workspace and for one whose time is over."""
        found = self.get_many([asset_id], workspace_id)
        if not found:
            raise NotFound(f"there is no asset {asset_id}")
        return found[0]

    def get_many(self, asset_ids: Sequence[str], workspace_id: str) -> list[Asset]:
        """Those of the assets that there are, in the order asked for."""
        query = sa.select(ASSETS).where(self._living(workspace_id), ASSETS.c.id.in_(asset_ids))
        with self._engine.connect() as connection:
            found = {row.id: _asset(row) for row in connection.execute(query)}
        return [found[asset_id] for asset_id in asset_ids if asset_id in found]

    def page(
        self,
        workspace_id: str,
        *,
        door: str | None = None,
        tag: str | None = None,
        source: str | None = None,
        choice: AssetFilter = AssetFilter(),
        limit: int = 50,
        after: str | None = None,
        beyond: tuple[int, str] | None = None,
        order: AssetOrder = AssetOrder.CREATED,
        oldest_first: bool = False,
    ) -> AssetPage:
        """One page of a workspace's assets, the latest first.

        limit   1 to 200; outside it counts as the nearer end.
        after   id of the last asset of the page before. It may have been deleted since only if it was not
                the last one: raises NotFound otherwise.
        beyond  the same as its place, `AssetOrder.place`, and it need not be there any longer.
        """
        query = sa.select(ASSETS).where(self._living(workspace_id), *choice.conditions)
        if door is not None:
            query = query.where(ASSETS.c.door == door)
        if source is not None:
            query = query.where(ASSETS.c.source == source)
        if tag is not None:
            query = query.where(_has_tag(tag))
        if after is not None:
            beyond = order.place(self.get(after, workspace_id))
        keys = (ASSETS.c[order], ASSETS.c.id)
        place = sa.tuple_(*keys)
        if beyond is not None:
            end = sa.tuple_(*map(sa.literal, beyond))
            query = query.where(place > end if oldest_first else place < end)
        count = max(1, min(limit, LIMIT_MAX))
        query = query.order_by(*(key if oldest_first else key.desc() for key in keys)).limit(count + 1)
        with self._engine.connect() as connection:
            assets = tuple(_asset(row) for row in connection.execute(query))
        return AssetPage(assets[:count], len(assets) > count)

    def change(self, asset_id: str, workspace_id: str, edit: Callable[[Asset], Asset]) -> Asset:
        """Change an asset's name, tags or memo; two changes at once come one after the other.

        edit  makes of the asset as it stands the one that it is to be, called while nobody else can
              change it: no file, no network inside. What it raises leaves the asset as it was.

        Raises NotFound, BadParameter.
        """
        query = sa.select(ASSETS).where(self._living(workspace_id), ASSETS.c.id == asset_id)
        with write(self._engine) as connection:
            # SQLite's transaction is the only writer already.
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise NotFound(f"there is no asset {asset_id}")
            edited = edit(_asset(row))
            tags = tuple(dict.fromkeys(edited.tags))
            if len(tags) > TAGS_MAX or any(not 0 < len(word) <= TAG_MAX for word in tags):
                raise BadParameter(
                    f"tags must be at most {TAGS_MAX} words of 1 to {TAG_MAX} characters", param="tags"
                )
            changed = replace(edited, tags=tags, updated_ms=self._clock_ms())
            connection.execute(
                ASSETS.update()
                .where(ASSETS.c.id == asset_id)
                .values(
                    name=changed.name,
                    tags=json.dumps(changed.tags),
                    memo=json.dumps(changed.memo),
                    updated_ms=changed.updated_ms,
                )
            )
        return changed

    def remove(self, asset_ids: Sequence[str], workspace_id: str) -> list[Asset]:
        """Forget assets; returns those that there were, whose pictures are the caller's to delete."""
        statement = ASSETS.delete().where(ASSETS.c.workspace_id == workspace_id, ASSETS.c.id.in_(asset_ids))
        with write(self._engine) as connection:
            return [_asset(row) for row in connection.execute(statement.returning(ASSETS))]

    def _living(self, workspace_id: str) -> sa.ColumnElement[bool]:
        is_in_time = sa.or_(ASSETS.c.expires_ms.is_(None), ASSETS.c.expires_ms > self._clock_ms())
        return sa.and_(ASSETS.c.workspace_id == workspace_id, is_in_time)


def _has_tag(tag: str) -> sa.ColumnElement[bool]:
    # As JSON writes it, so that a tag is found whole and with its quotes.
    return holds(ASSETS.c.tags, json.dumps(tag))


def _asset(row: sa.Row[Any]) -> Asset:
    values = dict(row._mapping)
    return Asset(**values | {"tags": tuple(json.loads(row.tags)), "memo": json.loads(row.memo)})
