"""What the vendor's web client asks for besides: the user, the team's credits and members, the models."""

from __future__ import annotations

from fastapi import APIRouter, Request

from enlarger.dialects.onemin.callers import EMAIL_DOMAIN, TeamId, caller_of, spending_of, team_user
from enlarger.dialects.onemin.order import FEATURE, OFFERS
from enlarger.dialects.onemin.schemas import (
    ERRORS,
    CreditResponse,
    MembersResponse,
    Model,
    ModelsResponse,
    Subscription,
    Team,
    TeamMembership,
    TeamUser,
    User,
    UserResponse,
)
from enlarger.service import Service

PLAN = "SELF_HOSTED"


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(tags=["Account"], responses=ERRORS)

    @router.get("/users", operation_id="getUser", summary="The key's user and its one team")
    async def get_user(request: Request) -> UserResponse:
        caller = await caller_of(service, request)
        balance = await service.balance(caller)
        team = Team(
            uuid=caller.workspace.id,
            name=caller.workspace.name,
            credit=balance.available_micros,
            subscription=Subscription(plan=PLAN),
        )
        email = f"{caller.key_id}@{EMAIL_DOMAIN}"
        return UserResponse(user=User(uuid=caller.key_id, email=email, teams=[TeamMembership(team=team)]))

    @router.get("/teams/{teamId}/credits", operation_id="getCredits", summary="What the team may spend")
    async def get_credits(request: Request, team_id: TeamId) -> CreditResponse:
        caller = await caller_of(service, request, team_id)
        balance = await service.balance(caller)
        return CreditResponse(credit=balance.available_micros)

    @router.get("/teams/{teamId}/members", operation_id="getMembers", summary="The key as a member")
    async def get_members(request: Request, team_id: TeamId) -> MembersResponse:
        caller = await caller_of(service, request, team_id)
        return MembersResponse(
            members=[TeamUser.model_validate(team_user(caller, await spending_of(service, caller)))]
        )

    @router.get("/models", operation_id="getModels", summary="What is on offer; needs no key")
    async def get_models(feature: str | None = None) -> ModelsResponse:
        if feature not in (None, FEATURE):
            return ModelsResponse(models=[])
        prices = (await service.prices()).prices
        found = []
        for offer in OFFERS.values():
            lines = [
                {"credit": price.micros, "upToPixels": price.up_to_pixels}
                for price in prices
                if price.model == offer.mode
            ]
            # What has no price is not on offer.
            if lines:
                found.append(
                    Model(
                        model_id=offer.model,
                        name=offer.name,
                        provider="enlarger",
                        features=[FEATURE],
                        credit_metadata={FEATURE: lines},
                        modality={"INPUT": ["image"], "OUTPUT": ["image"]},
                    )
                )
        return ModelsResponse(models=found)

    return router
