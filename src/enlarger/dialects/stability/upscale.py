"""`/v2beta/stable-image/upscale/...`: where upscales begin."""

from __future__ import annotations

import secrets
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from enlarger.accounts import Caller
from enlarger.dialects.body import announced_bytes, contents, read_form, read_image
from enlarger.dialects.openapi import errors, paid, pictures, reference
from enlarger.dialects.origin import origin_of, replay
from enlarger.dialects.stability import answers
from enlarger.dialects.stability.errors import REQUEST_LIMIT_BYTES
from enlarger.dialects.stability.fields import read_secret, wants_async
from enlarger.dialects.stability.order import CONSERVATIVE, CREATIVE, FAST, Offer, read_order
from enlarger.dialects.stability.schemas import (
    OUTPUT_FORMATS,
    AsyncGenerationResponse,
    ConservativeUpscaleRequest,
    ConservativeUpscaleResponse,
    CreativeUpscaleRequest,
    ErrorResponse,
    FastUpscaleRequest,
    UpscaleImageResponse,
    multipart,
)
from enlarger.jobs.submission import DoorTerms
from enlarger.service import Pending, Service

DOOR = "stability"
ID_BYTES = 32
"""Of a generation's id, which clients expect to have 64 hexadecimal digits."""
STATUSES = (400, 401, 402, 403, 409, 413, 429, 500, 503, 504)
ERRORS = errors(ErrorResponse, STATUSES)


def new_generation_id() -> str:
    """By which `/v2beta/results` takes a job, also one whose answer did not come in time."""
    return secrets.token_hex(ID_BYTES)


def picture_or_json(description: str, model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI's description of an answer that is a picture or JSON."""
    return {
        "description": description,
        "content": {
            **pictures(OUTPUT_FORMATS),
            "application/json": {"schema": reference(model)},
        },
    }


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(tags=["Upscale"])
    path = "/v2beta/stable-image/upscale"

    @router.post(
        f"{path}/fast",
        operation_id="upscaleImageFast",
        summary="Fast upscale",
        response_class=Response,
        responses={
            200: picture_or_json(
                "The enlarged picture, four times as wide and as high.", UpscaleImageResponse
            ),
            **ERRORS,
        },
        openapi_extra=paid(multipart(FastUpscaleRequest)),
    )
    async def upscale_image_fast(request: Request) -> Response:
        return await answer(service, request, FAST)

    @router.post(
        f"{path}/conservative",
        operation_id="upscaleImageConservative",
        summary="Conservative upscale",
        response_class=Response,
        responses={
            200: picture_or_json(
                "The enlarged picture, of 4 megapixels; its id alone for `prefer: respond-async`.",
                ConservativeUpscaleResponse,
            ),
            **ERRORS,
        },
        openapi_extra=paid(multipart(ConservativeUpscaleRequest)),
    )
    async def upscale_image_conservative(request: Request) -> Response:
        if wants_async(request.headers):
            return await begin(service, request, CONSERVATIVE)
        return await answer(service, request, CONSERVATIVE)

    @router.post(
        f"{path}/creative",
        operation_id="upscaleImageCreative",
        summary="Creative upscale",
        response_class=Response,
        responses={
            200: {
                "description": "The generation's id, to ask for its result.",
                "model": AsyncGenerationResponse,
            },
            **ERRORS,
        },
        openapi_extra=paid(multipart(CreativeUpscaleRequest)),
    )
    async def upscale_image_creative(request: Request) -> Response:
        return await begin(service, request, CREATIVE)

    @router.post("/v2alpha/generation/stable-image/upscale", include_in_schema=False)
    async def upscale_as_once(request: Request) -> Response:
        return await begin(service, request, CREATIVE)

    return router


async def answer(service: Service, request: Request, offer: Offer) -> Response:
    """Do the work and answer with the picture."""
    pending = await accept(service, request, offer, is_answered_at_acceptance=False)
    kept = await service.answers.find(pending)
    if kept is not None:
        return replay(kept)
    request.state.pending = pending
    job = await service.wait(pending.caller, pending.ticket.job_id)
    result = await service.result(job)
    # What a client that polls would look for; one that does not takes no notice.
    more = {} if offer is FAST else {"id": job.alias, "status": "complete"}
    return await answers.picture(request, job, result, **more)


async def begin(service: Service, request: Request, offer: Offer) -> Response:
    """Accept the work and answer with its id."""
    pending = await accept(service, request, offer, is_answered_at_acceptance=True)
    kept = await service.answers.find(pending)
    if kept is not None:
        return replay(kept)
    request.state.pending = pending
    job = await service.status(pending.caller, pending.ticket.job_id)
    response = answers.in_progress(str(job.alias), 200)
    if offer is not CREATIVE:
        response.headers["preference-applied"] = "respond-async"
    return response


async def accept(
    service: Service, request: Request, offer: Offer, *, is_answered_at_acceptance: bool
) -> Pending:
    """Read the request and submit it."""
    caller = await service.authenticate(read_secret(request.headers))
    async with service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)):
        return await _submit(service, request, offer, caller, is_answered_at_acceptance)


async def _submit(
    service: Service, request: Request, offer: Offer, caller: Caller, is_answered_at_acceptance: bool
) -> Pending:
    # A function of its own, so that the upload is gone from memory while the caller waits.
    async with read_form(request, REQUEST_LIMIT_BYTES) as form:
        picture = await read_image(form)
        order = read_order(form, offer)
        origin = await origin_of(
            request,
            DOOR,
            offer.operation,
            await contents(form),
            is_answered_at_acceptance=is_answered_at_acceptance,
        )
    header = await service.examine(picture)
    offer.limits.check(header, is_rounded=answers.is_proxied(request))
    terms = DoorTerms(alias=new_generation_id())
    ticket = await service.submit(caller, origin, offer.mode, order, picture, header, terms=terms)
    return Pending(caller, origin, ticket)
