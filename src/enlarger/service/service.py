"""The use cases: the only door that dialects and pages go through.

Everything here is the same whoever calls: limits, acceptance, money, waiting, results. Nothing here
knows a vendor's words, and no network is ever loaded in this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOSClient

from enlarger.accounts import Accounts, Act, Caller
from enlarger.bells import Bell
from enlarger.database import now_ms
from enlarger.database.threads import in_thread
from enlarger.errors import NotFound
from enlarger.fetching import Fetcher
from enlarger.imaging import API_FORMATS, Header, probe
from enlarger.jobs import Job, JobFilter, JobPage, Jobs
from enlarger.jobs.submission import Acceptance, Depth, DoorTerms, Origin, Ticket
from enlarger.jobs.waiting import Waiting
from enlarger.ledger import ledger, prices
from enlarger.ledger.ledger import Balance, Charge
from enlarger.ledger.prices import PriceList, Quote
from enlarger.limits.admission import Admission
from enlarger.limits.limiter import Limiter
from enlarger.request import UpscaleRequest
from enlarger.service.answers import Answers
from enlarger.service.assets import AssetLibrary
from enlarger.service.linked import LinkedPictures
from enlarger.service.submitting import Submitting, Variant
from enlarger.service.uploads import Uploading
from enlarger.storage import Links, ObjectStore

LINK_S = 86_400
"""Longest life of a link to a result; it never outlives the result."""


@dataclass(frozen=True)
class Limits:
    """What this installation takes, whatever the door."""

    max_input_pixels: int
    max_output_pixels: int
    wait_timeout_s: float
    depth: Depth
    job_deadline_s: float
    keep_results_ms: int
    keep_answers_ms: int


@dataclass(frozen=True)
class Standing:
    """A job with what is known of it beside its row."""

    job: Job
    charge: Charge | None
    """None for jobs of versions that charged nothing."""
    link: str | None
    """Opens the result for whoever has it; None where there is no result, or none any longer."""
    link_expires_ms: int | None


class Service:
    """Submit, wait, fetch, cancel, account; one instance in the API process."""

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
        fetcher: Fetcher,
        links: Links,
        bells: Path,
        bell: Bell | None = None,
    ) -> None:
        """
        bells  folder of the bells of this machine; the workers' are rung when a job is accepted.
        bell   of this process, rung when a job has ended.
        """
        self._engine = engine
        self._store = store
        self._accounts = accounts
        self._limits = limits
        self._limiter = limiter
        self._admission = admission
        self._fetcher = fetcher
        self._jobs = Jobs(engine, keep_results_ms=limits.keep_results_ms)
        self._acceptance = Acceptance(engine, client, limits.depth, keep_answers_ms=limits.keep_answers_ms)
        self._submitting = Submitting(
            self._acceptance,
            store,
            bells,
            max_output_pixels=limits.max_output_pixels,
            job_deadline_s=limits.job_deadline_s,
        )
        self._waiting = Waiting(self._jobs, bell)
        self.answers = Answers(engine, store, self._jobs)
        """What repeated requests are answered."""
        self.assets = AssetLibrary(engine, store)
        """Pictures that workspaces keep."""
        self.linked = LinkedPictures(store, links)
        """Pictures that callers name by our own links."""
        self.uploads = Uploading(engine, store, links, examine=self.examine, admit=self.admit)
        """Pictures that arrive in parts."""

    async def authenticate(
        self, secret: str, key_id: str | None = None, *, is_poll: bool = False
    ) -> Caller:
        """Who holds this secret; once a request, because it counts the request of the key.

        key_id   where the client sends one, it must be the key's.
        is_poll  whether the request looks after one job that was accepted. Such are not counted: who
                 has many jobs under way and asks for each once a second would be shut out by that.

        Raises BadKey, or RateLimited if the key has sent too many requests.
        """
        caller = await in_thread(lambda: self._accounts.keys.authenticate(secret, key_id))
        if not is_poll:
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

    def fetching(self, caller: Caller, *, param: str) -> AbstractContextManager[None]:
        """A turn to `fetch`, one a workspace at a time.

        It is to be taken before room is (`admit`): who waits for a stranger's server, or is refused, would
        keep room from those who bring their pictures.

        Raises BadParameter if this installation fetches nothing, BusyError instead of waiting.
        """
        return self._fetcher.turn(caller.workspace.id, param=param)

    async def fetch(self, url: str, *, max_bytes: int, param: str) -> bytes:
        """The bytes of a picture that a caller names by URL; within a turn that `fetching` gave.

        param  the caller's field, for errors.

        Raises BadParameter, PictureTooLarge.
        """
        return await asyncio.to_thread(lambda: self._fetcher.fetch(url, max_bytes=max_bytes, param=param))

    async def earlier(self, caller: Caller, origin: Origin) -> Ticket | None:
        """The ticket of an earlier request that this one repeats; None where it is the first.

        For doors that would look for something first that may be gone by now. `submit` asks the same.
        Raises what `Acceptance.earlier` does.
        """
        return await in_thread(lambda: self._acceptance.earlier(caller, origin))

    async def submit(
        self,
        caller: Caller,
        origin: Origin,
        model: str,
        request: UpscaleRequest,
        picture: bytes,
        header: Header,
        *,
        styles: Sequence[bytes] = (),
        terms: DoorTerms = DoorTerms(),  # noqa: B008 (a frozen value)
    ) -> Ticket:
        """Accept a job: from then on it ends, well or badly, whatever happens, and is charged once.

        model   the public name of what is bought; the price goes by it.
        header  what `examine` said of `picture`.
        styles  style pictures, each examined before.
        terms   what the door wants kept with the job.

        Returns the earlier request's ticket where this one repeats it (`Origin`). Raises
        PictureTooLarge if the result would be larger than this installation or the output format
        allows, and what `Acceptance.accept` raises; then nothing is kept and nothing is charged.
        """
        variant = Variant(origin, request, terms)
        submission = self._submitting.draw(
            caller, model, variant, header, len(picture), style_count=len(styles)
        )

        def accept() -> Ticket:
            earlier = self._acceptance.earlier(caller, origin)
            if earlier is not None:
                return earlier
            [ticket] = self._submitting.accept([submission], [picture, *styles])
            return ticket

        return await in_thread(accept)

    async def submit_all(
        self, caller: Caller, model: str, variants: Sequence[Variant], picture: bytes, header: Header
    ) -> list[Ticket]:
        """Accept a job for each variant of one picture, as `submit` does: all of them, or none."""
        submissions = [
            self._submitting.draw(caller, model, variant, header, len(picture)) for variant in variants
        ]
        return await in_thread(lambda: self._submitting.accept(submissions, [picture]))

    async def quote(
        self,
        caller: Caller,
        model: str,
        request: UpscaleRequest,
        header: Header,
        *,
        price_permille: int = 1000,
    ) -> Quote:
        """What `submit` would charge, with everything checked as there and nothing kept.

        price_permille  see `DoorTerms`.
        """
        size = self._submitting.check(caller, model, request, header)
        quote = (await self.prices()).quote(model, size.width * size.height)
        return quote.times(price_permille)

    async def wait(self, caller: Caller, job_id: str) -> Job:
        """The job when it has succeeded.

        Raises the error that it failed with, WaitTimeout if it took too long (it goes on), or
        NotFound if it is not the caller's.
        """
        await self.status(caller, job_id)
        job = await self._waiting.wait(job_id, self._limits.wait_timeout_s)
        if job.error is not None:
            raise job.error
        return job

    async def status(self, caller: Caller, job_id: str) -> Job:
        """The job as it stands. Raises NotFound, also for another workspace's."""
        return await in_thread(lambda: self._jobs.get(job_id, caller.workspace.id))

    async def by_alias(self, caller: Caller, alias: str) -> Job:
        """The job that its door calls so. Raises NotFound, also for another workspace's."""
        return await in_thread(lambda: self._jobs.by_alias(alias, caller.workspace.id))

    async def jobs(
        self, caller: Caller, choice: JobFilter, *, limit: int = 20, after: str | None = None
    ) -> JobPage:
        """The workspace's jobs, the latest first; see `Jobs.page`."""
        workspace_id = caller.workspace.id
        return await in_thread(lambda: self._jobs.page(workspace_id, choice, limit=limit, after=after))

    async def cancel(self, caller: Caller, job_id: str) -> Job:
        """Stop a job that is still under way, at no charge; the job as it stands then.

        A job that has ended stays as it is. Raises NotFound, NotAllowed.
        """
        caller.check_may(Act.RUN)

        def cancel() -> Job:
            self._jobs.get(job_id, caller.workspace.id)
            self._jobs.cancel(job_id, caller.workspace.id)
            return self._jobs.get(job_id, caller.workspace.id)

        return await in_thread(cancel)

    async def result(self, job: Job) -> bytes:
        """The encoded picture of a job that succeeded.

        Raises the error that the job ended with, NotFound once either has expired.
        """
        if job.expires_ms is not None and job.expires_ms <= now_ms():
            raise NotFound
        if job.error is not None:
            raise job.error
        outcome = job.outcome
        if outcome is None:
            raise NotFound
        return await in_thread(lambda: self._store.read(outcome.result_key))

    async def standings(self, jobs: Sequence[Job], base_url: str) -> list[Standing]:
        """Jobs with their prices and links.

        base_url  scheme and host that the caller reached us at, for links where no other is set.
        """

        def look() -> list[Standing]:
            with self._engine.connect() as connection:
                charges = ledger.charges(connection, [job.id for job in jobs])
            return [Standing(job, charges.get(job.id), *self._link(job, base_url)) for job in jobs]

        return await in_thread(look)

    async def balance(self, caller: Caller) -> Balance:
        """What the caller's workspace has."""

        def read() -> Balance:
            with self._engine.connect() as connection:
                return ledger.balance(connection, caller.workspace.id)

        return await in_thread(read)

    async def spent(self, caller: Caller) -> int:
        """Micro-credits that the caller's key has spent, or that are set aside for its jobs under way."""
        return (await in_thread(lambda: self._accounts.keys.get(caller.key_id))).spent_micros

    async def prices(self) -> PriceList:
        """What is on offer, and for how much."""

        def read() -> PriceList:
            with self._engine.connect() as connection:
                return prices.current(connection)

        return await in_thread(read)

    def _link(self, job: Job, base_url: str) -> tuple[str | None, int | None]:
        """A link to the result and when it ends; none where there is no result."""
        now = now_ms()
        left_s = LINK_S if job.expires_ms is None else min(LINK_S, (job.expires_ms - now) // 1000)
        if job.outcome is None or left_s < 1:
            return None, None
        name = f"{job.id}.{job.request.output_format}"
        link = self._store.signed_url(
            job.outcome.result_key, expires_in_s=left_s, file_name=name, base_url=base_url
        )
        return link, now + 1000 * left_s
