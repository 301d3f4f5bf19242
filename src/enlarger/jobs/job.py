"""A job as a value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from enlarger.errors import EnlargerError
from enlarger.request import UpscaleRequest


class JobState(StrEnum):
    """Where a job stands. It moves down this list and never back."""

    QUEUED = "queued"
    """Accepted: the commit that said so is on the disk."""
    RUNNING = "running"
    """An attempt has begun; after a crash it may be another attempt than the first."""
    SUCCEEDED = "succeeded"
    """The result is in the object store."""
    FAILED = "failed"
    """There is an error and there will be no result."""


TERMINAL = (JobState.SUCCEEDED, JobState.FAILED)
"""States that a job never leaves."""


@dataclass(frozen=True)
class Outcome:
    """What a finished attempt leaves behind."""

    result_key: str
    width: int
    height: int
    engine_ms: int
    """Time in the engine: decoding, networks, resampling."""
    encode_ms: int
    """Time to encode the result."""
    receipt: str | None = None
    """What the engine measured of the result, as JSON; None for jobs of versions that did not measure."""


@dataclass(frozen=True)
class Job:
    """One accepted request."""

    id: str
    workspace_id: str
    key_id: str
    door: str
    request: UpscaleRequest
    input_key: str
    state: JobState
    attempts: int
    """How often work on it has begun."""
    created_ms: int
    outcome: Outcome | None
    """Present exactly in SUCCEEDED."""
    error: EnlargerError | None
    """Present exactly in FAILED."""
