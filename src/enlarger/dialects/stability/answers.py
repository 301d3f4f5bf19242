"""Finished jobs in Stability's form."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from fastapi import Request, Response

from enlarger.dialects.origin import GENERATION
from enlarger.dialects.stability.fields import wants_json
from enlarger.jobs import Job

PROXY = "/proxy/stability"
"""Below it ComfyUI's own nodes call, which accept anything, expect JSON, and shrink their pictures to the
limit by rounding each side by itself."""


def is_proxied(request: Request) -> bool:
    """Whether a request came below ComfyUI's prefix."""
    return str(request.scope.get("root_path", "")).endswith(PROXY)


async def picture(request: Request, job: Job, encoded: bytes, **more: Any) -> Response:
    """A finished job as bytes with headers, or as JSON, by what the caller accepts.

    encoded  the picture, as it is stored.
    more     further members of the JSON; bytes become base64.
    """
    media_type = job.request.output_format.media_type
    seed = job.request.seed
    accept = request.headers.get("accept")
    if wants_json(accept) or (is_proxied(request) and "image/" not in (accept or "")):
        body = {"image": encoded, "finish_reason": "SUCCESS", "seed": seed, **more}
        # Base64 of many megabytes takes a while that other requests need not wait.
        content = await asyncio.to_thread(msgspec.json.encode, body)
        # The parameter is the vendor's; clients look for the part before it.
        return Response(content, media_type=f"application/json; type={media_type}")
    headers = {"finish-reason": "SUCCESS", "seed": str(seed)}
    if job.alias is not None:
        headers[GENERATION] = job.alias
    return Response(encoded, media_type=media_type, headers=headers)


def in_progress(generation_id: str, status_code: int) -> Response:
    """That a job goes on: its id, and how it stands."""
    body = {"id": generation_id, "status": "in-progress"}
    return Response(msgspec.json.encode(body), status_code, media_type="application/json")
