"""The bodies of Stability's API, for OpenAPI; the names are those of the vendor's document."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, Field

from enlarger.dialects.openapi import reference, schema_of
from enlarger.dialects.presets import StylePreset
from enlarger.request import OutputFormat

OUTPUT_FORMATS = (OutputFormat.PNG, OutputFormat.JPEG, OutputFormat.WEBP)
"""What this vendor can be asked for, its default first; fewer than the engine may learn to write."""


class FastUpscaleRequest(BaseModel):
    """Form of a fast upscale. Unknown fields are ignored."""

    image: bytes = Field(
        description="A JPEG, PNG or WebP: sides of 32 to 1,536 pixels, 1,024 to 1,048,576 in all.",
        json_schema_extra={"format": "binary"},
    )
    output_format: OutputFormat = Field(OutputFormat.PNG, description="Format of the result.")


class ConservativeUpscaleRequest(BaseModel):
    """Form of a conservative upscale. Unknown fields are ignored."""

    image: bytes = Field(
        description="A JPEG, PNG or WebP: sides of 64 pixels or more, 4,096 to 9,437,184 in all, no side"
        " more than 2.5 times the other.",
        json_schema_extra={"format": "binary"},
    )
    prompt: str = Field(min_length=1, max_length=10_000, description="What the picture shows, in English.")
    negative_prompt: str = Field("", max_length=10_000, description="What it shall not look like.")
    seed: int = Field(0, ge=0, le=4_294_967_294, description="0 draws one, which the answer says.")
    output_format: OutputFormat = Field(OutputFormat.PNG, description="Format of the result.")
    creativity: float = Field(0.35, ge=0.2, le=0.5, description="How much texture is made.")


class CreativeUpscaleRequest(BaseModel):
    """Form of a creative upscale. Unknown fields are ignored."""

    image: bytes = Field(
        description="A JPEG, PNG or WebP: sides of 64 pixels or more, 4,096 to 1,048,576 in all.",
        json_schema_extra={"format": "binary"},
    )
    prompt: str = Field(min_length=1, max_length=10_000, description="What the picture shows, in English.")
    negative_prompt: str = Field("", max_length=10_000, description="What it shall not look like.")
    seed: int = Field(0, ge=0, le=4_294_967_294, description="0 draws one, which the answer says.")
    output_format: OutputFormat = Field(OutputFormat.PNG, description="Format of the result.")
    creativity: float = Field(
        0.3, ge=0.1, le=0.5, description="How much is made that the input does not show."
    )
    style_preset: StylePreset | None = Field(None, description="A look.")


class UpscaleImageResponse(BaseModel):
    """The result as JSON, for callers that accept `application/json`."""

    image: str = Field(description="The picture in base64.")
    finish_reason: Literal["SUCCESS"]
    seed: int = Field(description="The seed that was used.")


class ConservativeUpscaleResponse(UpscaleImageResponse):
    """The same with the generation's id, by which the result can be had again for 24 hours."""

    id: str = Field(description="64 hexadecimal digits.")
    status: Literal["complete"]


class AsyncGenerationResponse(BaseModel):
    """A generation that goes on."""

    id: str = Field(description="64 hexadecimal digits, to ask for the result by.")
    status: Literal["in-progress"]


class ResultResponse(UpscaleImageResponse):
    """A result that was asked for by its id."""

    result: str = Field(description="The same as `image`, under the name that the vendor's server uses.")


class Engine(BaseModel):
    """One engine of v1."""

    id: str
    name: str
    description: str
    type: Literal["PICTURE"]


RESULT_SIDE = "Of the result; the input's own where that is more"


class FormerUpscaleRequest(BaseModel):
    """Form of v1's upscale; at most one of width and height. Unknown fields are ignored."""

    image: bytes = Field(
        description="A JPEG, PNG or WebP whose result has at most 4,194,304 pixels.",
        json_schema_extra={"format": "binary"},
    )
    width: int | None = Field(None, ge=512, description=f"{RESULT_SIDE}; twice the input's if neither.")
    height: int | None = Field(None, ge=512, description=f"{RESULT_SIDE}.")


class Artifact(BaseModel):
    """A picture of v1."""

    base64: str
    finish_reason: Literal["SUCCESS"] = Field(alias="finishReason")
    seed: int


class ArtifactsResponse(BaseModel):
    """The result of v1 as JSON."""

    artifacts: list[Artifact]


class ErrorResponse(BaseModel):
    """What every v2beta error looks like."""

    id: str
    name: str = Field(description="Kind of error, stable.")
    errors: list[str] = Field(description="Each begins with the field at fault.")
    message: str = Field(description="The errors in one string.")


class V1ErrorResponse(BaseModel):
    """What every v1 error looks like."""

    id: str
    name: str
    message: str


class Organization(BaseModel):
    """A workspace, in Stability's words."""

    id: str
    name: str
    role: Literal["MEMBER"]
    is_default: bool


class AccountResponse(BaseModel):
    """Who the key belongs to."""

    id: str
    email: str
    organizations: list[Organization]


class BalanceResponse(BaseModel):
    """What the key may spend."""

    credits: float = Field(description="Credits of US$0.01.")


def multipart(model: type[BaseModel]) -> dict[str, Any]:
    """OpenAPI's description of a multipart body that the route reads by itself."""
    content = {"multipart/form-data": {"schema": reference(model)}}
    return {"requestBody": {"required": True, "content": content}}


def _form(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.pop("$defs", None)
    choices: dict[str, tuple[StrEnum, ...]] = {
        "style_preset": tuple(StylePreset),
        "output_format": OUTPUT_FORMATS,
    }
    for name, values in choices.items():
        field = schema["properties"].get(name)
        if field is not None:
            schema["properties"][name] = {
                "type": "string",
                "enum": [str(value) for value in values],
                "description": field["description"],
                **({"default": field["default"]} if field.get("default") else {}),
            }
    return schema


FORMS = (FastUpscaleRequest, ConservativeUpscaleRequest, CreativeUpscaleRequest, FormerUpscaleRequest)
ANSWERS = (UpscaleImageResponse, ConservativeUpscaleResponse, ResultResponse, ArtifactsResponse)
SCHEMAS: dict[str, Any] = {model.__name__: _form(model) for model in FORMS} | {
    model.__name__: schema_of(model) for model in ANSWERS
}
"""Of bodies that routes read and write by themselves, by name."""
