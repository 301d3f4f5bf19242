"""The use cases: the only door that dialects and pages go through.

Everything here is the same whoever calls: limits, acceptance, waiting, results. Nothing here knows
a vendor's words, and no network is ever loaded in this process.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import sqlalchemy as sa
from dbos import DBOSClient

from enlarger.accounts import Accounts, Caller
from enlarger.engine.geometry import check_output
from enlarger.errors import NotFound
from enlarger.imaging import API_FORMATS, Format, Header, probe
from enlarger.imaging.encode import check_size
from enlarger.jobs import Job, Jobs
from enlarger.jobs.waiting import Waiting
from enlarger.limits.admission import Admission
from enlarger.limits.limiter import Limiter
from enlarger.request import UpscaleRequest
from enlarger.storage import ObjectStore
from enlarger.target import Size


@dataclass(frozen=True)
class Limits:
    """What this installation takes, whatever the door."""

    max_input_pixels: int
    max_output_pixels: int
    wait_timeout_s: float


class Service:
    """Submit, wait, fetch; one instance in the API process."""

    def __init__(
        self,
        engine: sa.Engine,
        client: DBOSClient,
        store: ObjectStore,
        accounts: Accounts,
        limits: Limits,
        *,
        limiter: Limiter,
        admission: Admission,
    ) -> None:
        self._client = client
        self._store = store
        self._accounts = accounts
        self._limits = limits
        self._limiter = limiter
        self._admission = admission
        self._jobs = Jobs(engine)
        self._waiting = Waiting(self._jobs)

    async def authenticate(self, secret: str) -> Caller:
        """Who holds this secret; once a request, because it counts the request of the key.

        Raises BadKey, or RateLimited if the key has sent too many requests.
        """
        caller = await asyncio.to_thread(self._accounts.authenticate, secret)
        await self._limiter.count_key(caller.key_id)
        return caller

    def admit(self, size_bytes: int) -> AbstractAsyncContextManager[None]:
        """Room for a request's body, to be held from before its first byte is read until it is submitted.

        size_bytes  that the body has, or may have at most where its length is not announced.

        Entering waits for a turn and raises BusyError if none comes in time.
        """
        return self._admission.admit(size_bytes)

    async def examine(self, picture: bytes) -> Header:
        """A picture's format and size. Raises UnsupportedPicture, PictureTooLarge."""
        return await asyncio.to_thread(
            probe, picture, max_pixels=self._limits.max_input_pixels, formats=API_FORMATS
        )

    async def submit(
        self, caller: Caller, door: str, request: UpscaleRequest, picture: bytes, header: Header
    ) -> str:
        """Accept a job and return its id: from then on it ends, well or badly, whatever happens.

        door     the dialect that the request came through.
        header   what `examine` said of `picture`.

        Raises PictureTooLarge if the result would be larger than this installation or the output
        format allows; then nothing is kept.
        """
        source = Size(header.width, header.height)
        size = check_output(source, request.target, self._limits.max_output_pixels).result
        check_size(Format(request.output_format), size.width, size.height)
        return await asyncio.to_thread(self._accept, caller, door, request, picture)

    async def wait(self, caller: Caller, job_id: str) -> Job:
        """The job when it has succeeded.

        Raises the error that it failed with, WaitTimeout if it took too long (it goes on), or
        NotFound if it is not the caller's.
        """
        await self._waiting.wait(job_id, self._limits.wait_timeout_s)
        job = await asyncio.to_thread(self._jobs.get, job_id)
        if job.workspace_id != caller.workspace.id:
            raise NotFound
        if job.error is not None:
            raise job.error
        return job

    async def result(self, job: Job) -> bytes:
        """The encoded picture of a job that succeeded. Raises NotFound once it has expired."""
        if job.outcome is None:
            raise NotFound
        return await asyncio.to_thread(self._store.read, job.outcome.result_key)

    def _accept(self, caller: Caller, door: str, request: UpscaleRequest, picture: bytes) -> str:
        job_id = str(uuid.uuid4())
        input_key = f"ws/{caller.workspace.id}/inputs/{job_id}"
        # The picture first: a job whose picture is missing could not keep its promise.
        self._store.create(input_key, picture)
        self._jobs.submit(
            self._client,
            job_id=job_id,
            workspace_id=caller.workspace.id,
            key_id=caller.key_id,
            door=door,
            request=request,
            input_key=input_key,
        )
        return job_id
