"""`/v2beta/stable-image/upscale/...`."""

from __future__ import annotations

import base64
import secrets
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from enlarger.accounts import Caller
from enlarger.dialects.body import announced_bytes, contents, read_choice, read_form, read_image
from enlarger.dialects.origin import origin_of, replay
from enlarger.dialects.stability import limits
from enlarger.dialects.stability.errors import REQUEST_LIMIT_BYTES
from enlarger.dialects.stability.fields import read_secret, wants_json
from enlarger.dialects.stability.schemas import (
    OUTPUT_FORMATS,
    ErrorResponse,
    FastUpscaleRequest,
    UpscaleImageResponse,
    multipart,
)
from enlarger.jobs import Job
from enlarger.request import SEED_MAX, Mode, UpscaleRequest
from enlarger.service import Pending, Service
from enlarger.target import Target

DOOR = "stability"
FAST = "upscale/fast"
FAST_SCALE = 4.0
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorResponse} for status in (400, 401, 402, 403, 409, 413, 429, 500, 503, 504)
}


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(prefix="/v2beta/stable-image/upscale", tags=["Upscale"])

    @router.post(
        "/fast",
        operation_id="upscaleImageFast",
        summary="Fast upscale",
        response_class=Response,
        responses={
            200: {
                "description": "The enlarged picture, four times as wide and as high.",
                "content": {
                    **{choice.media_type: {} for choice in OUTPUT_FORMATS},
                    "application/json": {"schema": UpscaleImageResponse.model_json_schema()},
                },
            },
            **ERRORS,
        },
        openapi_extra=multipart(FastUpscaleRequest),
    )
    async def upscale_image_fast(request: Request) -> Response:
        caller = await service.authenticate(read_secret(request.headers))
        async with service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)):
            pending = await accept_fast(request, caller)
        answer = await service.answer(pending)
        if answer is not None:
            return replay(answer)
        request.state.pending = pending
        job = await service.wait(caller, pending.ticket.job_id)
        return render(request, job, await service.result(job))

    async def accept_fast(request: Request, caller: Caller) -> Pending:
        # A function of its own, so that the upload is gone from memory while the caller waits.
        async with read_form(request, REQUEST_LIMIT_BYTES) as form:
            picture = await read_image(form)
            output_format = read_choice(form, "output_format", OUTPUT_FORMATS)
            origin = origin_of(request, DOOR, FAST, await contents(form))
        header = await service.examine(picture)
        limits.FAST.check(header)
        wanted = UpscaleRequest(
            mode=Mode.FAST,
            target=Target.factor(FAST_SCALE),
            output_format=output_format,
            seed=1 + secrets.randbelow(SEED_MAX),
        )
        ticket = await service.submit(caller, origin, Mode.FAST, wanted, picture, header)
        return Pending(caller, origin, ticket)

    return router


def render(request: Request, job: Job, picture: bytes) -> Response:
    """A finished job as bytes with headers, or as JSON, by what the caller accepts."""
    media_type = job.request.output_format.media_type
    if wants_json(request.headers.get("accept")):
        body = {
            "image": base64.b64encode(picture).decode("ascii"),
            "finish_reason": "SUCCESS",
            "seed": job.request.seed,
        }
        # The parameter is the vendor's; clients look for the part before it.
        return Response(msgspec.json.encode(body), media_type=f"application/json; type={media_type}")
    headers = {"finish-reason": "SUCCESS", "seed": str(job.request.seed)}
    return Response(picture, media_type=media_type, headers=headers)
