"""`/api/v1/usage/...`: what the workspace has used, whichever door it came through."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from enlarger.administration import Administration
from enlarger.dialects.omixa.models import MODELS, shown
from enlarger.dialects.omixa.schemas import (
    ErrorResponse,
    RollupRow,
    UsageError,
    UsageRequestList,
    UsageRollupList,
    UsageRow,
)
from enlarger.dialects.omixa.who import KnownCaller
from enlarger.dialects.openapi import errors
from enlarger.errors import BadParameter, by_code
from enlarger.ledger.usage import Bucket, Rollup, UsageFilter, UsageRecord
from enlarger.moment import iso_of, ms_of
from enlarger.money import dollars

NAME_MAX = 80


class UsageChoice(BaseModel):
    """Which records; `from` and `to` are ISO 8601, the one counted in, the other out."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(None, description="By the name that `GET /api/v1/models` has.")
    key: str | None = Field(None, description="Id of a key.")
    status: Literal["succeeded", "failed", "cancelled"] | None = None
    from_: str | None = Field(None, alias="from")
    to: str | None = None

    def filter(self) -> UsageFilter:
        """The same as the ledger has it. Raises BadParameter."""
        return UsageFilter(
            key_id=self.key,
            model=None if self.model is None else _product_of(self.model),
            status=self.status,
            from_ms=None if self.from_ is None else ms_of(self.from_, param="from"),
            to_ms=None if self.to is None else ms_of(self.to, param="to"),
        )


class UsageQuery(UsageChoice):
    """Which records, and which page of them."""

    limit: int = Field(20, description="1 to 100.")
    starting_after: str | None = Field(None, description="Id of the last row of the page before.")
    ending_before: str | None = Field(None, description="Id of the first row of the page after.")


class RollupQuery(UsageChoice):
    """Which records, and in which sums."""

    period_type: Bucket = Field(Bucket.DAY, description="In UTC.")


def make_router(administration: Administration) -> APIRouter:
    """The routes, calling `administration`."""
    router = APIRouter(
        prefix="/api/v1/usage",
        tags=["Usage"],
        responses=errors(ErrorResponse, (401, 404, 422, 429, 500, 503)),
    )

    @router.get("/requests", operation_id="listUsageRequests", summary="Requests that have ended")
    async def list_usage_requests(
        caller: KnownCaller, query: Annotated[UsageQuery, Query()]
    ) -> UsageRequestList:
        page = await administration.usage(
            caller,
            query.filter(),
            limit=query.limit,
            starting_after=query.starting_after,
            ending_before=query.ending_before,
        )
        return UsageRequestList(data=[usage_row(one) for one in page.records], has_more=page.has_more)

    @router.get("/rollups", operation_id="listUsageRollups", summary="Sums by model and hour or day")
    async def list_usage_rollups(
        caller: KnownCaller, query: Annotated[RollupQuery, Query()]
    ) -> UsageRollupList:
        sums = await administration.usage_rollups(caller, query.filter(), query.period_type)
        return UsageRollupList(data=[rollup_row(one, query.period_type) for one in sums], has_more=False)

    return router


def usage_row(record: UsageRecord) -> UsageRow:
    """A usage record on the wire."""
    error = None
    if record.error_code is not None:
        # The words of the kind of error, and not those of the one that happened.
        error = UsageError(code=record.error_code, message=by_code(record.error_code, "").message)
    return UsageRow(
        id=record.job_id,
        request_id=record.request_id,
        key_id=record.key_id,
        is_test=record.is_test,
        door=record.door,
        operation=record.operation,
        model=shown(record.model),
        provider=record.route,
        status=record.status,
        error=error,
        input_width=record.input_width,
        input_height=record.input_height,
        output_width=record.output_width,
        output_height=record.output_height,
        price=dollars(record.price_micros),
        billed_amount=dollars(record.billed_micros),
        attempts=record.attempts,
        latency_ms=record.latency_ms,
        created_at=iso_of(record.created_ms),
        finished_at=iso_of(record.finished_ms),
    )


def rollup_row(rollup: Rollup, bucket: Bucket) -> RollupRow:
    """A sum on the wire."""
    return RollupRow(
        period_type=bucket.value,
        period_start=iso_of(rollup.start_ms),
        model=shown(rollup.model),
        requests=rollup.requests,
        succeeded=rollup.succeeded,
        failed=rollup.requests - rollup.succeeded,
        output_pixels=rollup.output_pixels,
        billed_amount=dollars(rollup.billed_micros),
    )


def _product_of(name: str) -> str:
    """Our own name of a model. Raises BadParameter: an empty list would say that it was not used."""
    if name not in MODELS:
        raise BadParameter(
            f"model is {name[:NAME_MAX]!r}; it must be one of: {', '.join(MODELS)}", param="model"
        )
    return MODELS[name].product
