"""A job as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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
    CANCELLED = "cancelled"
    """Its caller wanted it no longer; there will be no result."""


UNDER_WAY = (JobState.QUEUED, JobState.RUNNING)
"""States in which a job is still to end."""
TERMINAL = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
"""States that a job never leaves."""


@dataclass(frozen=True)
class Outcome:
    """What a finished attempt leaves behind."""

    result_key: str
    width: int
    height: int
    size_bytes: int
    """Of the encoded result."""
    engine_ms: int
    """Time in the engine: decoding, networks, resampling."""
    encode_ms: int
    """Time to encode the result."""
    receipt: str | None = None
    """What the engine measured of the result, as JSON; None for jobs of versions that did not measure."""
    tiles: int = 0
    """Tiles that were run, for the counters alone: the row does not keep it."""
    tile_ms: int = 0
    """Time that the networks took for them; as `tiles`."""


@dataclass(frozen=True)
class Job:
    """One accepted request."""

    id: str
    workspace_id: str
    key_id: str
    request_id: str
    """The id that the request's log lines have."""
    door: str
    operation: str
    """What the caller asked for in the door's own terms."""
    model: str
    """The public name of what was bought."""
    request: UpscaleRequest
    input_key: str
    style_keys: tuple[str, ...]
    """Keys of the style pictures in the object store."""
    alias: str | None
    """Its id in the door's own form."""
    memo: Mapping[str, Any]
    """What the door wants to say of the request again."""
    state: JobState
    progress: float
    """Share of its tiles that is done, 0 to 1; it never falls."""
    attempts: int
    """How often work on it has begun."""
    created_ms: int
    """When it was accepted, in milliseconds since 1970."""
    started_ms: int | None
    finished_ms: int | None
    deadline_ms: int | None
    """Not done by then, it fails."""
    expires_ms: int | None
    """When its pictures go; None while it is under way."""
    outcome: Outcome | None
    """Present exactly in SUCCEEDED, also when the pictures have gone."""
    error: EnlargerError | None
    """Present exactly in FAILED and CANCELLED."""
