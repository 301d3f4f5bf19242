"""The form that makes a job, and the request that it becomes."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from enlarger.dialects.body import BadField, read_image
from enlarger.dialects.own.errors import first_fault
from enlarger.request import SEED_MAX, Mode, OutputFormat, Seamless, UpscaleRequest
from enlarger.target import GRAMMAR, Target

REQUEST_LIMIT_BYTES = 64 * 2**20
"""Of a whole request: a picture of the default 50 megapixels as PNG or JPEG, with few exceptions."""
IMAGE = "image"
SERVICE_FIELDS = {"target", "seed", "deadline_s", "wait"}
"""Fields that are not those of `UpscaleRequest` as they stand."""


class JobForm(BaseModel):
    """What may be asked for. A field that is not here is refused, so that no wish is lost by a typo."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode = Field(Mode.FAST, description="The plan, and what is bought.")
    target: str = Field("4x", description=f"How large: {GRAMMAR}.")
    output_format: OutputFormat = OutputFormat.PNG
    prompt: str = Field("", description="What the picture shows or how it shall look; 10,000 characters.")
    negative_prompt: str = Field("", description="What it shall not look like.")
    creativity: float | None = Field(None, description="0 to 1; more makes more texture.")
    seed: int = Field(0, description="Of what is random in creative; 0 draws one, which is reported.")
    style_preset: str | None = Field(None, description="Such as analog-film, anime, cinematic.")
    override_preset: bool = Field(False, description="Only the caller's own words count.")
    prompt_fidelity: float = Field(0.5, description="0 to 1; more makes more of the words.")
    image_fidelity: float = Field(0.75, description="0 to 1; more stays nearer to the input.")
    detail: float = Field(0.0, description="-1 to 1; more makes stronger fine detail.")
    fractality: float = Field(0.5, description="0 to 1; more makes finer texture.")
    refinement: int = Field(1, description="Further passes of creative, 0 to 4.")
    creativity_decay: float = Field(0.5, description="0 to 1; more leaves more to later passes.")
    seamless: Seamless = Field(Seamless.NONE, description="Borders that shall fit one another.")
    deadline_s: float | None = Field(
        None, description="Seconds by which it is done or fails unpaid; 1 to the server's own."
    )
    wait: bool = Field(False, description="Whether to answer when the job has ended.")


@dataclass(frozen=True)
class Order:
    """A form that was understood."""

    picture: bytes
    request: UpscaleRequest
    deadline_s: float | None
    wait: bool


async def read_order(form: FormData) -> Order:
    """Raises BadField, BadParameter."""
    picture = await read_image(form)
    texts: dict[str, str] = {}
    for name, value in form.multi_items():
        if name in texts or (name == IMAGE and len(form.getlist(name)) > 1):
            raise BadField(name, "is sent twice")
        if name == IMAGE:
            continue
        if isinstance(value, UploadFile):
            raise BadField(name, "must be text, and not a file")
        texts[name] = value
    try:
        fields = JobForm.model_validate(texts)
    except ValidationError as error:
        raise first_fault(error) from None
    request = UpscaleRequest(
        target=Target.parse(fields.target),
        seed=fields.seed or 1 + secrets.randbelow(SEED_MAX),
        **fields.model_dump(exclude=SERVICE_FIELDS),
    )
    return Order(picture, request, fields.deadline_s, fields.wait)


def multipart() -> dict[str, Any]:
    """OpenAPI's description of the body, which the route reads by itself."""
    schema = JobForm.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    for name, described in schema["properties"].items():
        reference = described.pop("$ref", None)
        if reference is not None:
            plain = definitions[reference.rpartition("/")[2]]
            schema["properties"][name] = {"type": plain["type"], "enum": plain["enum"], **described}
    image = {"type": "string", "format": "binary", "description": "A PNG, JPEG or WebP, told by content."}
    schema["properties"] = {IMAGE: image, **schema["properties"]}
    schema["required"] = [IMAGE]
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
