"""`/v1/models`: what can be run, and with which inputs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from enlarger.accounts import Act
from enlarger.dialects.body import BadField
from enlarger.dialects.openapi import errors
from enlarger.dialects.scenario.asset_routes import answer, small_body
from enlarger.dialects.scenario.errors import STATUSES
from enlarger.dialects.scenario.inputs import Input, Kind, body_schema, read_values
from enlarger.dialects.scenario.models import MINIMAL, model_of
from enlarger.dialects.scenario.order import CUSTOM, MODEL
from enlarger.dialects.scenario.pages import CommonQuery, PageQuery, names_of, types_of
from enlarger.dialects.scenario.schemas import (
    ErrorResponse,
    ModelGetBulkResponse,
    ModelListResponse,
    ModelRetrieveResponse,
)
from enlarger.dialects.scenario.who import KnownCaller
from enlarger.errors import NotFound
from enlarger.service import Service

PAGE_SIZE, PAGE_SIZE_MAX = 100, 500
BULK = (
    Input(name="modelIds", kind=Kind.STRING_ARRAY, max_length=200, is_required=True),
    Input(name="minimal", kind=Kind.BOOLEAN, default=False, description="Only id, name and type."),
)
ERRORS = errors(ErrorResponse, STATUSES)
ModelId = Annotated[str, Path(alias="modelId")]


class ModelsQuery(PageQuery):
    """Which models."""

    page_size: int = Field(PAGE_SIZE, ge=1, le=PAGE_SIZE_MAX)
    privacy: Literal["private", "public", "unlisted"] | None = Field(
        None, description="All models here are public; nothing said is public."
    )
    status: Literal["new", "training", "trained", "failed", "deleted"] | None = None
    type: str | None = None
    types: str | None = Field(None, description="Comma-separated.")
    tags: str | None = Field(None, description="Comma-separated; a model must have all.")

    def fits(self, model: dict[str, Any]) -> bool:
        """Whether a model is one of those."""
        types = types_of(self.type, self.types)
        tags = names_of(self.tags or "", "tags")
        return (
            self.privacy in (None, model["privacy"])
            and self.status in (None, model["status"])
            and (types is None or model["type"] in types)
            and set(tags) <= set(model["tags"])
        )


def make_router(service: Service) -> APIRouter:
    """The routes; they ask `service` for nothing but the caller."""
    router = APIRouter(prefix="/v1/models", tags=["Models"], responses=ERRORS)

    @router.get(
        "", operation_id="modelList", summary="Models", responses={200: {"model": ModelListResponse}}
    )
    async def list_models(caller: KnownCaller, query: Annotated[ModelsQuery, Query()]) -> Response:
        caller.check_may(Act.READ)
        ids = list(CUSTOM)
        if query.pagination_token is not None:
            if query.pagination_token not in CUSTOM:
                shown = query.pagination_token[:60]
                raise BadField("paginationToken", f"is none of ours: {shown!r}")
            ids = ids[ids.index(query.pagination_token) + 1 :]
        fitting = [model for model in map(model_of, ids) if query.fits(model)]
        page = fitting[: query.page_size]
        body: dict[str, Any] = {"models": page}
        if len(fitting) > len(page):
            body["nextPaginationToken"] = page[-1]["id"]
        return answer(body)

    @router.post(
        "/get-bulk",
        operation_id="modelGetBulk",
        summary="Several models",
        responses={200: {"model": ModelGetBulkResponse}},
        openapi_extra=body_schema(BULK, "ModelGetBulkParams", {"modelIds": [MODEL]}),
    )
    async def get_bulk(
        request: Request, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.READ)
        values = read_values(await small_body(request), BULK)
        models = [model_of(one) for one in dict.fromkeys(values["modelIds"]) if one in CUSTOM]
        if values.get("minimal"):
            models = [{name: model[name] for name in MINIMAL} for model in models]
        return answer({"models": models})

    @router.get(
        "/{modelId}",
        operation_id="modelRetrieve",
        summary="A model with its inputs",
        responses={200: {"model": ModelRetrieveResponse}},
    )
    async def retrieve(
        model_id: ModelId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.READ)
        if model_id not in CUSTOM:
            raise NotFound(f"there is no model {model_id[:100]!r} here")
        return answer({"model": model_of(model_id, with_inputs=True)})

    return router
