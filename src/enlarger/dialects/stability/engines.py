"""`/v1/engines` and `/v1/generation`: what is left of the vendor's first API."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from enlarger.dialects.body import BadField, announced_bytes, contents, read_form, read_image
from enlarger.dialects.limits import MEGAPIXEL, PictureLimits
from enlarger.dialects.openapi import errors, paid
from enlarger.dialects.origin import origin_of, replay
from enlarger.dialects.stability.errors import REQUEST_LIMIT_BYTES, NoEngine
from enlarger.dialects.stability.fields import read_secret
from enlarger.dialects.stability.schemas import (
    ArtifactsResponse,
    Engine,
    FormerUpscaleRequest,
    V1ErrorResponse,
    multipart,
)
from enlarger.dialects.stability.upscale import DOOR, STATUSES, new_generation_id
from enlarger.imaging import Header
from enlarger.jobs.submission import DoorTerms
from enlarger.request import SEED_MAX, Mode, OutputFormat, UpscaleRequest
from enlarger.service import Pending, Service
from enlarger.target import Target

ENGINE = "esrgan-v1-x2plus"
OPERATION = "image-to-image/upscale"
FACTOR = 2
MIN_SIDE = 512
"""Least width or height that may be asked for."""
MAX_PIXELS = 4 * MEGAPIXEL
"""Largest result."""
LIMITS = PictureLimits(min_side=1, min_pixels=1, max_pixels=MAX_PIXELS)
NUMBER = re.compile(r"[0-9]{1,6}")
PICTURE: dict[str, Any] = {
    "description": "The enlarged PNG; as it is for `accept: image/png`, else as JSON.",
    "content": {
        OutputFormat.PNG.media_type: {},
        "application/json": {"schema": {"$ref": "#/components/schemas/ArtifactsResponse"}},
    },
    "model": ArtifactsResponse,
}


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(tags=["v1"], responses=errors(V1ErrorResponse, (*STATUSES, 404)))

    @router.get("/v1/engines/list", operation_id="listEngines", summary="The engines of v1")
    async def engines_list(request: Request) -> list[Engine]:
        await service.authenticate(read_secret(request.headers))
        return [
            Engine(id=ENGINE, name="ESRGAN x2", description="Upscaling in the fast mode", type="PICTURE")
        ]

    @router.post(
        "/v1/generation/{engine_id}/image-to-image/upscale",
        operation_id="upscaleImage",
        summary="Upscale an image",
        response_class=Response,
        responses={200: PICTURE},
        openapi_extra=paid(multipart(FormerUpscaleRequest)),
    )
    async def upscale_image(request: Request, engine_id: str) -> Response:
        caller = await service.authenticate(read_secret(request.headers))
        if engine_id != ENGINE:
            raise NoEngine(engine_id)
        async with service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)):
            async with read_form(request, REQUEST_LIMIT_BYTES) as form:
                picture = await read_image(form)
                header = await service.examine(picture)
                LIMITS.check(header)
                order = UpscaleRequest(
                    mode=Mode.FAST,
                    target=_read_target(form, header),
                    output_format=OutputFormat.PNG,
                    seed=1 + secrets.randbelow(SEED_MAX),
                )
                origin = await origin_of(request, DOOR, OPERATION, await contents(form))
            terms = DoorTerms(alias=new_generation_id())
            ticket = await service.submit(caller, origin, Mode.FAST, order, picture, header, terms=terms)
        pending = Pending(caller, origin, ticket)
        kept = await service.answers.find(pending)
        if kept is not None:
            return replay(kept)
        request.state.pending = pending
        job = await service.wait(caller, ticket.job_id)
        result = await service.result(job)
        seed = job.request.seed
        if request.headers.get("accept", "").partition(";")[0].strip().lower() == "image/png":
            headers = {"finish-reason": "SUCCESS", "seed": str(seed)}
            return Response(result, media_type="image/png", headers=headers)
        body = {"artifacts": [{"base64": result, "finishReason": "SUCCESS", "seed": seed}]}
        content = await asyncio.to_thread(msgspec.json.encode, body)
        return Response(content, media_type="application/json")

    return router


def _read_target(form: FormData, header: Header) -> Target:
    """Twice the input, or the side that the form names but never below the input's. Raises BadField."""
    named = {field: form.get(field) for field in ("width", "height") if form.get(field) not in (None, "")}
    if len(named) > 1:
        raise BadField("width", "only one of width and height may be given")
    if not named:
        factor = float(FACTOR)
        target = Target.factor(factor)
    else:
        [(field, text)] = named.items()
        side = header.width if field == "width" else header.height
        if not isinstance(text, str) or not NUMBER.fullmatch(text) or int(text) < MIN_SIDE:
            raise BadField(field, f"must be a whole number of at least {MIN_SIDE}, got {str(text)[:40]!r}")
        # Clients that always send the same width would be refused for every picture that is wider.
        wanted = max(int(text), side)
        factor = wanted / side
        target = Target.parse(f"{wanted}{field[0]}")
    pixels = round(header.width * factor) * round(header.height * factor)
    if pixels > MAX_PIXELS:
        raise BadField("image", f"the result may have at most {MAX_PIXELS} pixels, got {pixels}")
    return target
