"""`/api/features`: where pictures are enlarged, while the caller waits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import msgspec
from fastapi import APIRouter, Request, Response

from enlarger.accounts import Act, Caller
from enlarger.assets import Asset
from enlarger.dialects.body import announced_bytes, read_json
from enlarger.dialects.onemin.assets import DOOR, check_bytes, picture_at
from enlarger.dialects.onemin.callers import TeamId, caller_of, now_ms, spending_of
from enlarger.dialects.onemin.errors import naming
from enlarger.dialects.onemin.json_body import FIELDS_BYTES
from enlarger.dialects.onemin.keys import result_key, stem_of
from enlarger.dialects.onemin.order import Order, read_order
from enlarger.dialects.onemin.record import KEEP_MS, LINK_S, record_of
from enlarger.dialects.onemin.schemas import ERRORS, FEATURE_BODY, FeatureResponse
from enlarger.dialects.openapi import paid
from enlarger.dialects.origin import base_of, origin_of, replay
from enlarger.dialects.refusals import leaves_open
from enlarger.errors import NotFound
from enlarger.jobs import Job
from enlarger.jobs.submission import DoorTerms, Origin, ResultAsset, Ticket
from enlarger.request import UpscaleRequest
from enlarger.service import Pending, Service, Variant

OPERATION = "image-upscaler"
SEEDS = "x-enlarger-seed"
"""The seed of each picture, where it matters: the vendor's answer has no place for it."""


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(tags=["Features"], responses=ERRORS)

    @router.post(
        "/api/features",
        operation_id="runFeature",
        summary="Enlarge a picture",
        response_model=FeatureResponse,
        openapi_extra=paid(FEATURE_BODY),
    )
    @router.post("/api/features/stream", include_in_schema=False)
    async def run_feature(request: Request) -> Response:
        return await answer(service, request, await caller_of(service, request))

    @router.post(
        "/teams/{teamId}/features",
        operation_id="runTeamFeature",
        summary="The same, as the web client asks for it",
        response_model=FeatureResponse,
        openapi_extra=paid(FEATURE_BODY),
    )
    async def run_team_feature(request: Request, team_id: TeamId) -> Response:
        return await answer(service, request, await caller_of(service, request, team_id))

    return router


async def answer(service: Service, request: Request, caller: Caller) -> Response:
    """Do the work and answer with its record."""
    async with service.admit(announced_bytes(request.headers, FIELDS_BYTES)):
        order = read_order(await read_json(request, FIELDS_BYTES))
    origin = await origin_of(request, DOOR, OPERATION, order.fields)
    # Under an idempotency key each picture is found again by itself.
    origins = [
        origin if number == 1 else replace(origin, operation=f"{OPERATION}/{number}")
        for number in range(1, len(order.requests) + 1)
    ]
    caller.check_may(Act.RUN)
    caller.check_may_use(order.offer.mode)
    tickets = await _earlier(service, caller, origins) or await _accept(service, caller, order, origins)
    job_ids = [ticket.job_id for ticket in tickets]
    pending = Pending(caller, origin, tickets[0], further_job_ids=tuple(job_ids[1:]))
    kept = await service.answers.find(pending)
    if kept is not None:
        return replay(kept)
    request.state.pending = pending
    with naming(order.source.field):
        jobs = await _wait(service, caller, job_ids)
    assets, spending = await asyncio.gather(
        service.assets.get_many(caller, [str(job.memo["key"]) for job in jobs]),
        spending_of(service, caller),
    )
    if not assets:
        # A repetition after the week that results are kept.
        raise NotFound("the result has expired; send the request under another idempotency key")
    links = await service.assets.links(assets, base_of(request), within_s=LINK_S)
    urls = [link.url for link in links]
    body = {"aiRecord": record_of(caller, spending, order, jobs[0], assets, urls)}
    response = Response(msgspec.json.encode(body), media_type="application/json")
    if order.offer.is_seeded:
        response.headers[SEEDS] = ", ".join(str(job.request.seed) for job in jobs)
    return response


async def _earlier(service: Service, caller: Caller, origins: Sequence[Origin]) -> list[Ticket] | None:
    """The tickets of the earlier request that this one repeats; None where not all of them are there.

    Before the picture is looked for: it may be gone by now, and the answer is kept.
    """
    tickets = []
    for origin in origins:
        ticket = await service.earlier(caller, origin)
        if ticket is None:
            return None
        tickets.append(ticket)
    return tickets


async def _accept(
    service: Service, caller: Caller, order: Order, origins: Sequence[Origin]
) -> list[Ticket]:
    """Find the picture and submit a job for each one that is wanted of it."""
    # A function of its own, so that the picture is gone from memory while the caller waits.
    async with _picture(service, caller, order) as (name, picture, asset):
        variants = [
            Variant(origin, wanted, _terms(wanted, stem_of(name), asset))
            for origin, wanted in zip(origins, order.requests, strict=True)
        ]
        with naming(order.source.field):
            header = await service.examine(picture)
            # All that were asked for, or none: what one of them alone is worth is not ours to say.
            return await service.submit_all(caller, order.offer.mode, variants, picture, header)


@contextlib.asynccontextmanager
async def _picture(
    service: Service, caller: Caller, order: Order
) -> AsyncIterator[tuple[str, bytes, Asset | None]]:
    """The picture that an order names, what it is called, and its asset if it is one; with room for it."""
    source = order.source
    if source.is_url:
        most = order.offer.max_bytes
        async with picture_at(service, caller, source.name, source.field, most) as (name, picture):
            yield name, picture, None
        return
    asset = await _asset(service, caller, order)
    async with service.admit(asset.size_bytes):
        yield source.name, await service.assets.read(asset), asset


async def _asset(service: Service, caller: Caller, order: Order) -> Asset:
    """The asset that an order names. Raises NotFound, PictureTooLarge."""
    field = order.source.field
    try:
        asset = await service.assets.get(caller, order.source.name)
    except NotFound:
        raise NotFound("there is no such asset; upload it and give its key", param=field) from None
    check_bytes(asset.size_bytes, order.offer.max_bytes, field)
    return asset


def _terms(wanted: UpscaleRequest, stem: str, asset: Asset | None) -> DoorTerms:
    """That a result becomes an asset, named after the picture that it is made of."""
    key = result_key(now_ms(), stem, wanted.output_format)
    result = ResultAsset(
        id=key,
        name=f"{stem}_upscaled.{wanted.output_format}",
        source=OPERATION,
        parent_id=None if asset is None else asset.id,
        keep_ms=KEEP_MS,
    )
    return DoorTerms(memo={"key": key}, asset=result)


async def _wait(service: Service, caller: Caller, job_ids: Sequence[str]) -> list[Job]:
    """The jobs that have succeeded, once all have ended. Raises what the first failed with if none has."""
    ended = await asyncio.gather(
        *(service.wait(caller, job_id) for job_id in job_ids),
        return_exceptions=True,
    )
    errors = [one for one in ended if isinstance(one, BaseException)]
    for error in errors:
        if leaves_open(error):
            # Nothing can be said of the whole.
            raise error
    jobs = [one for one in ended if isinstance(one, Job)]
    if not jobs:
        raise errors[0]
    return jobs
