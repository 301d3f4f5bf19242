"""The tables of uploads: pictures that arrive in parts. The parts themselves are in the object store."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from enlarger.assets.assets import Asset, insert
from enlarger.assets.tables import UPLOAD_PARTS, UPLOADS
from enlarger.database import now_ms, write
from enlarger.errors import AssetExists, EnlargerError, NotFound, PictureTooLarge, TooManyUploads

WORKSPACES = sa.table("workspaces", sa.column("id"))


class UploadState(StrEnum):
    """How an upload stands."""

    PENDING = "pending"
    """Parts may come."""
    IMPORTED = "imported"
    """There is an asset of it; the parts are gone."""
    FAILED = "failed"
    """It was no picture that we take; the parts are gone."""


@dataclass(frozen=True)
class Part:
    """A part that has come."""

    number: int
    """1 or more."""
    object_key: str
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A picture that arrives in parts. Times are milliseconds since 1970."""

    id: str
    """In the terms of the door that began it."""
    workspace_id: str
    door: str
    file_name: str
    """As the client called it; never part of a path."""
    media_type: str
    """As the client announced it; what the picture is, its bytes say."""
    size_bytes: int
    """Of all parts together, as announced."""
    part_count: int
    asset: Mapping[str, Any]
    """What the asset is to be, in the service's terms; plain JSON with its `id`."""
    state: UploadState = UploadState.PENDING
    error_code: str | None = None
    error_message: str | None = None
    """Why it failed; None unless it has."""
    created_ms: int = field(default_factory=now_ms)
    updated_ms: int = field(default_factory=now_ms)
    expires_ms: int
    """When it goes with its parts, whatever its state; an asset that was made of it stays."""
    parts: tuple[Part, ...] = ()
    """Those that have come, by number."""

    @property
    def asset_id(self) -> str:
        """Of the asset that it becomes, or has become."""
        return str(self.asset["id"])

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the parts that have not come."""
        here = {part.number for part in self.parts}
        return tuple(number for number in range(1, self.part_count + 1) if number not in here)

    def room_for(self, number: int) -> int:
        """Most bytes that a part may have: what the others leave of the announced size."""
        return self.size_bytes - sum(part.size_bytes for part in self.parts if part.number != number)

    def too_large(self, number: int) -> PictureTooLarge:
        """What is said of a part that has more bytes than that."""
        return PictureTooLarge(
            f"part {number} may have at most {self.room_for(number)} bytes:"
            f" {self.size_bytes} were announced for all parts",
            param="parts",
        )


class Uploads:
    """Uploads in the database. Every call is one short transaction."""

    def __init__(self, engine: sa.Engine, clock_ms: Callable[[], int] = now_ms) -> None:
        self._engine = engine
        self._clock_ms = clock_ms

    def begin(self, upload: Upload, most_pending: int) -> None:
        """Add an upload that nothing has come of yet.

        most_pending  uploads that a workspace may have under way.

        Raises TooManyUploads.
        """
        pending = sa.select(sa.func.count()).where(
            UPLOADS.c.workspace_id == upload.workspace_id,
            UPLOADS.c.state == UploadState.PENDING,
            UPLOADS.c.expires_ms > self._clock_ms(),
        )
        with write(self._engine) as connection:
            # One at a time counts and adds: two at once would both find room for one.
            connection.execute(
                sa.select(WORKSPACES.c.id)
                .where(WORKSPACES.c.id == upload.workspace_id)
                .with_for_update(key_share=True)
            )
            if connection.scalar(pending) >= most_pending:  # type: ignore[operator]
                raise TooManyUploads(
                    f"the workspace has {most_pending} uploads under way, as many as it may;"
                    " complete some first"
                )
            connection.execute(UPLOADS.insert().values(**_row(upload)))

    def get(self, upload_id: str, workspace_id: str | None) -> Upload:
        """Raises NotFound, also for an upload of another workspace and for one whose time is over.

        workspace_id  None for whoever has a signed link to one of its parts.
        """
        query = sa.select(UPLOADS).where(UPLOADS.c.id == upload_id, UPLOADS.c.expires_ms > self._clock_ms())
        if workspace_id is not None:
            query = query.where(UPLOADS.c.workspace_id == workspace_id)
        with self._engine.connect() as connection:
            return _read(connection, query, upload_id)

    def put(self, upload_id: str, part: Part) -> str | None:
        """Note a part that is in the object store; returns the key of the one that it replaces, if any.

        Raises NotFound if the upload is not pending any longer, PictureTooLarge if the part has more
        bytes than the others leave; then the object is the caller's to delete.
        """
        query = (
            sa.select(UPLOADS)
            .where(
                UPLOADS.c.id == upload_id,
                UPLOADS.c.state == UploadState.PENDING,
                UPLOADS.c.expires_ms > self._clock_ms(),
            )
            .with_for_update()
        )
        its_row = sa.and_(UPLOAD_PARTS.c.upload_id == upload_id, UPLOAD_PARTS.c.number == part.number)
        with write(self._engine) as connection:
            upload = _read(connection, query, upload_id)
            if part.size_bytes > upload.room_for(part.number):
                raise upload.too_large(part.number)
            former = connection.scalar(sa.select(UPLOAD_PARTS.c.object_key).where(its_row))
            connection.execute(UPLOAD_PARTS.delete().where(its_row))
            connection.execute(UPLOAD_PARTS.insert().values(upload_id=upload_id, **asdict(part)))
        return former

    def finish(self, upload: Upload, end: Asset | EnlargerError) -> tuple[Upload, list[str]]:
        """Turn a pending upload into its asset, or say why there is none, and forget its parts.

        end  the asset, whose picture is in the object store; or what is wrong.

        Returns the upload as it stands then, which is another's doing if it had ended before, and
        the keys of objects that nobody speaks of any longer. Raises NotFound, AssetExists.
        """
        values: dict[str, Any] = {"state": UploadState.IMPORTED, "updated_ms": self._clock_ms()}
        if isinstance(end, EnlargerError):
            values |= {"state": UploadState.FAILED, "error_code": end.code, "error_message": end.message}
        is_pending = sa.and_(UPLOADS.c.id == upload.id, UPLOADS.c.state == UploadState.PENDING)
        its_parts = UPLOAD_PARTS.delete().where(UPLOAD_PARTS.c.upload_id == upload.id)
        with _asset_is_new(upload), write(self._engine) as connection:
            left: list[str] = []
            if connection.execute(UPLOADS.update().where(is_pending).values(**values)).rowcount:
                left += connection.scalars(its_parts.returning(UPLOAD_PARTS.c.object_key))
                if isinstance(end, Asset):
                    insert(connection, end)
            elif isinstance(end, Asset):
                left.append(end.object_key)
            return _read(connection, sa.select(UPLOADS).where(UPLOADS.c.id == upload.id), upload.id), left

    def add_imported(self, upload: Upload, asset: Asset) -> None:
        """Add an upload that came whole, with its asset. Raises AssetExists."""
        with _asset_is_new(upload), write(self._engine) as connection:
            connection.execute(UPLOADS.insert().values(**_row(upload)))
            insert(connection, asset)


@contextmanager
def _asset_is_new(upload: Upload) -> Iterator[None]:
    """Raises AssetExists for an asset whose id is taken."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise AssetExists(f"there is an asset {upload.asset_id} already") from error


def _row(upload: Upload) -> dict[str, Any]:
    row = asdict(upload) | {"asset": json.dumps(upload.asset)}
    del row["parts"]
    return row


def _read(connection: sa.Connection, query: sa.Select[Any], upload_id: str) -> Upload:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no upload {upload_id}")
    parts = connection.execute(
        sa.select(UPLOAD_PARTS.c.number, UPLOAD_PARTS.c.object_key, UPLOAD_PARTS.c.size_bytes)
        .where(UPLOAD_PARTS.c.upload_id == upload_id)
        .order_by(UPLOAD_PARTS.c.number)
    )
    values = dict(row._mapping) | {
        "asset": json.loads(row.asset),
        "state": UploadState(row.state),
        "parts": tuple(Part(*part) for part in parts),
    }
    return Upload(**values)
