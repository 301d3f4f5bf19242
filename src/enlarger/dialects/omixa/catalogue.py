"""`/api/v1/models`: what is on offer, for how much."""

from __future__ import annotations

from fastapi import APIRouter

from enlarger.accounts import Act
from enlarger.dialects.omixa.errors import NoModel
from enlarger.dialects.omixa.images import check_may_use
from enlarger.dialects.omixa.models import MODELS
from enlarger.dialects.omixa.schemas import ErrorResponse, ModelList, ModelPrice, ModelRow
from enlarger.dialects.omixa.who import KnownCaller
from enlarger.dialects.openapi import errors
from enlarger.money import dollars
from enlarger.service import Service

FIRST_OFFERED_S = 1_795_219_200
"""2026-11-21: when these models were first on offer here."""
NAME_MAX = 80
"""Characters of an unknown name that an error repeats."""


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(prefix="/api/v1/models", tags=["Models"])

    async def offered() -> list[ModelRow]:
        """The models that have a price; those without one are not on offer."""
        held = (await service.prices()).prices
        rows = []
        for model in MODELS.values():
            prices = [
                ModelPrice(
                    amount=dollars(one.micros),
                    minimum_hold=dollars(one.micros),
                    up_to_pixels=one.up_to_pixels,
                )
                for one in held
                if one.model == model.product
            ]
            if prices:
                rows.append(
                    ModelRow(
                        id=model.id,
                        created=FIRST_OFFERED_S,
                        description=model.description,
                        prices=prices,
                    )
                )
        return rows

    @router.get(
        "",
        operation_id="listModels",
        summary="The models that the key may use, with their prices",
        responses=errors(ErrorResponse, (401, 429, 500, 503)),
    )
    async def list_models(caller: KnownCaller) -> ModelList:
        caller.check_may(Act.READ)
        allowed = caller.terms.models
        rows = await offered()
        return ModelList(data=[row for row in rows if allowed is None or MODELS[row.id].product in allowed])

    @router.get(
        "/{model}",
        operation_id="retrieveModel",
        summary="One model with its prices",
        responses=errors(ErrorResponse, (401, 403, 404, 422, 429, 500, 503)),
    )
    async def retrieve_model(model: str, caller: KnownCaller) -> ModelRow:
        caller.check_may(Act.READ)
        for row in await offered():
            if row.id == model:
                check_may_use(caller, MODELS[model])
                return row
        raise NoModel(f"There is no model {model[:NAME_MAX]!r} here.", param="model")

    return router
