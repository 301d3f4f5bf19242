"""`/v1/keys`, for members."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from enlarger.accounts import Key, KeyTerms, Priority
from enlarger.administration import Administration
from enlarger.dialects.own.jobs import ERRORS
from enlarger.dialects.own.json_body import described, read_body
from enlarger.dialects.own.schemas import (
    KeyRow,
    ListResponse,
    NewKeyResponse,
    amount,
    maybe_amount,
    maybe_moment,
)
from enlarger.dialects.own.who import KnownCaller
from enlarger.errors import BadParameter
from enlarger.moment import duration_ms, iso_of, ms_of
from enlarger.money import micros_of


class NewKey(BaseModel):
    """What a new key may do."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", description="For people, at most 100 characters.")
    is_test: bool = Field(False, description="Real work, billed 0, marked in the usage.")
    models: list[str] | None = Field(None, max_length=50, description="What it may use; null is all.")
    cap: str | None = Field(None, description="US dollars that it may spend in all.")
    expires_at: str | None = Field(None, description="ISO 8601; null is never.")
    priority: Literal["normal", "low"] = Field(
        "normal", description="`high`, which is before other workspaces, is the operator's to give."
    )

    def terms(self) -> KeyTerms:
        """Raises BadParameter."""
        if self.models is not None and not self.models:
            raise BadParameter("models is empty; leave it out for all of them", param="models")
        return KeyTerms(
            name=self.name,
            is_test=self.is_test,
            models=None if self.models is None else tuple(self.models),
            priority=Priority(self.priority),
            cap_micros=None if self.cap is None else micros_of(self.cap, param="cap"),
            expires_ms=None if self.expires_at is None else ms_of(self.expires_at, param="expires_at"),
        )


class Rotation(BaseModel):
    """How a key is replaced."""

    model_config = ConfigDict(extra="forbid")

    overlap: str | None = Field(None, description="How long the old one opens still: 15m, 1h, 30d.")


def make_router(administration: Administration) -> APIRouter:
    """The routes, calling `administration`."""
    router = APIRouter(prefix="/v1/keys", tags=["Keys"], responses=ERRORS)

    @router.get("", operation_id="listKeys", summary="Every key, revoked ones too; never a secret")
    async def list_keys(caller: KnownCaller) -> ListResponse[KeyRow]:
        rows = [key_row(key) for key in await administration.keys(caller)]
        return ListResponse(data=rows, has_more=False)

    @router.post(
        "",
        operation_id="createKey",
        summary="Make a key; its secret is in the answer and nowhere else",
        status_code=201,
        openapi_extra=described(NewKey),
    )
    async def create_key(request: Request, response: Response, caller: KnownCaller) -> NewKeyResponse:
        wanted = await read_body(request, NewKey)
        key, secret = await administration.create_key(caller, wanted.terms())
        response.headers["cache-control"] = "no-store"
        return NewKeyResponse(**key_row(key).model_dump(), secret=secret)

    @router.delete("/{key_id}", operation_id="revokeKey", summary="Close a key, from the next request on")
    async def revoke_key(key_id: str, caller: KnownCaller) -> KeyRow:
        return key_row(await administration.revoke_key(caller, key_id))

    @router.post(
        "/{key_id}/rotate",
        operation_id="rotateKey",
        summary="A key on the terms of an old one",
        status_code=201,
        openapi_extra=described(Rotation),
    )
    async def rotate_key(
        request: Request, response: Response, key_id: str, caller: KnownCaller
    ) -> NewKeyResponse:
        wanted = await read_body(request, Rotation)
        overlap_ms = 0 if wanted.overlap is None else duration_ms(wanted.overlap, param="overlap")
        key, secret = await administration.rotate_key(caller, key_id, overlap_ms)
        response.headers["cache-control"] = "no-store"
        return NewKeyResponse(**key_row(key).model_dump(), secret=secret)

    return router


def key_row(key: Key) -> KeyRow:
    """A key on the wire."""
    terms = key.terms
    return KeyRow(
        id=key.id,
        prefix=key.prefix,
        last_four=key.last_four,
        name=terms.name,
        is_test=terms.is_test,
        models=None if terms.models is None else list(terms.models),
        priority=terms.priority,
        cap=maybe_amount(terms.cap_micros),
        spent=amount(key.spent_micros),
        expires_at=maybe_moment(terms.expires_ms),
        last_used_at=maybe_moment(key.last_used_ms),
        created_at=iso_of(key.created_ms),
        created_by=key.created_by,
        revoked_at=maybe_moment(key.revoked_ms),
        revoked_by=key.revoked_by,
    )
