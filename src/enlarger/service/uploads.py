"""Use cases of uploads: pictures that arrive in parts, by signed links, and become assets."""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import sqlalchemy as sa

from enlarger.accounts import Act, Caller
from enlarger.assets import Asset, Part, Upload, Uploads, UploadState
from enlarger.assets.assets import NAME_MAX
from enlarger.database import now_ms
from enlarger.database.threads import in_thread
from enlarger.errors import BadParameter, BusyError, EnlargerError, LinkRefused, NotFound, UsageError
from enlarger.imaging import Header
from enlarger.service.assets import NewAsset, asset_of
from enlarger.service.discarding import discard
from enlarger.storage import Links, ObjectStore

MAX_UPLOAD_BYTES = 100 * 2**20
"""Of one picture. A PNG photograph of 50 megapixels, the largest input by default, has about 75 MiB, and
the parts are joined in memory."""
MAX_PARTS = 100
MAX_PENDING = 20
"""Uploads that a workspace may have under way: with the limit above, 2 GiB of parts."""
LIFETIME_MS = 86_400_000
"""An upload goes a day after it was begun, and its parts with it."""
MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+_-]{1,49}/[A-Za-z0-9.+_-]{1,49}")
LINK_KEY = re.compile(r"uploads/([A-Za-z0-9_-]{1,80})/([1-9][0-9]{0,2})")


@dataclass(frozen=True, kw_only=True)
class NewUpload:
    """What a door says of an upload that begins."""

    id: str
    """In the door's own form, of letters, digits, `_` and `-`, at most 80; nobody has had it before."""
    asset: NewAsset
    """What is to become of it."""
    file_name: str
    """As the client called it, at most 500 characters."""
    media_type: str
    """As the client announced it; the picture's bytes say what it is."""
    size_bytes: int
    """Of all parts together."""
    part_count: int


@dataclass(frozen=True)
class PartLink:
    """Where a part goes to, for whoever has the link."""

    number: int
    url: str
    expires_ms: int


class Uploading:
    """Takes pictures that arrive in parts; another workspace's are not found."""

    def __init__(
        self,
        engine: sa.Engine,
        store: ObjectStore,
        links: Links,
        *,
        examine: Callable[[bytes], Awaitable[Header]],
        admit: Callable[[int], AbstractAsyncContextManager[None]],
    ) -> None:
        """
        links    that sign where parts go to; they come to this server, whatever the store is.
        examine  `Service.examine`.
        admit    `Service.admit`: joining takes the room of a body.
        """
        self._uploads = Uploads(engine)
        self._store = store
        self._links = links
        self._examine = examine
        self._admit = admit

    async def begin(self, caller: Caller, new: NewUpload) -> Upload:
        """Expect the parts of a picture. Raises NotAllowed, BadParameter, TooManyUploads."""
        caller.check_may(Act.RUN)
        _check(new)
        upload = _upload(caller, new)
        await in_thread(lambda: self._uploads.begin(upload, MAX_PENDING))
        return upload

    async def get(self, caller: Caller, upload_id: str) -> Upload:
        """The upload as it stands. Raises NotFound, NotAllowed."""
        caller.check_may(Act.READ)
        return await in_thread(lambda: self._uploads.get(upload_id, caller.workspace.id))

    async def links(self, upload: Upload, base_url: str) -> list[PartLink]:
        """Where each part goes to, until the upload expires; nothing once the upload has ended.

        base_url  scheme and host that the caller reached us at, for links where no other is set.
        """
        left_s = (upload.expires_ms - now_ms()) // 1000
        if upload.state is not UploadState.PENDING or left_s < 1:
            return []

        def make(number: int) -> PartLink:
            url = self._links.make(
                f"uploads/{upload.id}/{number}",
                expires_in_s=left_s,
                file_name=str(number),
                content_type=upload.media_type,
                base_url=base_url,
                method="PUT",
            )
            return PartLink(number, url, upload.expires_ms)

        return await in_thread(lambda: [make(number) for number in range(1, upload.part_count + 1)])

    async def expected(self, key: str, query: bytes) -> tuple[Upload, int]:
        """The upload and the number of the part that a signed link takes.

        key, query  of the link, as the client sent them.

        Raises LinkRefused before anything else is looked at, NotFound once the upload has ended.
        """

        def look() -> tuple[Upload, int]:
            self._links.verify("PUT", key, query)
            match = LINK_KEY.fullmatch(key)
            if match is None:
                raise LinkRefused
            upload = self._uploads.get(match[1], None)
            if upload.state is not UploadState.PENDING:
                raise NotFound(f"the upload {upload.id} has ended; it takes no parts any longer")
            if int(match[2]) > upload.part_count:
                raise NotFound(f"the upload {upload.id} has {upload.part_count} parts")
            return upload, int(match[2])

        return await in_thread(look)

    async def put(self, upload: Upload, number: int, source: Path, size_bytes: int) -> None:
        """Take a part, in place of the one that was sent before under this number.

        source  its bytes; the file may go afterwards, but not change.

        Raises NotFound if the upload has ended meanwhile, PictureTooLarge if the part is larger than
        what the others leave of the announced size; then nothing of it is kept.
        """
        # A key for each time: an object is written once.
        part = Part(number, f"ws/{upload.workspace_id}/uploads/{uuid.uuid4().hex}", size_bytes)

        def take() -> None:
            self._store.create(part.object_key, source)
            try:
                former = self._uploads.put(upload.id, part)
            except EnlargerError:
                discard(self._store, part.object_key)
                raise
            if former is not None:
                discard(self._store, former)

        await in_thread(take)

    async def complete(self, caller: Caller, upload_id: str) -> Upload:
        """Join the parts and make the asset; the upload as it stands then.

        An upload that has ended stays as it is, and so does one whose parts are not all here: raises
        BadParameter, NotFound, NotAllowed. What is no picture that we take makes it fail: that is
        returned and not raised, and its parts are gone.
        """
        caller.check_may(Act.RUN)
        upload = await self.get(caller, upload_id)
        if upload.state is not UploadState.PENDING:
            return upload
        _check_parts(upload)
        async with self._admit(upload.size_bytes):
            return await self._finish(upload, await in_thread(lambda: self._join(upload)))

    async def take(self, caller: Caller, new: NewUpload, picture: bytes) -> Upload:
        """Make the asset of a picture that came whole, as an upload that is done.

        new  whose sizes and type do not count: they are the picture's.

        Raises NotAllowed, BadParameter, UnsupportedPicture, PictureTooLarge, AssetExists; then
        nothing is kept.
        """
        caller.check_may(Act.RUN)
        header = await self._examine(picture)
        asset = asset_of(new.asset, caller.workspace.id, header, len(picture))
        upload = replace(
            _upload(caller, new),
            state=UploadState.IMPORTED,
            part_count=0,
            media_type=asset.media_type,
            size_bytes=asset.size_bytes,
        )

        def add() -> None:
            self._store.create(asset.object_key, picture)
            try:
                self._uploads.add_imported(upload, asset)
            except EnlargerError:
                discard(self._store, asset.object_key)
                raise

        await in_thread(add)
        return upload

    def _join(self, upload: Upload) -> bytes:
        whole = io.BytesIO()
        try:
            for part in upload.parts:
                whole.write(self._store.read(part.object_key))
        except NotFound:
            raise BusyError(
                "a part is being sent again; complete the upload when that is done", retry_after_s=1
            ) from None
        return whole.getvalue()

    async def _finish(self, upload: Upload, picture: bytes) -> Upload:
        end: Asset | EnlargerError
        try:
            end = _asset(upload, await self._examine(picture), len(picture))
        except UsageError as error:
            end = error

        def finish() -> Upload:
            if isinstance(end, Asset):
                # The picture first: an asset without one could not keep its promise.
                self._store.create(end.object_key, picture)
            try:
                ended, left = self._uploads.finish(upload, end)
            except EnlargerError:
                if isinstance(end, Asset):
                    discard(self._store, end.object_key)
                raise
            discard(self._store, *left)
            return ended

        return await in_thread(finish)


def _check(new: NewUpload) -> None:
    """Raise BadParameter for what no upload may be."""
    for param, value, most in (
        ("size_bytes", new.size_bytes, MAX_UPLOAD_BYTES),
        ("parts", new.part_count, min(MAX_PARTS, new.size_bytes)),
    ):
        if not 1 <= value <= most:
            raise BadParameter(f"{param} is {value}; it must be 1 to {most}", param=param)
    for param, text in (("file_name", new.file_name), ("name", new.asset.name)):
        if len(text) > NAME_MAX:
            raise BadParameter(
                f"{param} has {len(text)} characters; it must have at most {NAME_MAX}", param=param
            )
    if not MEDIA_TYPE.fullmatch(new.media_type):
        raise BadParameter(
            "media_type must be like image/png, each half at most 49 characters", param="media_type"
        )


def _check_parts(upload: Upload) -> None:
    """Raise BadParameter unless all that was announced is here."""
    if upload.missing:
        numbers = ", ".join(map(str, upload.missing))
        raise BadParameter(f"these parts have not been sent: {numbers}", param="parts")
    sent = sum(part.size_bytes for part in upload.parts)
    if sent != upload.size_bytes:
        raise BadParameter(
            f"the parts have {sent} bytes in all; {upload.size_bytes} were announced", param="parts"
        )


def _upload(caller: Caller, new: NewUpload) -> Upload:
    now = now_ms()
    return Upload(
        id=new.id,
        workspace_id=caller.workspace.id,
        door=new.asset.door,
        file_name=new.file_name,
        media_type=new.media_type,
        size_bytes=new.size_bytes,
        part_count=new.part_count,
        asset=asdict(new.asset) | {"tags": list(new.asset.tags)},
        created_ms=now,
        updated_ms=now,
        expires_ms=now + LIFETIME_MS,
    )


def _asset(upload: Upload, header: Header, size_bytes: int) -> Asset:
    new = NewAsset(**{**upload.asset, "tags": tuple(upload.asset["tags"])})
    return asset_of(new, upload.workspace_id, header, size_bytes)
