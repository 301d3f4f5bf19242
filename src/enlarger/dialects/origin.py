"""What every door reads of a request in the same way: its id, its idempotency key, its repetition."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from fastapi import Request, Response

from enlarger.jobs.idempotency import Answer, fingerprint_of, hash_key
from enlarger.jobs.submission import Origin

IDEMPOTENCY_KEY = "idempotency-key"
RETRY_COUNT = "x-stainless-retry-count"
"""By which clients that were generated with Stainless say that they send a request again."""
JOB = "x-enlarger-job"
"""The id of the job that a request has made, for the doors whose vendor has no place for one."""
GENERATION = "x-generation-id"
"""The id by which the door that a job came through takes it, where it has one of its own."""
REPLAYED = "idempotent-replayed"
"""On an answer that was given before; the name is Stripe's."""


async def origin_of(
    request: Request,
    door: str,
    operation: str,
    fields: Iterable[tuple[str, bytes]],
    *,
    is_answered_at_acceptance: bool = False,
) -> Origin:
    """Where a request came from, and how it is told apart from others.

    fields                     the body as the caller meant it: names and values, without what separates
                               them.
    is_answered_at_acceptance  see `Origin`.

    Raises BadParameter for an idempotency key that is none.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    key_hash = None if key is None else hash_key(key)
    retries = request.headers.get(RETRY_COUNT, "")
    return Origin(
        door=door,
        operation=operation,
        request_id=request.scope["state"]["x-request-id"],
        # A hash of many megabytes takes a while that other requests need not wait.
        fingerprint=await asyncio.to_thread(fingerprint_of, fields),
        key_hash=key_hash,
        is_retry=retries.isdecimal() and retries.strip("0") != "",
        is_answered_at_acceptance=is_answered_at_acceptance,
    )


def base_of(request: Request) -> str:
    """Scheme and host that the caller reached us at, for links."""
    return f"{request.url.scheme}://{request.url.netloc}"


def replay(answer: Answer) -> Response:
    """An answer that was given before, byte for byte."""
    response = Response(answer.body, answer.status)
    for name, value in answer.headers:
        response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response
