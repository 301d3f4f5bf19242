"""Jobs in Scenario's form, and `/v1/jobs`."""

from __future__ import annotations

import inspect
import re
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from enlarger.accounts import Act, Caller
from enlarger.dialects.body import BadField
from enlarger.dialects.openapi import errors
from enlarger.dialects.origin import base_of
from enlarger.dialects.scenario.asset_routes import answer, small_body
from enlarger.dialects.scenario.assets import DOOR
from enlarger.dialects.scenario.errors import STATUSES, Refused
from enlarger.dialects.scenario.inputs import Input, Kind, body_schema, read_values
from enlarger.dialects.scenario.pages import CommonQuery, Name, PageQuery, moment_of, types_of
from enlarger.dialects.scenario.schemas import ErrorResponse, JobListResponse, JobResponse, Status
from enlarger.dialects.scenario.units import units_of
from enlarger.dialects.scenario.upload_views import find_upload_job
from enlarger.dialects.scenario.who import KnownCaller, KnownPoller
from enlarger.errors import NotFound
from enlarger.jobs import Job, JobFilter, JobState
from enlarger.jobs.job import TERMINAL
from enlarger.moment import zulu_of
from enlarger.service import Service, Standing

STATUS_OF: dict[JobState, Status] = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "in-progress",
    JobState.SUCCEEDED: "success",
    JobState.FAILED: "failure",
    JobState.CANCELLED: "canceled",
}
"""Ours in theirs; `pending`, `warming-up` and `finalizing` never happen here."""
JOB_ID = re.compile(r"job_[A-Za-z0-9]{24}")
ACTION = (Input(name="action", kind=Kind.STRING, allowed=("cancel",), is_required=True),)
ERRORS = errors(ErrorResponse, STATUSES)
JobId = Annotated[str, Path(alias="jobId")]


class JobsQuery(PageQuery):
    """Which jobs."""

    status: Status | None = None
    type: Name = None
    types: str | None = Field(None, description="Comma-separated; `type` is ignored beside it.")
    author_id: Name = Field(None, description="The key that asked for it.")
    created_after: str | None = None
    updated_after: str | None = None
    hide_results: bool | None = Field(None, description="false leaves out jobs that were sent so.")
    workflow_id: str | None = Field(None, description="There are none.")

    def choice(self) -> JobFilter:
        """The filter. Raises BadParameter for a date that is none, BadField."""
        memo: dict[str, tuple[Any, ...]] = {}
        types = types_of(self.type, self.types)
        if types is not None:
            memo["type"] = types
        if self.hide_results is False:
            memo["isHidden"] = (False,)
        states = None
        if self.status is not None:
            states = tuple(ours for ours, theirs in STATUS_OF.items() if theirs == self.status)
        if self.workflow_id is not None:
            states = ()
        return JobFilter(
            states=states,
            door=DOOR,
            key_id=None if self.author_id is None else self.author_id.replace("\0", " "),
            created_after_ms=moment_of(self.created_after, "createdAfter"),
            updated_after_ms=moment_of(self.updated_after, "updatedAfter"),
            memo=memo,
        )


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(prefix="/v1/jobs", tags=["Jobs"], responses=ERRORS)

    async def one(request: Request, job: Job) -> Response:
        [standing] = await service.standings([job], base_of(request))
        return answer({"job": show(standing)})

    @router.get("", operation_id="jobList", summary="Jobs", responses={200: {"model": JobListResponse}})
    async def list_jobs(
        request: Request, caller: KnownCaller, query: Annotated[JobsQuery, Query()]
    ) -> Response:
        caller.check_may(Act.READ)
        after = None
        if query.pagination_token is not None:
            try:
                after = (await find(service, caller, query.pagination_token)).id
            except NotFound:
                shown = query.pagination_token[:60]
                raise BadField("paginationToken", f"is none of ours: {shown!r}") from None
        page = await service.jobs(caller, query.choice(), limit=query.page_size, after=after)
        standings = await service.standings(page.jobs, base_of(request))
        body: dict[str, Any] = {"jobs": [show(standing) for standing in standings]}
        if page.has_more:
            body["nextPaginationToken"] = page.jobs[-1].alias
        return answer(body)

    @router.get(
        "/{jobId}", operation_id="jobRetrieve", summary="A job", responses={200: {"model": JobResponse}}
    )
    async def retrieve(
        request: Request, job_id: JobId, caller: KnownPoller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.READ)
        try:
            job = await find(service, caller, job_id)
        except NotFound:
            return answer({"job": await find_upload_job(service, caller, job_id)})
        return await one(request, job)

    @router.post(
        "/{jobId}/action",
        operation_id="jobTriggerAction",
        summary="Cancel a job, at no charge",
        responses={200: {"model": JobResponse}},
        openapi_extra=body_schema(ACTION, "JobTriggerActionParams", {"action": "cancel"}),
    )
    async def trigger_action(
        request: Request, job_id: JobId, caller: KnownCaller, query: Annotated[CommonQuery, Query()]
    ) -> Response:
        caller.check_may(Act.RUN)
        read_values(await small_body(request), ACTION)
        try:
            job = await find(service, caller, job_id)
        except NotFound:
            await find_upload_job(service, caller, job_id)
            raise Refused("Cannot cancel this type of job") from None
        if job.state not in TERMINAL:
            job = await service.cancel(caller, job.id)
            if job.state is JobState.CANCELLED:
                return await one(request, job)
        raise Refused(f"Cannot cancel this job: its status is {STATUS_OF[job.state]}")

    return router


async def find(service: Service, caller: Caller, job_id: str) -> Job:
    """A job that came through this door. Raises NotFound."""
    if JOB_ID.fullmatch(job_id):
        job = await service.by_alias(caller, job_id)
        if job.door == DOOR:
            return job
    raise NotFound(f"there is no job {job_id[:60]!r}")


def show(standing: Standing) -> dict[str, Any]:
    """A job on the wire."""
    job = standing.job
    price = 0 if standing.charge is None else standing.charge.price_micros
    metadata: dict[str, Any] = {
        "assetIds": [job.memo["assetId"]] if job.state is JobState.SUCCEEDED else [],
        "input": job.memo["input"],
    }
    if job.state is JobState.FAILED and job.error is not None:
        metadata["error"] = job.error.message
        metadata["hint"] = inspect.cleandoc(type(job.error).__doc__ or "")
    history = [("queued", job.created_ms)]
    if job.started_ms is not None:
        history.append(("in-progress", job.started_ms))
    if job.finished_ms is not None:
        history.append((STATUS_OF[job.state], job.finished_ms))
    return {
        "jobId": job.alias,
        "jobType": job.memo["type"],
        "status": STATUS_OF[job.state],
        "progress": job.progress,
        "metadata": metadata,
        "statusHistory": [{"status": status, "date": zulu_of(when)} for status, when in history],
        "createdAt": zulu_of(job.created_ms),
        "updatedAt": zulu_of(history[-1][1]),
        "authorId": job.key_id,
        "ownerId": job.workspace_id,
        "billing": {"cuCost": units_of(price), "cuDiscount": 0},
    }
