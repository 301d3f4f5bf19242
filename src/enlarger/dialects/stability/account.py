"""`/v1/user/...`: who the key belongs to and what it may spend."""

from __future__ import annotations

from fastapi import APIRouter, Request

from enlarger.dialects.openapi import errors
from enlarger.dialects.stability.fields import read_secret
from enlarger.dialects.stability.schemas import (
    AccountResponse,
    BalanceResponse,
    Organization,
    V1ErrorResponse,
)
from enlarger.service import Service

MICROS_IN_A_CREDIT = 10_000
"""A credit is US$0.01."""
EMAIL_DOMAIN = "enlarger.invalid"
"""Clients insist on an address; `.invalid` (RFC 2606) is one that nobody can own."""


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(
        prefix="/v1/user",
        tags=["Account"],
        responses=errors(V1ErrorResponse, (401, 429, 500)),
    )

    @router.get("/account", operation_id="userAccount", summary="The key's account")
    async def user_account(request: Request) -> AccountResponse:
        caller = await service.authenticate(read_secret(request.headers))
        workspace = caller.workspace
        return AccountResponse(
            id=f"user-{workspace.id}",
            email=f"{workspace.id}@{EMAIL_DOMAIN}",
            organizations=[
                Organization(id=f"org-{workspace.id}", name=workspace.name, role="MEMBER", is_default=True)
            ],
        )

    @router.get("/balance", operation_id="userBalance", summary="The account's credits")
    async def user_balance(request: Request) -> BalanceResponse:
        caller = await service.authenticate(read_secret(request.headers))
        balance = await service.balance(caller)
        return BalanceResponse(credits=balance.available_micros / MICROS_IN_A_CREDIT)

    return router
