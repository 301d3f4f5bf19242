"""`/v1/jobs`: make, list, look at, fetch, cancel."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from enlarger.accounts import Act, Caller
from enlarger.dialects.body import announced_bytes, contents, read_form
from enlarger.dialects.openapi import errors, paid, pictures
from enlarger.dialects.origin import JOB, base_of, origin_of, replay
from enlarger.dialects.own.form import REQUEST_LIMIT_BYTES, multipart, read_order
from enlarger.dialects.own.schemas import (
    ErrorResponse,
    JobError,
    JobResponse,
    JobResult,
    ListResponse,
    maybe_amount,
    maybe_moment,
)
from enlarger.dialects.own.who import KnownCaller, KnownPoller
from enlarger.errors import BadParameter, NotDone, NotFound
from enlarger.jobs import Job, JobFilter, JobState
from enlarger.jobs.job import UNDER_WAY
from enlarger.jobs.submission import DoorTerms
from enlarger.moment import iso_of
from enlarger.request import OutputFormat
from enlarger.service import Pending, Service, Standing

DOOR = "own"
OPERATION = "jobs"
LIMIT_MAX = 100
ERRORS = errors(ErrorResponse, (400, 401, 402, 403, 404, 408, 409, 413, 415, 429, 500, 503, 504))


class JobsQuery(BaseModel):
    """Which jobs."""

    model_config = ConfigDict(extra="forbid")

    state: JobState | None = None
    limit: int = 20
    starting_after: str | None = None


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(prefix="/v1/jobs", tags=["Jobs"], responses=ERRORS)

    async def views(request: Request, jobs: list[Job]) -> list[JobResponse]:
        return [view(standing) for standing in await service.standings(jobs, base_of(request))]

    @router.post(
        "",
        operation_id="createJob",
        summary="Make a job",
        status_code=202,
        response_model=JobResponse,
        responses={200: {"model": JobResponse, "description": "With `wait`: it has succeeded."}},
        openapi_extra=paid(multipart()),
    )
    async def create_job(request: Request, caller: KnownCaller) -> Response:
        caller.check_may(Act.RUN)
        async with service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)):
            pending = await accept(request, caller)
        answer = await service.answers.find(pending)
        if answer is not None:
            return replay(answer)
        request.state.pending = pending
        job_id = pending.ticket.job_id
        look = service.status if pending.origin.is_answered_at_acceptance else service.wait
        [shown] = await views(request, [await look(caller, job_id)])
        status = 202 if shown.state in UNDER_WAY else 200
        body = msgspec.json.encode(shown.model_dump(mode="json"))
        headers = {JOB: job_id, "cache-control": "no-store"}
        return Response(body, status, headers, media_type="application/json")

    async def accept(request: Request, caller: Caller) -> Pending:
        # A function of its own, so that the upload is gone from memory while the caller waits.
        async with read_form(request, REQUEST_LIMIT_BYTES) as form:
            order = await read_order(form)
            origin = await origin_of(
                request,
                DOOR,
                OPERATION,
                await contents(form),
                is_answered_at_acceptance=not order.wait,
            )
        header = await service.examine(order.picture)
        ticket = await service.submit(
            caller,
            origin,
            order.request.mode,
            order.request,
            order.picture,
            header,
            terms=DoorTerms(deadline_s=order.deadline_s),
        )
        return Pending(caller, origin, ticket)

    @router.get("", operation_id="listJobs", summary="The workspace's jobs, of every door")
    async def list_jobs(
        request: Request, caller: KnownCaller, query: Annotated[JobsQuery, Query()]
    ) -> ListResponse[JobResponse]:
        caller.check_may(Act.READ)
        if not 1 <= query.limit <= LIMIT_MAX:
            raise BadParameter(f"limit is {query.limit}; it must be 1 to {LIMIT_MAX}", param="limit")
        states = None if query.state is None else (query.state,)
        page = await service.jobs(
            caller, JobFilter(states=states), limit=query.limit, after=query.starting_after
        )
        return ListResponse(data=await views(request, list(page.jobs)), has_more=page.has_more)

    @router.get("/{job_id}", operation_id="getJob", summary="A job as it stands")
    async def get_job(request: Request, job_id: str, caller: KnownPoller) -> JobResponse:
        caller.check_may(Act.READ)
        [shown] = await views(request, [await service.status(caller, job_id)])
        return shown

    @router.get(
        "/{job_id}/result",
        operation_id="getResult",
        summary="The picture",
        response_class=Response,
        responses={200: {"description": "The enlarged picture.", "content": pictures(OutputFormat)}},
    )
    async def get_result(job_id: str, caller: KnownPoller) -> Response:
        caller.check_may(Act.READ)
        job = await service.status(caller, job_id)
        if job.state in UNDER_WAY:
            raise NotDone(f"job {job_id} is {job.state}; there is no result yet")
        if job.state is JobState.CANCELLED:
            raise NotFound(f"job {job_id} was cancelled; there is no result")
        output_format = job.request.output_format
        headers = {
            "content-disposition": f'attachment; filename="{job.id}.{output_format}"',
            "cache-control": "private, no-store",
            "x-content-type-options": "nosniff",
        }
        picture = await service.result(job)
        return Response(picture, headers=headers, media_type=output_format.media_type)

    @router.post("/{job_id}/cancel", operation_id="cancelJob", summary="Stop a job, at no charge")
    @router.delete("/{job_id}", operation_id="deleteJob", summary="The same")
    async def cancel_job(request: Request, job_id: str, caller: KnownCaller) -> JobResponse:
        [shown] = await views(request, [await service.cancel(caller, job_id)])
        return shown

    return router


def view(standing: Standing) -> JobResponse:
    """A job on the wire."""
    job, charge, outcome = standing.job, standing.charge, standing.job.outcome
    result = None
    if outcome is not None:
        result = JobResult(
            url=standing.link,
            url_expires_at=maybe_moment(standing.link_expires_ms),
            width=outcome.width,
            height=outcome.height,
            bytes=outcome.size_bytes,
            media_type=job.request.output_format.media_type,
        )
    error = None
    if job.error is not None:
        error = JobError(message=job.error.message, code=job.error.code, param=job.error.param)
    return JobResponse(
        id=job.id,
        state=job.state,
        progress=job.progress,
        door=job.door,
        key=job.key_id,
        model=job.model,
        request={**json.loads(job.request.to_json()), "target": str(job.request.target)},
        price=None if charge is None else maybe_amount(charge.price_micros),
        billed=None if charge is None else maybe_amount(charge.billed_micros),
        attempts=job.attempts,
        result=result,
        receipt=None if outcome is None or outcome.receipt is None else json.loads(outcome.receipt),
        error=error,
        created_at=iso_of(job.created_ms),
        started_at=maybe_moment(job.started_ms),
        finished_at=maybe_moment(job.finished_ms),
        deadline_at=maybe_moment(job.deadline_ms),
        expires_at=maybe_moment(job.expires_ms),
    )
