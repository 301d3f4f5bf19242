"""Waiting for jobs: one poller for all the requests of a process that wait."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

import structlog
from sqlalchemy.exc import SQLAlchemyError

from enlarger.bells import Bell
from enlarger.errors import WaitTimeout
from enlarger.faults import fault
from enlarger.jobs.job import Job
from enlarger.jobs.jobs import Jobs

LOG = structlog.get_logger()

POLL_LEAST_S = 0.025
POLL_MOST_S = 0.25
POLL_SHARE = 1 / 8
"""The poller rests for this share of the time since the last request came: what a job of another machine
takes grows by no more, and work on this one is not held up by questions."""


class Waiting:
    """Wakes whoever waits for a job: at its end if that is on this machine, else within 25 to 250 ms of it.

    One query serves all who wait, however many; nobody waiting, nothing is asked.
    """

    def __init__(
        self, jobs: Jobs, bell: Bell | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        bell  rings when a job of this machine has ended; whoever waits for that one is woken at once.
        """
        self._jobs = jobs
        self._bell = bell
        self._rung = asyncio.Event()
        self._clock = clock
        self._waiters: dict[asyncio.Future[Job], str] = {}
        self._last_arrival = 0.0
        self._poller: asyncio.Task[None] | None = None

    async def wait(self, job_id: str, timeout_s: float) -> Job:
        """The job when it has ended. Raises WaitTimeout after `timeout_s`; the job goes on."""
        end: asyncio.Future[Job] = asyncio.get_running_loop().create_future()
        self._waiters[end] = job_id
        self._last_arrival = self._clock()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(timeout_s):
                return await end
        except TimeoutError:
            raise WaitTimeout from None
        finally:
            del self._waiters[end]

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        if self._bell is None:
            yield
            return
        bell, loop = self._bell, asyncio.get_running_loop()

        def on_ring() -> None:
            bell.take()
            self._rung.set()

        loop.add_reader(bell.fileno(), on_ring)
        try:
            yield
        finally:
            loop.remove_reader(bell.fileno())

    async def _poll(self) -> None:
        with self._listening():
            await self._look_again_and_again()

    async def _look_again_and_again(self) -> None:
        while self._waiters:
            rest_s = POLL_SHARE * (self._clock() - self._last_arrival)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(max(POLL_LEAST_S, rest_s), POLL_MOST_S)):
                    await self._rung.wait()
            self._rung.clear()
            fault("api.mid_wait")
            waiting = set(self._waiters.values())
            try:
                ended = await asyncio.to_thread(self._jobs.ended, waiting)
            except SQLAlchemyError as error:
                # Those who wait have a time limit of their own; the database may be back before it.
                LOG.warning("waiting.poll_failed", error=type(error).__name__)
                continue
            for end, job_id in self._waiters.items():
                if job_id in ended and not end.done():
                    end.set_result(ended[job_id])
