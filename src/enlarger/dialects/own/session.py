"""`/v1/session` and `/v1/me`: sign in, sign out, who am I."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from enlarger.accounts import Caller
from enlarger.administration import Administration
from enlarger.dialects.own.jobs import ERRORS
from enlarger.dialects.own.json_body import described, read_body
from enlarger.dialects.own.members import member_row
from enlarger.dialects.own.schemas import MeResponse, WorkspaceRow, maybe_moment
from enlarger.dialects.own.who import COOKIE, KnownCaller, Who


class SignIn(BaseModel):
    """Who wants in."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=254)
    password: str = Field(max_length=1000)
    workspace: str | None = Field(None, description="Name or id, for members of several.")


class NewPassword(BaseModel):
    """A member's own new password."""

    model_config = ConfigDict(extra="forbid")

    current: str = Field(max_length=1000)
    new: str = Field(max_length=1000, description="12 characters or more.")


def make_router(administration: Administration) -> APIRouter:
    """The routes, calling `administration`."""
    router = APIRouter(prefix="/v1", tags=["Session"], responses=ERRORS)

    def keep(request: Request, response: Response, token: str) -> None:
        who: Who = request.app.state.who
        who.set_cookie(request, response, token, administration.session_s)
        response.headers["cache-control"] = "no-store"

    @router.post(
        "/session",
        operation_id="signIn",
        summary="Sign in as a member; the session is a cookie",
        status_code=201,
        openapi_extra=described(SignIn),
    )
    async def sign_in(request: Request, response: Response) -> MeResponse:
        who: Who = request.app.state.who
        # Else another's page could sign a browser in as somebody else.
        who.check_origin(request, required=False)
        wanted = await read_body(request, SignIn)
        caller, token, expires_ms = await administration.sign_in(
            host_of(request), wanted.email, wanted.password, wanted.workspace
        )
        keep(request, response, token)
        return me(caller, expires_ms)

    @router.delete("/session", operation_id="signOut", summary="End the session", status_code=204)
    async def sign_out(request: Request) -> Response:
        response = Response(status_code=204)
        who: Who = request.app.state.who
        token = request.cookies.get(COOKIE)
        if token is not None:
            who.check_origin(request)
            await administration.sign_out(token)
            who.set_cookie(request, response, "", 0)
        return response

    @router.get("/me", operation_id="getMe", summary="Who the caller is")
    async def get_me(caller: KnownCaller) -> MeResponse:
        return me(caller)

    @router.put(
        "/me/password",
        operation_id="changePassword",
        summary="Change one's password; every other session ends",
        openapi_extra=described(NewPassword),
    )
    async def change_password(request: Request, response: Response, caller: KnownCaller) -> MeResponse:
        wanted = await read_body(request, NewPassword)
        token, expires_ms = await administration.change_password(
            caller, host_of(request), wanted.current, wanted.new
        )
        keep(request, response, token)
        return me(caller, expires_ms)

    return router


def host_of(request: Request) -> str:
    """The address that a request comes from."""
    return request.client.host if request.client else ""


def me(caller: Caller, expires_ms: int | None = None) -> MeResponse:
    """A caller on the wire."""
    return MeResponse(
        workspace=WorkspaceRow(id=caller.workspace.id, name=caller.workspace.name),
        key=caller.key_id if caller.member is None else None,
        member=None if caller.member is None else member_row(caller.member),
        session_expires_at=maybe_moment(expires_ms),
    )
