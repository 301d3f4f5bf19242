"""`/v1/uploads`: pictures that arrive in parts by signed links, or that are fetched from a URL."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Query, Request, Response

from enlarger.accounts import Act, Caller
from enlarger.assets import Upload
from enlarger.dialects.body import BadField
from enlarger.dialects.origin import base_of
from enlarger.dialects.scenario.asset_routes import (
    COLLECTIONS_MAX,
    ERRORS,
    ID_MAX,
    answer,
    find,
    may_be_id,
    small_body,
)
from enlarger.dialects.scenario.assets import new_asset
from enlarger.dialects.scenario.ids import new_id
from enlarger.dialects.scenario.inputs import Input, Kind, body_schema, read_values
from enlarger.dialects.scenario.pages import ESTIMATED, CommonQuery, DryQuery
from enlarger.dialects.scenario.schemas import Estimate, UploadResponse
from enlarger.dialects.scenario.upload_views import upload_of
from enlarger.dialects.scenario.who import KnownCaller
from enlarger.errors import NotFound, UsageError
from enlarger.service import NewAsset, NewUpload, Service
from enlarger.service.uploads import MAX_PARTS, MAX_UPLOAD_BYTES, MEDIA_TYPE

KINDS = ("image", "asset")
MULTIPART = (
    Input(name="fileName", kind=Kind.STRING, max_length=500, description="Required for parts."),
    Input(
        name="fileSize",
        kind=Kind.NUMBER,
        min=1,
        max=MAX_UPLOAD_BYTES,
        is_whole=True,
        description="Bytes of all parts together. Required for parts.",
    ),
    Input(
        name="contentType",
        kind=Kind.STRING,
        max_length=100,
        description="Required for parts; what the picture is, its bytes say.",
    ),
    Input(
        name="parts",
        kind=Kind.NUMBER,
        min=1,
        max=MAX_PARTS,
        is_whole=True,
        description="How many. Required for parts.",
    ),
)
UPLOAD = (
    Input(name="kind", kind=Kind.STRING, allowed=KINDS, is_required=True),
    Input(
        name="url",
        kind=Kind.STRING,
        max_length=2048,
        description="Where the picture is fetched from, instead of parts; only where ENLARGER_FETCH_URLS"
        " allows it.",
    ),
    *MULTIPART,
)
OPTIONS = (
    Input(name="parentId", kind=Kind.STRING, max_length=ID_MAX),
    Input(name="collectionIds", kind=Kind.STRING_ARRAY, max_length=COLLECTIONS_MAX),
    Input(name="hide", kind=Kind.BOOLEAN),
)
ACTION = (Input(name="action", kind=Kind.STRING, allowed=("complete",), is_required=True),)
EXAMPLE = {
    "fileName": "low-res-image.png",
    "fileSize": 41943040,
    "contentType": "image/png",
    "kind": "image",
    "parts": 2,
}
NO_COST: dict[str, Any] = {"creativeUnitsCost": 0, "creativeUnitsDiscount": 0, "costDetails": {}}
UploadId = Annotated[str, Path(alias="uploadId")]


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(
        prefix="/v1/uploads", tags=["Uploads"], responses={200: {"model": UploadResponse}, **ERRORS}
    )

    async def one(request: Request, upload: Upload) -> Response:
        links = await service.uploads.links(upload, base_of(request))
        return answer({"upload": upload_of(upload, links)})

    @router.post(
        "",
        operation_id="uploadCreate",
        summary="Begin an upload in parts, or import from a URL",
        responses={
            ESTIMATED: {
                "model": Estimate,
                "description": "With `dryRun`: it costs nothing. Nothing is kept.",
            }
        },
        openapi_extra=body_schema(UPLOAD, "UploadCreateParams", EXAMPLE),
    )
    async def create(
        request: Request, caller: KnownCaller, query: Annotated[DryQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        body = await small_body(request)
        values = read_values(body, UPLOAD)
        asset = await _asset_for(service, caller, values, body.get("assetOptions"))
        new = None if values.get("url") else _read_new(values, asset)
        if "dryRun" in request.query_params:
            return answer(NO_COST, ESTIMATED)
        if new is None:
            return await one(request, await _fetch(service, caller, values["url"], asset))
        return await one(request, await service.uploads.begin(caller, new))

    @router.get("/{uploadId}", operation_id="uploadRetrieve", summary="How an upload stands")
    async def retrieve(
        request: Request, upload_id: UploadId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        _check_id(upload_id)
        return await one(request, await service.uploads.get(caller, upload_id))

    @router.post(
        "/{uploadId}/action",
        operation_id="uploadTriggerAction",
        summary="Complete an upload",
        openapi_extra=body_schema(ACTION, "UploadTriggerActionParams", {"action": "complete"}),
    )
    async def act(
        request: Request, upload_id: UploadId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        read_values(await small_body(request), ACTION)
        _check_id(upload_id)
        return await one(request, await service.uploads.complete(caller, upload_id))

    return router


async def _asset_for(service: Service, caller: Caller, values: dict[str, Any], options: Any) -> NewAsset:
    """The asset that a picture is to become. Raises BadField, NotFound for a parent that is none."""
    if not isinstance(options, dict | None):
        raise BadField("assetOptions", "must be an object")
    said = read_values(options or {}, OPTIONS)
    parent = await find(service, caller, said["parentId"]) if said.get("parentId") else None
    name = values.get("fileName") or _name_in(values.get("url", ""))
    return new_asset(caller, name, parent=parent, is_hidden=said.get("hide", False))


def _name_in(url: str) -> str:
    """What a URL calls the file that it leads to. Raises BadField."""
    try:
        return urlsplit(url).path.rsplit("/", 1)[-1][:500]
    except ValueError:
        raise BadField("url", "is no URL") from None


def _read_new(values: dict[str, Any], asset: NewAsset) -> NewUpload:
    """An upload in parts. Raises BadField."""
    for one in MULTIPART:
        if not values.get(one.name):
            raise BadField(one.name, "is required for an upload in parts")
    if not MEDIA_TYPE.fullmatch(values["contentType"]):
        raise BadField("contentType", f"must be like image/png, got {values['contentType'][:60]!r}")
    return NewUpload(
        id=new_id("upload"),
        asset=asset,
        file_name=values["fileName"],
        media_type=values["contentType"],
        size_bytes=values["fileSize"],
        part_count=values["parts"],
    )


async def _fetch(service: Service, caller: Caller, url: str, asset: NewAsset) -> Upload:
    new = NewUpload(
        id=new_id("upload"), asset=asset, file_name=asset.name, media_type="", size_bytes=0, part_count=0
    )
    with service.fetching(caller, param="url"):
        async with service.admit(MAX_UPLOAD_BYTES):
            picture = await service.fetch(url, max_bytes=MAX_UPLOAD_BYTES, param="url")
            try:
                return await service.uploads.take(caller, new, picture)
            except UsageError as error:
                # The caller sent no field of that name.
                error.param = "url"
                raise


def _check_id(text: str) -> None:
    if not may_be_id(text):
        raise NotFound(f"there is no upload {text[:60]!r}")
