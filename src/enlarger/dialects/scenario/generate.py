"""`/v1/generate/...`: where upscales begin, or are estimated."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from enlarger.accounts import Act, Caller
from enlarger.assets import Asset
from enlarger.dialects.body import BadField, announced_bytes, read_json, read_object
from enlarger.dialects.openapi import errors, paid
from enlarger.dialects.origin import base_of, origin_of, replay
from enlarger.dialects.scenario import order
from enlarger.dialects.scenario.asset_routes import REQUEST_LIMIT_BYTES, answer, may_be_id
from enlarger.dialects.scenario.assets import DOOR, ancestry_of, examine, keep, memo_of, new_asset
from enlarger.dialects.scenario.errors import STATUSES
from enlarger.dialects.scenario.ids import new_id
from enlarger.dialects.scenario.inputs import body_schema
from enlarger.dialects.scenario.jobs import show
from enlarger.dialects.scenario.order import Offer, Order, read_order
from enlarger.dialects.scenario.pages import ESTIMATED, DryQuery
from enlarger.dialects.scenario.pictures import is_data_url, read_picture
from enlarger.dialects.scenario.schemas import ErrorResponse, Estimate, GenerateRunModelResponse
from enlarger.dialects.scenario.units import units_of
from enlarger.dialects.scenario.who import KnownCaller
from enlarger.errors import NotFound, UsageError
from enlarger.imaging import Format, Header
from enlarger.jobs.submission import DoorTerms, ResultAsset, Ticket
from enlarger.service import Pending, Service

STEM_MAX = 400
"""Characters of the image's name that the result's name keeps."""
ERRORS = errors(ErrorResponse, STATUSES)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": GenerateRunModelResponse, "description": "The job has begun; poll it."},
    ESTIMATED: {"model": Estimate, "description": "With `dryRun`: what it would cost. Nothing is kept."},
    **ERRORS,
}
ModelId = Annotated[str, Path(alias="modelId")]


class GenerateQuery(DryQuery):
    """What may be said beside the body."""

    ip_detection: str | None = Field(None, description="Taken and not used: nothing is detected here.")


@dataclass(frozen=True)
class Wanted:
    """Pictures that an order names."""

    assets: Mapping[str, Asset]
    """Those that are kept already, by their ids."""
    sent: Mapping[str, bytes]
    """Those that came along, by what stands in the order for their data URLs."""

    @property
    def bytes_to_read(self) -> int:
        """Of what is kept."""
        return sum(asset.size_bytes for asset in self.assets.values())


def make_router(service: Service) -> APIRouter:
    """The routes, calling `service`."""
    router = APIRouter(prefix="/v1/generate", tags=["Generate"])

    @router.post(
        "/upscale",
        operation_id="generateUpscale",
        summary="Upscale an image",
        deprecated=True,
        responses=ANSWERS,
        openapi_extra=paid(
            body_schema(
                order.DEPRECATED.inputs,
                "GenerateUpscaleParams",
                {"image": "asset_GTrL3mq4SXWyMxkOHRxlpw00", "scalingFactor": 2, "preset": "balanced"},
            )
        ),
    )
    async def generate_upscale(
        request: Request, caller: KnownCaller, query: Annotated[GenerateQuery, Query()]
    ) -> Response:
        return await generate(service, request, caller, order.DEPRECATED)

    @router.post(
        "/custom/{modelId}",
        operation_id="generateRunModel",
        summary="Run a model",
        responses=ANSWERS,
        openapi_extra=paid(
            body_schema(
                order.CUSTOM[order.MODEL].inputs,
                "GenerateRunModelParams",
                {"image": "asset_GTrL3mq4SXWyMxkOHRxlpw00", "upscaleFactor": 4, "preset": "creative"},
            )
        ),
    )
    async def generate_run_model(
        request: Request, model_id: ModelId, caller: KnownCaller, query: Annotated[GenerateQuery, Query()]
    ) -> Response:
        offer = order.CUSTOM.get(model_id)
        if offer is None:
            raise NotFound(f"there is no model {model_id[:100]!r} here; GET /models lists those there are")
        return await generate(service, request, caller, offer)

    return router


async def generate(service: Service, request: Request, caller: Caller, offer: Offer) -> Response:
    """Begin a job, or say what it would cost."""
    caller.check_may(Act.RUN)
    async with contextlib.AsyncExitStack() as room:
        await room.enter_async_context(service.admit(announced_bytes(request.headers, REQUEST_LIMIT_BYTES)))
        wish, sent = await asyncio.to_thread(_read, await read_json(request, REQUEST_LIMIT_BYTES), offer)
        if "dryRun" in request.query_params:
            return await _estimate(service, caller, wish, Wanted(await _find(service, caller, wish), sent))
        fields = _fields(wish)
        origin = await origin_of(request, DOOR, offer.operation, fields, is_answered_at_acceptance=True)
        # Before its pictures are looked for: they may have been deleted since.
        ticket = await service.earlier(caller, origin)
        if ticket is None:
            wanted = Wanted(await _find(service, caller, wish), sent)
            if wanted.assets:
                if not sent:
                    # A body of ids is as good as gone. Who keeps room and waits for more waits for the
                    # others who do the same.
                    await room.aclose()
                await room.enter_async_context(service.admit(wanted.bytes_to_read))
            ticket = await _Beginning(service, caller, wish, wanted).submit(origin)
        pending = Pending(caller, origin, ticket)
    kept = await service.answers.find(pending)
    if kept is not None:
        return replay(kept)
    request.state.pending = pending
    job = await service.status(caller, pending.ticket.job_id)
    [standing] = await service.standings([job], base_of(request))
    cost = 0 if standing.charge is None else standing.charge.price_micros
    return answer({"job": show(standing), **_costs(offer, cost)})


async def _estimate(service: Service, caller: Caller, wish: Order, wanted: Wanted) -> Response:
    """What the order costs; everything is checked as if it were begun, and nothing is kept."""
    headers = {one: _header_of(asset) for one, asset in wanted.assets.items()}
    for url, picture in wanted.sent.items():
        headers[url] = await examine(service, picture, wish.field_of(url))
    header = headers[wish.values["image"]]
    wish.check(header)
    with _in_their_words(wish):
        quote = await service.quote(
            caller, wish.request.mode, wish.request, header, price_permille=wish.price_permille
        )
    return answer(_costs(wish.offer, quote.micros), ESTIMATED)


class _Beginning:
    """One order on its way to a job; what it keeps on the way goes again if it gets nowhere."""

    def __init__(self, service: Service, caller: Caller, wish: Order, wanted: Wanted) -> None:
        self._service = service
        self._caller = caller
        self._wish = wish
        self._wanted = wanted

    async def submit(self, origin: Any) -> Ticket:
        """Raises what `Service.submit` does, UnsupportedPicture, BadField."""
        kept: dict[str, Asset] = {}
        is_new = False
        try:
            for url, picture in self._wanted.sent.items():
                new = new_asset(self._caller, "")
                kept[url] = await keep(self._service, self._caller, new, picture, self._wish.field_of(url))
            ticket = await self._submit(origin, {**self._wanted.assets, **kept})
            is_new = ticket.is_new
        finally:
            if kept and not is_new:
                await self._service.assets.remove(self._caller, [asset.id for asset in kept.values()])
        return ticket

    async def _submit(self, origin: Any, assets: Mapping[str, Asset]) -> Ticket:
        wish, service = self._wish, self._service
        image = assets[wish.values["image"]]
        styles = [assets[one] for one in wish.values.get("styleImages", [])]
        header = _header_of(image)
        wish.check(header)
        pictures = [self._wanted.sent.get(one) for one in self._named()]
        read = [
            picture if picture is not None else await service.assets.read(asset)
            for picture, asset in zip(pictures, (image, *styles), strict=True)
        ]
        with _in_their_words(wish):
            return await service.submit(
                self._caller,
                origin,
                wish.request.mode,
                wish.request,
                read[0],
                header,
                styles=read[1:],
                terms=self._terms(image, styles, header),
            )

    def _named(self) -> list[str]:
        return [self._wish.values["image"], *self._wish.values.get("styleImages", [])]

    def _terms(self, image: Asset, styles: Sequence[Asset], header: Header) -> DoorTerms:
        wish = self._wish
        job_id, asset_id = new_id("job"), new_id("asset")
        style_ids = {"styleImages": [style.id for style in styles]} if styles else {}
        metadata = {
            **wish.metadata(header),
            **style_ids,
            "image": image.id,
            "parentJobId": job_id,
            **ancestry_of(image),
        }
        return DoorTerms(
            alias=job_id,
            memo={
                "type": wish.job_type,
                "modelId": wish.offer.model_id,
                "isHidden": wish.is_hidden,
                "assetId": asset_id,
                "input": {**wish.values, "image": image.id, **style_ids},
            },
            asset=ResultAsset(
                id=asset_id,
                name=f"{stem_of(image.name)}-upscaled.png",
                source=wish.asset_type,
                parent_id=image.id,
                memo=memo_of(self._caller, metadata, is_hidden=wish.is_hidden),
            ),
            price_permille=wish.price_permille,
        )


@contextlib.contextmanager
def _in_their_words(wish: Order) -> Iterator[None]:
    """What is wrong with the result's size is wrong with the field that asks for it."""
    try:
        yield
    except UsageError as error:
        if error.param in ("target", "output_format"):
            raise BadField(wish.sizing, error.message) from error
        raise


def _read(data: bytes, offer: Offer) -> tuple[Order, dict[str, bytes]]:
    """The order, and the pictures that came along, by what stands for them there. Raises BadField."""
    wish = read_order(read_object(data or b"{}"), offer)
    sent: dict[str, bytes] = {}

    def named(field: str, text: str) -> str:
        if not is_data_url(text):
            if not may_be_id(text):
                raise BadField(field, "must be an asset's id or a data URL")
            return text
        if field == "styleImages" and not offer.is_strict:
            raise BadField(field, "must be ids of assets; upload the pictures first")
        picture = read_picture(field, text)
        # Its digest instead of its megabytes, which would be kept until the answer, and written once more
        # to tell the request from others.
        short = f"data:{hashlib.sha256(picture).hexdigest()}"
        sent[short] = picture
        return short

    values = {**wish.values, "image": named("image", wish.values["image"])}
    if "styleImages" in values:
        values["styleImages"] = [named("styleImages", one) for one in values["styleImages"]]
    return replace(wish, values=values), sent


async def _find(service: Service, caller: Caller, wish: Order) -> dict[str, Asset]:
    """The kept assets that an order names, by id. Raises NotFound, naming field and id."""
    named = [("image", wish.values["image"])]
    named += [("styleImages", one) for one in wish.values.get("styleImages", [])]
    wanted = [(field, one) for field, one in named if not is_data_url(one)]
    found = {asset.id: asset for asset in await service.assets.get_many(caller, [one for _, one in wanted])}
    for field, one in wanted:
        if one not in found:
            raise NotFound(f"{field}: there is no asset {one[:100]!r}", param=field)
    return found


def stem_of(name: str) -> str:
    """What a picture is called without the ending, if it has one."""
    return (name.rpartition(".")[0] or name)[:STEM_MAX] or "image"


def _header_of(asset: Asset) -> Header:
    return Header(Format(asset.media_type.removeprefix("image/")), asset.width, asset.height)


def _fields(wish: Order) -> list[tuple[str, bytes]]:
    """The body as its sender meant it, to tell requests apart."""
    said = {**wish.values, **({"hideResults": True} if wish.is_hidden else {})}
    return [(name, msgspec.json.encode(value)) for name, value in said.items()]


def _costs(offer: Offer, micros: int) -> dict[str, Any]:
    cost = units_of(micros)
    details = {offer.cost_key: cost} if cost else {}
    return {"creativeUnitsCost": cost, "creativeUnitsDiscount": 0, "costDetails": details}
