"""`/api/v1/images/generations`: where upscales are asked for."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import APIRouter, Request, Response

from enlarger.accounts import Caller
from enlarger.dialects.body import announced_bytes, read_json
from enlarger.dialects.omixa.models import Model, shown
from enlarger.dialects.omixa.order import INPUT_IMAGES, read_order
from enlarger.dialects.omixa.schemas import ErrorResponse, ImageGeneration, request_body
from enlarger.dialects.omixa.who import KnownCaller, Who
from enlarger.dialects.openapi import errors, paid
from enlarger.dialects.origin import JOB, base_of, origin_of, replay
from enlarger.errors import ModelNotOffered, NotAllowed
from enlarger.money import dollars
from enlarger.service import Pending, Service, Standing

DOOR = "omixa"
OPERATION = "images/generations"
REQUEST_LIMIT_BYTES = 20 * 2**20
"""Of a body: in base64, room for a picture of nearly 15 MiB."""
SEED = "x-enlarger-seed"
HEADERS = {
    SEED: {"description": "The seed that was used.", "schema": {"type": "integer"}},
    JOB: {"description": "The job's id.", "schema": {"type": "string"}},
}
"""OpenAPI's description of what an answer says beside its body."""
NO_TOKENS = {
    "input_tokens": 0,
    "output_tokens": 0,
    "total_tokens": 0,
    "input_tokens_details": {"text_tokens": 0, "image_tokens": 0},
}
"""Clients of OpenAI's say that there are such counts."""


def make_router(service: Service) -> APIRouter:
    """The route, calling `service`."""
    router = APIRouter(prefix="/api/v1/images", tags=["Images"])
    body, _ = request_body()

    @router.post(
        "/generations",
        operation_id="createImageGeneration",
        summary="Enlarge a picture",
        response_model=ImageGeneration,
        responses={
            200: {"description": "The enlarged picture.", "headers": HEADERS},
            **errors(ErrorResponse, (401, 402, 403, 408, 409, 413, 415, 422, 429, 500, 503, 504)),
        },
        openapi_extra=paid(body),
    )
    async def create_image_generation(request: Request, caller: KnownCaller) -> Response:
        async with service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)):
            pending = await accept(service, request, caller)
        kept = await service.answers.find(pending)
        if kept is not None:
            return replay(kept)
        request.state.pending = pending
        job = await service.wait(caller, pending.ticket.job_id)
        picture = await service.result(job)
        [standing] = await service.standings([job], base_of(request))
        headers = {SEED: str(job.request.seed), JOB: job.id, "cache-control": "no-store"}
        # Base64 of many megabytes takes a while that other requests need not wait.
        answer = await asyncio.to_thread(generation, standing, picture)
        return Response(answer, headers=headers, media_type="application/json")

    return router


async def accept(service: Service, request: Request, caller: Caller) -> Pending:
    """Read the request and submit it."""
    # A function of its own, so that the upload is gone from memory while the caller waits.
    who: Who = request.app.state.who
    body = await read_json(request, REQUEST_LIMIT_BYTES)
    await asyncio.to_thread(who.check_body, request, body)
    order = await asyncio.to_thread(read_order, body)
    check_may_use(caller, order.model)
    origin = await origin_of(request, DOOR, OPERATION, order.fields)
    header = await service.examine(order.picture)
    order.model.limits.check(header, INPUT_IMAGES)
    try:
        ticket = await service.submit(
            caller, origin, order.model.product, order.request, order.picture, header
        )
    except ModelNotOffered as error:
        said = error.message.replace(repr(order.model.product), repr(order.model.id))
        raise ModelNotOffered(said, param=error.param) from None
    return Pending(caller, origin, ticket)


def check_may_use(caller: Caller, model: Model) -> None:
    """Raise NotAllowed, in Omixa's names, for a model that the key is not for."""
    allowed = caller.terms.models
    if allowed is not None and model.product not in allowed:
        named = ", ".join(shown(product) for product in allowed) or "none"
        raise NotAllowed(f"This key may not use model {model.id!r}; it may use: {named}.", param="model")


def generation(standing: Standing, picture: bytes) -> bytes:
    """A job that has succeeded, as JSON; the picture goes into it in base64."""
    job, charge = standing.job, standing.charge
    billed = 0 if charge is None else charge.billed_micros or 0
    return msgspec.json.encode(
        {
            "created": (job.finished_ms or job.created_ms) // 1000,
            "data": [{"b64_json": picture, "url": None}],
            "usage": {"billed_amount": dollars(billed), **NO_TOKENS},
        }
    )
