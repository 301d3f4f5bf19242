"""`/v1/members`, for members."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from enlarger.accounts import Member, Role
from enlarger.administration import Administration
from enlarger.dialects.own.jobs import ERRORS
from enlarger.dialects.own.json_body import described, read_body
from enlarger.dialects.own.schemas import ListResponse, MemberRow, NewMemberResponse
from enlarger.dialects.own.who import KnownCaller
from enlarger.moment import iso_of


class NewMember(BaseModel):
    """Who is to be a member."""

    model_config = ConfigDict(extra="forbid")

    email: str
    role: Role
    password: str | None = Field(None, description="12 characters or more; null draws one.")


class NewRole(BaseModel):
    """What a member is from now on."""

    model_config = ConfigDict(extra="forbid")

    role: Role


class Removed(BaseModel):
    """What went with a member."""

    id: str
    revoked_keys: int


def make_router(administration: Administration) -> APIRouter:
    """The routes, calling `administration`."""
    router = APIRouter(prefix="/v1/members", tags=["Members"], responses=ERRORS)

    @router.get("", operation_id="listMembers", summary="The workspace's members, the oldest first")
    async def list_members(caller: KnownCaller) -> ListResponse[MemberRow]:
        rows = [member_row(member) for member in await administration.members(caller)]
        return ListResponse(data=rows, has_more=False)

    @router.post(
        "",
        operation_id="addMember",
        summary="Add a member",
        status_code=201,
        openapi_extra=described(NewMember),
    )
    async def add_member(request: Request, response: Response, caller: KnownCaller) -> NewMemberResponse:
        wanted = await read_body(request, NewMember)
        member, drawn = await administration.add_member(caller, wanted.email, wanted.role, wanted.password)
        response.headers["cache-control"] = "no-store"
        return NewMemberResponse(**member_row(member).model_dump(), password=drawn)

    @router.patch(
        "/{member_id}",
        operation_id="changeRole",
        summary="Give a member another role",
        openapi_extra=described(NewRole),
    )
    async def change_role(request: Request, member_id: str, caller: KnownCaller) -> MemberRow:
        wanted = await read_body(request, NewRole)
        return member_row(await administration.change_role(caller, member_id, wanted.role))

    @router.delete(
        "/{member_id}", operation_id="removeMember", summary="Remove a member and revoke the member's keys"
    )
    async def remove_member(member_id: str, caller: KnownCaller) -> Removed:
        revoked = await administration.remove_member(caller, member_id)
        return Removed(id=member_id, revoked_keys=revoked)

    return router


def member_row(member: Member) -> MemberRow:
    """A member on the wire."""
    return MemberRow(
        id=member.id,
        email=member.email,
        role=member.role,
        has_password=member.has_password,
        created_at=iso_of(member.created_ms),
    )
