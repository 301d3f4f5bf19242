"""`/api/assets`: pictures that a caller uploads, to name them in a feature's request."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from enlarger.accounts import Caller
from enlarger.assets import Asset
from enlarger.dialects.body import (
    BadField,
    PayloadTooLarge,
    announced_bytes,
    read_form,
    read_json,
    read_object,
)
from enlarger.dialects.onemin.callers import TeamId, caller_of, now_ms
from enlarger.dialects.onemin.errors import naming
from enlarger.dialects.onemin.json_body import FIELDS_BYTES
from enlarger.dialects.onemin.keys import name_in, upload_key
from enlarger.dialects.onemin.schemas import ASSET_BODY, ERRORS, AssetResponse
from enlarger.dialects.origin import base_of
from enlarger.errors import AssetExists, NotFound, PictureTooLarge
from enlarger.service import Service
from enlarger.service.assets import NewAsset

DOOR = "onemin"
FILE_LIMIT_BYTES = 50 * 2**20
"""The vendor's 50 MB, read in favour of the caller."""
FORM_LIMIT_BYTES = FILE_LIMIT_BYTES + 2**20
"""With what a form has around its file."""
NAME_MAX = 500
KEEP_MS = 30 * 86_400_000
"""There is no route to delete an asset, so each goes by itself."""
MOMENTS = 100
"""How many milliseconds to try for uploads of one name at one time."""


@dataclass(frozen=True)
class Upload:
    """A picture that came in, by whatever way."""

    field: str
    """Of the request, for errors."""
    name: str
    """As the client called it."""
    picture: bytes


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(tags=["Assets"], responses=ERRORS)

    @router.post(
        "/api/assets",
        operation_id="uploadAsset",
        summary="Upload a picture",
        response_model=AssetResponse,
        openapi_extra=ASSET_BODY,
    )
    async def upload_asset(request: Request) -> Response:
        return await keep(service, request, await caller_of(service, request))

    @router.post(
        "/teams/{teamId}/assets",
        operation_id="uploadTeamAsset",
        summary="The same, as the web client asks for it",
        response_model=AssetResponse,
        openapi_extra=ASSET_BODY,
    )
    async def upload_team_asset(request: Request, team_id: TeamId) -> Response:
        return await keep(service, request, await caller_of(service, request, team_id))

    return router


async def keep(service: Service, request: Request, caller: Caller) -> Response:
    """Keep the picture that a request brings or names."""
    is_json = request.headers.get("content-type", "").lower().startswith("application/json")
    way = _named(service, request, caller) if is_json else _sent(service, request)
    async with way as upload:
        with naming(upload.field):
            header = await service.examine(upload.picture)
        digest = await asyncio.to_thread(_digest, upload.picture)
        for moment_ms in range(now := now_ms(), now + MOMENTS):
            new = NewAsset(
                id=upload_key(moment_ms, upload.name),
                door=DOOR,
                name=upload.name,
                memo={"uuid": str(uuid.uuid4())},
                keep_ms=KEEP_MS,
            )
            try:
                asset = await service.assets.add(caller, new, upload.picture, header)
                break
            except AssetExists:
                continue
        else:
            raise AssetExists
    [link] = await service.assets.links([asset], base_of(request))
    body = _shown(caller, asset, str(header.format), link.url, digest)
    return Response(msgspec.json.encode(body), media_type="application/json")


@contextlib.asynccontextmanager
async def _sent(service: Service, request: Request) -> AsyncIterator[Upload]:
    """The file of a form, with room for it."""
    async with service.admit(announced_bytes(request.headers, FORM_LIMIT_BYTES)):
        async with read_form(request, FORM_LIMIT_BYTES) as form:
            upload = await _file(form)
        yield upload


async def _file(form: FormData) -> Upload:
    part = form.get("asset")
    if part is None or part == "":
        raise BadField("asset", "is required")
    if not isinstance(part, UploadFile):
        raise BadField("asset", "must be a file, sent with a filename")
    name = part.filename or "image"
    if len(name) > NAME_MAX:
        raise BadField("asset", f"its name has {len(name)} characters; it must have at most {NAME_MAX}")
    if (part.size or 0) > FILE_LIMIT_BYTES:
        raise PayloadTooLarge(FILE_LIMIT_BYTES)
    # From the temporary file at once: the only copy in memory.
    picture = await part.read()
    if not picture:
        raise BadField("asset", "is empty")
    return Upload("asset", name, picture)


@contextlib.asynccontextmanager
async def _named(service: Service, request: Request, caller: Caller) -> AsyncIterator[Upload]:
    """The picture behind a URL, with room for it."""
    async with service.admit(announced_bytes(request.headers, FIELDS_BYTES)):
        fields = read_object(await read_json(request, FIELDS_BYTES))
    url = fields.get("fileUrl")
    if url is None:
        raise BadField("fileUrl", "is required")
    if not isinstance(url, str):
        raise BadField("fileUrl", "must be text")
    async with picture_at(service, caller, url, "fileUrl", FILE_LIMIT_BYTES) as (name, picture):
        yield Upload("fileUrl", name[-NAME_MAX:], picture)


@contextlib.asynccontextmanager
async def picture_at(
    service: Service, caller: Caller, url: str, field: str, max_bytes: int
) -> AsyncIterator[tuple[str, bytes]]:
    """The name and the bytes of the picture behind a URL, with room for them while the block runs.

    Raises NotFound, BadParameter, PictureTooLarge, BusyError.
    """
    try:
        linked = await service.linked.find(caller, url)
    except NotFound as error:
        error.param = field
        raise
    if linked is not None:
        check_bytes(linked.size_bytes, max_bytes, field)
        async with service.admit(linked.size_bytes):
            yield linked.file_name, await service.linked.read(linked)
        return
    with service.fetching(caller, param=field):
        # How much is behind it is not known before.
        async with service.admit(max_bytes):
            picture = await service.fetch(url, max_bytes=max_bytes, param=field)
            yield name_in(url), picture


def check_bytes(size_bytes: int, max_bytes: int, field: str) -> None:
    """Raise PictureTooLarge for a kept picture that is larger than its use allows."""
    if size_bytes > max_bytes:
        raise PictureTooLarge(
            f"the picture has {size_bytes} bytes; at most {max_bytes} are taken", param=field
        )


def _digest(picture: bytes) -> str:
    """An object's `etag` as S3 gives it; it protects nothing."""
    return hashlib.md5(picture, usedforsecurity=False).hexdigest()


def _shown(caller: Caller, asset: Asset, kind: str, url: str, digest: str) -> dict[str, Any]:
    """An asset on the wire."""
    return {
        "asset": {
            "fieldname": "asset",
            "originalname": asset.name,
            "encoding": "7bit",
            "mimetype": asset.media_type,
            "size": asset.size_bytes,
            "bucket": "asset.1min.ai",
            "key": asset.id,
            "acl": "private",
            "contentType": "application/octet-stream",
            "contentDisposition": None,
            "contentEncoding": None,
            "storageClass": "STANDARD",
            "serverSideEncryption": None,
            "metadata": {
                "team-id": caller.workspace.id,
                "user-id": caller.key_id,
                "fieldname": "asset",
                "originalname": asset.name,
                "encoding": "7bit",
                "mimetype": asset.media_type,
            },
            "location": url,
            "etag": f'"{digest}"',
        },
        "fileContent": {
            "uuid": asset.memo["uuid"],
            "path": asset.id,
            "type": kind,
            "name": asset.name,
            "size": asset.size_bytes,
        },
    }
