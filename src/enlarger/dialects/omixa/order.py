"""Reads the body of a request into the canonical one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from enlarger.dialects.data_url import read_data_url
from enlarger.dialects.omixa.faults import first_fault
from enlarger.dialects.omixa.models import MODELS, Model
from enlarger.dialects.omixa.schemas import REQUEST
from enlarger.request import SEED_MAX, OutputFormat, UpscaleRequest

INPUT_IMAGES = "input_images"
PICTURE = f"{INPUT_IMAGES}[0].image_url.url"
STEERING = ("prompt", "negative_prompt", "creativity", "style_preset")


@dataclass(frozen=True)
class Order:
    """What a body asks for."""

    model: Model
    request: UpscaleRequest
    picture: bytes
    fields: tuple[tuple[str, bytes], ...]
    """The body as the caller meant it, defaults and all; two bodies with the same are the same request."""


def read_order(body: bytes) -> Order:
    """The order that a JSON body makes. Raises BadField.

    Takes tens of milliseconds for a large picture, so it is for a thread.
    """
    try:
        asked = REQUEST.validate_json(body)
    except ValidationError as error:
        raise first_fault(error.errors(include_url=False), tags=tuple(MODELS)) from None
    picture = read_data_url(asked.input_images[0].image_url.url, PICTURE)
    defaults = {name: field.default for name, field in type(asked).model_fields.items()}
    said = asked.model_dump(exclude={"input_images"}, exclude_none=True, mode="json")
    meant: dict[str, Any] = {**defaults, **said}
    model = MODELS[asked.model]
    request = UpscaleRequest(
        mode=model.mode,
        target=model.target,
        output_format=OutputFormat(meant["output_format"]),
        seed=meant["seed"] or 1 + secrets.randbelow(SEED_MAX),
        **{name: meant[name] for name in STEERING if name in meant},
    )
    del meant["input_images"]
    fields = [(name, repr(value).encode()) for name, value in meant.items()]
    return Order(model, request, picture, (*fields, ("input_images", picture)))
