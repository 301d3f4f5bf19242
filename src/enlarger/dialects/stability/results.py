"""Where results are asked for by a generation's id."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response

from enlarger.dialects.openapi import errors
from enlarger.dialects.stability import answers
from enlarger.dialects.stability.fields import read_secret
from enlarger.dialects.stability.schemas import AsyncGenerationResponse, ErrorResponse, ResultResponse
from enlarger.dialects.stability.upscale import picture_or_json
from enlarger.errors import NotFound
from enlarger.jobs import JobState
from enlarger.service import Service

CREATIVE_RESULT = "/v2beta/stable-image/upscale/creative/result/{id}"
FORMER_RESULT = "/v2alpha/generation/stable-image/upscale/result/{id}"

GENERATION = re.compile(r"[0-9a-f]{64}")


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(
        tags=["Results"],
        responses={
            200: picture_or_json(
                "The picture, as often as it is asked for until it expires.", ResultResponse
            ),
            202: {"description": "The generation goes on.", "model": AsyncGenerationResponse},
            **errors(ErrorResponse, (401, 404, 409, 429, 500, 503, 504)),
        },
    )

    async def result(request: Request, id: str) -> Response:
        caller = await service.authenticate(read_secret(request.headers), is_poll=True)
        if not GENERATION.fullmatch(id):
            raise NotFound
        job = await service.by_alias(caller, id)
        if job.state in (JobState.QUEUED, JobState.RUNNING):
            return answers.in_progress(id, 202)
        picture = await service.result(job)
        # The vendor's document says `image`, its server says `result`: clients of each kind read one.
        return await answers.picture(request, job, picture, result=picture)

    router.get(
        "/v2beta/results/{id}",
        operation_id="getGenerationResult",
        summary="The result of a generation",
        response_class=Response,
    )(result)
    router.get(
        CREATIVE_RESULT,
        operation_id="getUpscaleCreativeResult",
        summary="The result of a creative upscale",
        response_class=Response,
    )(result)
    router.get(FORMER_RESULT, include_in_schema=False)(result)
    return router
