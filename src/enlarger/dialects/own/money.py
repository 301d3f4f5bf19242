"""`/v1/balance`, `/v1/prices`, `/v1/usage/...`, `/v1/ledger`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from enlarger.accounts import Act
from enlarger.administration import Administration
from enlarger.dialects.own.jobs import ERRORS
from enlarger.dialects.own.schemas import (
    BalanceResponse,
    ListResponse,
    MoveRow,
    PriceRow,
    PricesResponse,
    RollupRow,
    UsageRow,
    amount,
)
from enlarger.dialects.own.who import KnownCaller
from enlarger.errors import BadParameter
from enlarger.ledger.usage import Bucket, UsageFilter, UsageRecord
from enlarger.moment import iso_of, ms_of
from enlarger.service import Service


class UsageChoice(BaseModel):
    """Which usage records; `from` and `to` are ISO 8601, the one counted in, the other out."""

    model_config = ConfigDict(extra="forbid")

    key: str | None = Field(None, description="Id of a key, or of a member.")
    model: str | None = None
    status: Literal["succeeded", "failed", "cancelled"] | None = None
    from_: str | None = Field(None, alias="from")
    to: str | None = None

    def filter(self) -> UsageFilter:
        """The same as the ledger has it. Raises BadParameter for a time that is none."""
        return UsageFilter(
            key_id=self.key,
            model=self.model,
            status=self.status,
            from_ms=None if self.from_ is None else ms_of(self.from_, param="from"),
            to_ms=None if self.to is None else ms_of(self.to, param="to"),
        )


class UsageQuery(UsageChoice):
    """Which records, and which page of them."""

    limit: int = 20
    starting_after: str | None = None
    ending_before: str | None = None


class RollupQuery(UsageChoice):
    """Which records, and in which sums."""

    bucket: Bucket = Bucket.DAY


class MovesQuery(BaseModel):
    """Which page of the moves."""

    model_config = ConfigDict(extra="forbid")

    limit: int = 20
    starting_after: int | None = None


def make_router(service: Service, administration: Administration) -> APIRouter:
    """The routes, calling `service` and `administration`."""
    router = APIRouter(prefix="/v1", tags=["Money"], responses=ERRORS)

    @router.get("/balance", operation_id="getBalance", summary="What the workspace has")
    async def get_balance(caller: KnownCaller) -> BalanceResponse:
        caller.check_may(Act.READ)
        balance = await service.balance(caller)
        return BalanceResponse(
            workspace=caller.workspace.id,
            available=amount(balance.available_micros),
            held=amount(balance.held_micros),
            unlimited=balance.is_unlimited,
        )

    @router.get("/prices", operation_id="getPrices", summary="What is on offer, for how much")
    async def get_prices(caller: KnownCaller) -> PricesResponse:
        caller.check_may(Act.READ)
        held = await service.prices()
        rows = [
            PriceRow(model=one.model, up_to_pixels=one.up_to_pixels, price=amount(one.micros))
            for one in held.prices
        ]
        return PricesResponse(data=rows, version=held.version)

    @router.get("/usage/requests", operation_id="listUsage", summary="Requests that have ended")
    async def list_usage(
        caller: KnownCaller, query: Annotated[UsageQuery, Query()]
    ) -> ListResponse[UsageRow]:
        page = await administration.usage(
            caller,
            query.filter(),
            limit=query.limit,
            starting_after=query.starting_after,
            ending_before=query.ending_before,
        )
        return ListResponse(data=[usage_row(one) for one in page.records], has_more=page.has_more)

    @router.get(
        "/usage/requests.csv",
        operation_id="exportUsage",
        summary="The same, all of them, as CSV",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/csv": {}}}},
    )
    async def export_usage(
        caller: KnownCaller, query: Annotated[UsageChoice, Query()]
    ) -> StreamingResponse:
        pieces = await administration.usage_csv(caller, query.filter())
        headers = {"content-disposition": 'attachment; filename="usage.csv"', "cache-control": "no-store"}
        return StreamingResponse(pieces, headers=headers, media_type="text/csv; header=present")

    @router.get("/usage/rollups", operation_id="sumUsage", summary="Sums by model and hour or day, in UTC")
    async def sum_usage(
        caller: KnownCaller, query: Annotated[RollupQuery, Query()]
    ) -> ListResponse[RollupRow]:
        sums = await administration.usage_rollups(caller, query.filter(), query.bucket)
        rows = [
            RollupRow(
                start=iso_of(one.start_ms),
                model=one.model,
                requests=one.requests,
                succeeded=one.succeeded,
                billed=amount(one.billed_micros),
                output_pixels=one.output_pixels,
            )
            for one in sums
        ]
        return ListResponse(data=rows, has_more=False)

    @router.get("/ledger", operation_id="listMoves", summary="What happened to the credit; for members")
    async def list_moves(
        caller: KnownCaller, query: Annotated[MovesQuery, Query()]
    ) -> ListResponse[MoveRow]:
        if query.starting_after is not None and not 0 < query.starting_after < 2**63:
            raise BadParameter("starting_after must be the id of a move", param="starting_after")
        page = await administration.moves(caller, limit=query.limit, starting_after=query.starting_after)
        rows = [
            MoveRow(
                id=one.id,
                kind=one.kind,
                job_id=one.job_id,
                note=one.note,
                available=amount(one.available_micros),
                held=amount(one.held_micros),
                created_at=iso_of(one.created_ms),
            )
            for one in page.moves
        ]
        return ListResponse(data=rows, has_more=page.has_more)

    return router


def usage_row(record: UsageRecord) -> UsageRow:
    """A usage record on the wire."""
    plain = asdict(record)
    del plain["workspace_id"]
    return UsageRow(
        price=amount(plain.pop("price_micros")),
        billed=amount(plain.pop("billed_micros")),
        created_at=iso_of(plain.pop("created_ms")),
        finished_at=iso_of(plain.pop("finished_ms")),
        **plain,
    )
