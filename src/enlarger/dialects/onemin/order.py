"""What can be bought here, and how a request's JSON becomes canonical requests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from enlarger.dialects.body import BadField, read_object
from enlarger.dialects.onemin.errors import BadPrompt
from enlarger.dialects.onemin.json_body import choice, kind_of, shown, text, whole
from enlarger.request import PROMPT_MAX, Mode, OutputFormat, UpscaleRequest
from enlarger.target import Target

FEATURE = "IMAGE_UPSCALER"
OUTPUT_FORMATS = (OutputFormat.PNG, OutputFormat.JPEG, OutputFormat.WEBP)
SCALES = (2, 4)
PICTURES_MAX = 8
SEED_MAX = 2_147_483_647
IDEOGRAM_TARGET = Target.factor(2)
"""Of `ideogram-3`, whose page names no size."""
SOURCE_MAX = 4096
"""Characters of a key or URL."""
PERCENT_MIDDLE = 50


class MagicPrompt(StrEnum):
    """Whether the vendor may write a prompt of its own; here nothing writes any."""

    AUTO = "AUTO"
    ON = "ON"
    OFF = "OFF"


@dataclass(frozen=True)
class Offer:
    """One of the vendor's models."""

    model: str
    name: str
    mode: Mode
    """The engine behind it, by which it is priced."""
    max_bytes: int
    """Of the picture's file."""
    read: Callable[[Mapping[str, Any]], tuple[UpscaleRequest, ...]]
    """From a `promptObject` to one request for each picture that it asks for."""
    is_seeded: bool = False
    """Whether a pixel depends on the seed."""


@dataclass(frozen=True)
class Source:
    """The picture that a request names."""

    field: str
    """Where it names it."""
    name: str
    """An asset's key, or a URL."""

    @property
    def is_url(self) -> bool:
        """Whether it has to be fetched."""
        return self.name.lower().startswith(("http://", "https://"))


@dataclass(frozen=True)
class Order:
    """A request as it was understood."""

    offer: Offer
    source: Source
    requests: tuple[UpscaleRequest, ...]
    """One for each picture that is wanted."""
    prompt_object: Mapping[str, Any]
    """As it came, to be said again."""
    fields: tuple[tuple[str, bytes], ...]
    """The whole body in one spelling, to tell it from others."""


def read_order(data: bytes) -> Order:
    """The order that a body makes. Unknown members are ignored. Raises BadField, BadPrompt."""
    body = read_object(data)
    _check_name(body, "type", (FEATURE,), "this server enlarges pictures")
    offer = OFFERS[_check_name(body, "model", tuple(OFFERS), f"no other model is served for {FEATURE}")]
    conversation = body.get("conversationId")
    if conversation is not None and not isinstance(conversation, str):
        raise BadField("conversationId", f"must be text, got {kind_of(conversation)}")
    members = body.get("promptObject")
    if members is None:
        raise BadField("promptObject", "is required")
    if not isinstance(members, dict):
        raise BadField("promptObject", f"must be an object, got {kind_of(members)}")
    spelling = tuple(
        (name, msgspec.json.encode(value, order="deterministic")) for name, value in body.items()
    )
    return Order(offer, _source(members), offer.read(members), members, spelling)


def _check_name(body: Mapping[str, Any], field: str, names: tuple[str, ...], reason: str) -> str:
    value = body.get(field)
    expected = " or ".join(repr(name) for name in names)
    if value is None or value == "":
        raise BadField(field, f"is required; use {expected}")
    if value not in names:
        raise BadField(field, f"{shown(value)} is not served here: {reason}; use {expected}")
    return str(value)


def _source(members: Mapping[str, Any]) -> Source:
    """`imageUrl` is what is documented, `imageList` what the web client sends."""
    field, value = "imageUrl", members.get("imageUrl")
    several = members.get("imageList")
    if several is not None:
        if not isinstance(several, list) or len(several) != 1:
            count = len(several) if isinstance(several, list) else kind_of(several)
            raise BadPrompt("imageList", f"must be a list of one key or URL, got {count}")
        if value is None or value == "":
            field, [value] = "imageList", several
        elif several[0] not in (value, "", None):
            raise BadPrompt("imageList", "names another picture than imageUrl; leave one of them out")
    if value is None or value == "":
        raise BadPrompt(field, "is required: an asset's key, or a URL")
    if not isinstance(value, str):
        raise BadPrompt(field, f"must be text, got {kind_of(value)}")
    if len(value) > SOURCE_MAX:
        raise BadPrompt(field, f"must have at most {SOURCE_MAX} characters, got {len(value)}")
    return Source(f"promptObject.{field}", value)


def _stable_image(members: Mapping[str, Any]) -> tuple[UpscaleRequest, ...]:
    scale = members.get("scale")
    if scale is None:
        scale = SCALES[-1]
    if isinstance(scale, bool) or scale not in SCALES:
        raise BadPrompt("scale", f"must be 2 or 4, got {shown(scale)}")
    output_format = choice(members, "output_format", OUTPUT_FORMATS)
    return (UpscaleRequest(mode=Mode.FAST, target=Target.factor(scale), output_format=output_format),)


def _ideogram(members: Mapping[str, Any]) -> tuple[UpscaleRequest, ...]:
    pictures = whole(members, "num_images", 1, PICTURES_MAX)
    if pictures is None:
        raise BadPrompt("num_images", f"is required: a whole number from 1 to {PICTURES_MAX}")
    choice(members, "magic_prompt_option", tuple(MagicPrompt))
    resemblance = whole(members, "resemblance", 0, 100, PERCENT_MIDDLE) or 0
    detail = whole(members, "detail", 0, 100, PERCENT_MIDDLE) or 0
    seed = whole(members, "seed", 0, SEED_MAX)
    first = secrets.randbelow(SEED_MAX) if seed is None else seed
    return tuple(
        UpscaleRequest(
            mode=Mode.CREATIVE,
            target=IDEOGRAM_TARGET,
            prompt=text(members, "prompt", PROMPT_MAX),
            image_fidelity=resemblance / 100,
            detail=(detail - PERCENT_MIDDLE) / PERCENT_MIDDLE,
            seed=first + number,
        )
        for number in range(pictures)
    )


OFFERS = {
    offer.model: offer
    for offer in (
        Offer("stable-image", "Stable Image, by the fast engine", Mode.FAST, 50 * 2**20, _stable_image),
        Offer(
            "ideogram-3",
            "Ideogram 3, by the creative engine",
            Mode.CREATIVE,
            10 * 2**20,
            _ideogram,
            is_seeded=True,
        ),
    )
}
