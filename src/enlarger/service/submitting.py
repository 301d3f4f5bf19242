"""From a request that a door has understood to jobs that are accepted, with their pictures."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from enlarger.accounts import Act, Caller
from enlarger.bells import WORKER, ring
from enlarger.database import now_ms
from enlarger.engine.geometry import check_output
from enlarger.engine.look.presets import preset_of
from enlarger.errors import BadParameter, EnlargerError
from enlarger.faults import fault
from enlarger.imaging import Format, Header
from enlarger.imaging.encode import check_size
from enlarger.jobs.expiry import STYLE_MARK
from enlarger.jobs.submission import Acceptance, DoorTerms, Origin, Submission, Ticket
from enlarger.request import UpscaleRequest
from enlarger.service.discarding import discard
from enlarger.storage import ObjectStore
from enlarger.target import Size

LOG = structlog.get_logger()
DEADLINE_MIN_S = 1.0


@dataclass(frozen=True)
class Variant:
    """One of the results that a request wants of its picture."""

    origin: Origin
    """With an operation of its own where there are several, by which each is found again."""
    request: UpscaleRequest
    terms: DoorTerms = field(default_factory=DoorTerms)
    """What the door wants kept with the job."""


class Submitting:
    """Checks what is asked for, stores the pictures and accepts the jobs."""

    def __init__(
        self,
        acceptance: Acceptance,
        store: ObjectStore,
        bells: Path,
        *,
        max_output_pixels: int,
        job_deadline_s: float,
    ) -> None:
        """
        bells  folder of the bells of this machine; the workers' are rung when a job is accepted.
        """
        self._acceptance = acceptance
        self._store = store
        self._bells = bells
        self._max_output_pixels = max_output_pixels
        self._job_deadline_s = job_deadline_s

    def check(self, caller: Caller, model: str, request: UpscaleRequest, header: Header) -> Size:
        """The result's size, if the caller may have it and this installation makes it."""
        source = Size(header.width, header.height)
        size = check_output(source, request.target, self._max_output_pixels).result
        check_size(Format(request.output_format), size.width, size.height)
        if request.style_preset is not None:
            preset_of(request.style_preset)
        caller.check_may(Act.RUN)
        caller.check_may_use(model)
        return size

    def draw(
        self,
        caller: Caller,
        model: str,
        variant: Variant,
        header: Header,
        input_bytes: int,
        *,
        style_count: int = 0,
    ) -> Submission:
        """A job that may be accepted, checked, with places for its pictures that nobody has had."""
        size = self.check(caller, model, variant.request, header)
        within_s = self._check_deadline(variant.terms.deadline_s)
        job_id = str(uuid.uuid4())
        input_key = f"ws/{caller.workspace.id}/inputs/{job_id}"
        return Submission(
            job_id=job_id,
            caller=caller,
            origin=variant.origin,
            model=model,
            request=variant.request,
            input_key=input_key,
            style_keys=tuple(f"{input_key}{STYLE_MARK}{number}" for number in range(style_count)),
            terms=variant.terms,
            input_width=header.width,
            input_height=header.height,
            input_bytes=input_bytes,
            output_pixels=size.width * size.height,
            deadline_ms=now_ms() + round(1000 * within_s),
        )

    def accept(self, submissions: Sequence[Submission], pictures: Sequence[bytes]) -> list[Ticket]:
        """Accept all of these, or none; each has copies of its own of the pictures, which go when it goes.

        pictures  the one that is to be enlarged and those of the style.

        Raises what `Acceptance.accept` does; then nothing is kept.
        """
        kept = [(submission.input_key, *submission.style_keys) for submission in submissions]
        # The pictures first: a job whose picture is missing could not keep its promise.
        for keys in kept:
            for key, picture in zip(keys, pictures, strict=True):
                self._store.create(key, picture)
        fault("api.after_input")
        try:
            tickets = self._acceptance.accept_all(submissions)
        except EnlargerError:
            # And not for what the database raises: its commit may have been done all the same.
            discard(self._store, *itertools.chain(*kept))
            raise
        for submission, keys, ticket in zip(submissions, kept, tickets, strict=True):
            if not ticket.is_new:
                discard(self._store, *keys)
            else:
                ring(self._bells, WORKER)
                LOG.info("job.accepted", job=ticket.job_id, workspace=submission.caller.workspace.id)
        fault("api.after_commit")
        return tickets

    def _check_deadline(self, deadline_s: float | None) -> float:
        longest_s = self._job_deadline_s
        if deadline_s is None:
            return longest_s
        if not DEADLINE_MIN_S <= deadline_s <= longest_s:
            raise BadParameter(
                f"deadline_s is {deadline_s:g}; it must be {DEADLINE_MIN_S:g} to {longest_s:g}",
                param="deadline_s",
            )
        return deadline_s
