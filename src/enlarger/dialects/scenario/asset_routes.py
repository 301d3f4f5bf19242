"""`/v1/assets`: keep, list, look at, rename, tag, copy and delete pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from enlarger.accounts import Act
from enlarger.assets import Asset
from enlarger.dialects.body import announced_bytes, read_json, read_object
from enlarger.dialects.openapi import errors
from enlarger.dialects.origin import base_of
from enlarger.dialects.scenario.assets import DESCRIPTION, copy_of, keep, new_asset, show
from enlarger.dialects.scenario.errors import STATUSES, Refused
from enlarger.dialects.scenario.inputs import Input, Kind, body_schema, read_values
from enlarger.dialects.scenario.pages import AssetsQuery, CommonQuery, place_of, token_of
from enlarger.dialects.scenario.pictures import read_picture
from enlarger.dialects.scenario.schemas import (
    AssetListResponse,
    AssetResponse,
    AssetsResponse,
    AssetUpdateTagsResponse,
    Empty,
    ErrorResponse,
)
from enlarger.dialects.scenario.who import KnownCaller
from enlarger.errors import NotFound
from enlarger.service import Service

REQUEST_LIMIT_BYTES = 70 * 2**20
"""Of a body with a picture in it: 52 MiB of picture, in base64. The vendor stops at 10 MB."""
SMALL_LIMIT_BYTES = 256 * 1024
"""Of every other body."""
BULK_MAX, DELETE_MAX, TAGS_MAX, COLLECTIONS_MAX = 200, 100, 100, 100
ID_MAX = 300
NAME = Input(name="name", kind=Kind.STRING, max_length=500, is_required=True, description="Of the file.")
UPLOAD = (
    NAME,
    Input(
        name="image",
        kind=Kind.FILE,
        is_required=True,
        description="A PNG, JPEG or WebP in base64, bare or as a data URL.",
    ),
    Input(name="parentId", kind=Kind.STRING, max_length=ID_MAX, description="The asset it comes from."),
    Input(
        name="collectionIds",
        kind=Kind.STRING_ARRAY,
        max_length=COLLECTIONS_MAX,
        description="Taken and not used.",
    ),
    Input(name="hide", kind=Kind.BOOLEAN, description="Kept, and said as `isHidden`."),
)
UPDATE = (
    Input(name="name", kind=Kind.STRING, max_length=500),
    Input(name="description", kind=Kind.STRING, max_length=10_000),
)
BULK = (Input(name="assetIds", kind=Kind.STRING_ARRAY, max_length=BULK_MAX, is_required=True),)
DELETE = (Input(name="assetIds", kind=Kind.STRING_ARRAY, min=1, max_length=DELETE_MAX, is_required=True),)
TAGS = (
    Input(name="add", kind=Kind.STRING_ARRAY, max_length=TAGS_MAX),
    Input(name="delete", kind=Kind.STRING_ARRAY, max_length=TAGS_MAX),
    Input(name="strict", kind=Kind.BOOLEAN, default=False),
)
ERRORS = errors(ErrorResponse, STATUSES)
AssetId = Annotated[str, Path(alias="assetId")]


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(prefix="/v1/assets", tags=["Assets"], responses=ERRORS)

    async def one(request: Request, asset: Asset) -> Response:
        [shown] = await show(service, [asset], base_of(request))
        return answer({"asset": shown})

    @router.post(
        "",
        operation_id="assetUpload",
        summary="Upload an image",
        responses={200: {"model": AssetResponse}},
        openapi_extra=body_schema(
            UPLOAD, "AssetUploadParams", {"name": "low-res-image.png", "image": "iVBORw0KGgo..."}
        ),
    )
    async def upload(
        request: Request, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        async with service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)):
            values, picture = await asyncio.to_thread(
                _read_upload, await read_json(request, REQUEST_LIMIT_BYTES)
            )
            parent = None
            if values.get("parentId"):
                parent = await find(service, caller, values["parentId"])
            new = new_asset(caller, values["name"], parent=parent, is_hidden=values.get("hide", False))
            asset = await keep(service, caller, new, picture)
        return await one(request, asset)

    @router.get(
        "",
        operation_id="assetList",
        summary="The assets that came through this API",
        responses={200: {"model": AssetListResponse}},
    )
    async def list_assets(
        request: Request, caller: KnownCaller, query: Annotated[AssetsQuery, Query()]
    ) -> Response:
        page = await service.assets.page(
            caller,
            door=query.door,
            choice=query.choice(),
            limit=query.page_size,
            beyond=place_of(query.pagination_token),
            order=query.order,
            oldest_first=query.oldest_first,
        )
        shown: dict[str, Any] = {"assets": await show(service, page.assets, base_of(request))}
        if page.has_more:
            shown["nextPaginationToken"] = token_of(*query.order.place(page.assets[-1]))
        return answer(shown)

    @router.post(
        "/get-bulk",
        operation_id="assetGetBulk",
        summary="Several assets",
        responses={200: {"model": AssetsResponse}},
        openapi_extra=body_schema(
            BULK, "AssetGetBulkParams", {"assetIds": ["asset_GTrL3mq4SXWyMxkOHRxlpw00"]}
        ),
    )
    async def get_bulk(
        request: Request, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        values = read_values(await small_body(request), BULK)
        ids = [asset_id for asset_id in dict.fromkeys(values["assetIds"]) if may_be_id(asset_id)]
        assets = await service.assets.get_many(caller, ids)
        return answer({"assets": await show(service, assets, base_of(request))})

    @router.delete(
        "",
        operation_id="assetDeleteMultiple",
        summary="Delete assets with their pictures",
        responses={200: {"model": Empty}},
        openapi_extra=body_schema(
            DELETE, "AssetDeleteMultipleParams", {"assetIds": ["asset_GTrL3mq4SXWyMxkOHRxlpw00"]}
        ),
    )
    async def delete_assets(
        request: Request, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        ids = list(dict.fromkeys(read_values(await small_body(request), DELETE)["assetIds"]))
        found = await service.assets.get_many(caller, [one for one in ids if may_be_id(one)])
        missing = set(ids) - {asset.id for asset in found}
        if missing:
            raise NotFound(f"there is no asset {min(missing)[:ID_MAX]!r}; nothing was deleted")
        await service.assets.remove(caller, ids)
        return answer({})

    @router.get(
        "/{assetId}",
        operation_id="assetRetrieve",
        summary="An asset",
        responses={200: {"model": AssetResponse}},
    )
    async def retrieve(
        request: Request, asset_id: AssetId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        return await one(request, await find(service, caller, asset_id))

    @router.put(
        "/{assetId}",
        operation_id="assetUpdate",
        summary="Rename or describe an asset",
        responses={200: {"model": AssetResponse}},
        openapi_extra=body_schema(UPDATE, "AssetUpdateParams", {"name": "stone-wall.png"}),
    )
    async def update(
        request: Request, asset_id: AssetId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        values = read_values(await small_body(request), UPDATE)

        def edit(asset: Asset) -> Asset:
            said = {DESCRIPTION: values[DESCRIPTION]} if DESCRIPTION in values else {}
            return replace(asset, name=values.get("name", asset.name), memo={**asset.memo, **said})

        check_id(asset_id)
        return await one(request, await service.assets.change(caller, asset_id, edit))

    @router.put(
        "/{assetId}/tags",
        operation_id="assetUpdateTags",
        summary="Add and delete tags of an asset",
        responses={200: {"model": AssetUpdateTagsResponse}},
        openapi_extra=body_schema(
            TAGS, "AssetUpdateTagsParams", {"add": ["landscape"], "delete": ["draft"]}
        ),
    )
    async def update_tags(
        request: Request, asset_id: AssetId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        values = read_values(await small_body(request), TAGS)
        told: dict[str, list[str]] = {}

        def edit(asset: Asset) -> Asset:
            told.update(_tag_changes(asset, values))
            left = [tag for tag in asset.tags if tag not in told["deleted"]]
            return replace(asset, tags=(*left, *told["added"]))

        check_id(asset_id)
        await service.assets.change(caller, asset_id, edit)
        return answer(told)

    @router.post(
        "/{assetId}/copy",
        operation_id="assetDuplicate",
        summary="A second asset with the same picture",
        responses={200: {"model": AssetResponse}},
    )
    async def duplicate(
        request: Request, asset_id: AssetId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        asset = await find(service, caller, asset_id)
        async with service.admit(asset.size_bytes):
            picture = await service.assets.read(asset)
            copied = await keep(service, caller, copy_of(caller, asset), picture)
        return await one(request, copied)

    return router


def _tag_changes(asset: Asset, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """What a change of tags comes to. Raises Refused for a strict one that asks for what is so already."""
    add, delete = values.get("add", []), values.get("delete", [])
    if values.get("strict"):
        for tag in add:
            if tag in asset.tags:
                raise Refused(f"add: the asset has the tag {tag[:100]!r} already")
        for tag in delete:
            if tag not in asset.tags:
                raise Refused(f"delete: the asset has no tag {tag[:100]!r}")
    return {
        "added": [tag for tag in dict.fromkeys(add) if tag not in asset.tags],
        "deleted": [tag for tag in dict.fromkeys(delete) if tag in asset.tags],
    }


def _read_upload(data: bytes) -> tuple[dict[str, Any], bytes]:
    """What an upload says, and its picture. Raises BadField."""
    values = read_values(read_object(data or b"{}"), UPLOAD)
    return values, read_picture("image", values.pop("image"))


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """A body as JSON that no cache keeps: it holds links."""
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


async def small_body(request: Request) -> dict[str, Any]:
    """A body without pictures; one that is empty has no members. Raises BadField, PayloadTooLarge."""
    announced_bytes(request.headers, SMALL_LIMIT_BYTES)
    return read_object(await read_json(request, SMALL_LIMIT_BYTES) or b"{}")


async def find(service: Service, caller: KnownCaller, asset_id: str) -> Asset:
    """An asset of the caller's workspace, of whichever door. Raises NotFound."""
    check_id(asset_id)
    return await service.assets.get(caller, asset_id)


def check_id(asset_id: str) -> None:
    """Raise NotFound for what cannot be an asset's id."""
    if not may_be_id(asset_id):
        raise NotFound(f"there is no asset {asset_id[:ID_MAX]!r}")


def may_be_id(text: str) -> bool:
    """Whether a text can be an asset's id at all: databases refuse some characters."""
    return len(text) <= ID_MAX and text.isascii() and text.isprintable()
