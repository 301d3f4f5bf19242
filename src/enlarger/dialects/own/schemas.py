"""The bodies of our own API. Amounts are US dollars as text with six decimals, times ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from enlarger.jobs import JobState
from enlarger.moment import iso_of
from enlarger.money import dollars

Row = TypeVar("Row", bound=BaseModel)
Amount = str
Moment = str


def amount(micros: int) -> Amount:
    """An amount on the wire."""
    return dollars(micros)


def maybe_amount(micros: int | None) -> Amount | None:
    """An amount on the wire, or null."""
    return None if micros is None else dollars(micros)


def maybe_moment(moment_ms: int | None) -> Moment | None:
    """A time on the wire, or null."""
    return None if moment_ms is None else iso_of(moment_ms)


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="What happened, with the value and the limit, and what to do.")
    type: Literal["usage", "access", "not_found", "busy", "server"]
    code: str = Field(description="Stable; docs/reference/errors.md lists them.")
    param: str | None = Field(description="The field at fault, if one is.")


class ErrorResponse(BaseModel):
    """What every error looks like."""

    error: ErrorDetail


class ListResponse(BaseModel, Generic[Row]):
    """A page, the latest first."""

    object: Literal["list"] = "list"
    data: list[Row]
    has_more: bool


class JobError(BaseModel):
    """Why there is no result."""

    message: str
    code: str
    param: str | None


class JobResult(BaseModel):
    """Where the picture is."""

    url: str | None = Field(description="Opens the picture without a key, until `url_expires_at`.")
    url_expires_at: Moment | None
    width: int
    height: int
    bytes: int
    media_type: str


class JobResponse(BaseModel):
    """One job, whichever door it came through."""

    id: str
    object: Literal["job"] = "job"
    state: JobState
    progress: float = Field(description="0 to 1; never falls.")
    door: str
    key: str = Field(description="Id of the key, or of the member, that made it.")
    model: str
    request: dict[str, Any] = Field(description="What was asked for, with the seed that was drawn.")
    price: Amount | None = Field(description="Set aside when it was accepted.")
    billed: Amount | None = Field(description="null while it is under way; 0 unless it succeeded.")
    attempts: int
    result: JobResult | None
    receipt: dict[str, Any] | None = Field(description="What was measured of the result.")
    error: JobError | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    deadline_at: Moment | None
    expires_at: Moment | None = Field(description="When the pictures go.")


class BalanceResponse(BaseModel):
    """What the workspace has."""

    object: Literal["balance"] = "balance"
    workspace: str
    available: Amount = Field(description="Below zero only where credit is unlimited.")
    held: Amount = Field(description="Set aside for jobs under way.")
    unlimited: bool


class PriceRow(BaseModel):
    """One price."""

    model: str
    up_to_pixels: int | None = Field(description="Holds for results of at most so many; null is any.")
    price: Amount


class PricesResponse(BaseModel):
    """What is on offer."""

    object: Literal["list"] = "list"
    data: list[PriceRow]
    has_more: Literal[False] = False
    version: int


class UsageRow(BaseModel):
    """One accepted request that has ended."""

    job_id: str
    key_id: str
    is_test: bool
    request_id: str
    idempotency_hash: str | None
    door: str
    operation: str
    model: str
    route: str
    attempts: int
    status: str
    error_code: str | None
    input_width: int
    input_height: int
    input_bytes: int
    output_width: int | None
    output_height: int | None
    output_bytes: int | None
    price: Amount
    price_version: int
    billed: Amount
    queue_ms: int | None
    latency_ms: int
    engine_ms: int | None
    encode_ms: int | None
    receipt_verdict: str | None
    created_at: Moment
    finished_at: Moment


class RollupRow(BaseModel):
    """What one model came to in one hour or day."""

    start: Moment
    model: str
    requests: int
    succeeded: int
    billed: Amount
    output_pixels: int


class MoveRow(BaseModel):
    """One move of money, by what it did to the workspace."""

    id: int
    kind: str
    job_id: str | None
    note: str
    available: Amount
    held: Amount
    created_at: Moment


class KeyRow(BaseModel):
    """A key, never its secret."""

    id: str
    object: Literal["key"] = "key"
    prefix: str
    last_four: str
    name: str
    is_test: bool
    models: list[str] | None
    priority: str
    cap: Amount | None
    spent: Amount
    expires_at: Moment | None
    last_used_at: Moment | None
    created_at: Moment
    created_by: str
    revoked_at: Moment | None
    revoked_by: str | None


class NewKeyResponse(KeyRow):
    """A key that was made just now."""

    secret: str = Field(description="Shown this once and kept nowhere.")


class MemberRow(BaseModel):
    """A person in the workspace."""

    id: str
    object: Literal["member"] = "member"
    email: str
    role: str
    has_password: bool
    created_at: Moment


class NewMemberResponse(MemberRow):
    """A member who was added just now."""

    password: str | None = Field(description="Drawn, shown this once; null where one was given.")


class WorkspaceRow(BaseModel):
    """A workspace."""

    id: str
    name: str


class MeResponse(BaseModel):
    """Who the caller is."""

    workspace: WorkspaceRow
    key: str | None = Field(description="Id of the key; null for a member.")
    member: MemberRow | None
    session_expires_at: Moment | None = None
