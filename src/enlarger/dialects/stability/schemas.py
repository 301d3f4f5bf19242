"""The bodies of Stability's API, for OpenAPI; the names are those of the vendor's document."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

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


class UpscaleImageResponse(BaseModel):
    """The result as JSON, for callers that accept `application/json`."""

    image: str = Field(description="The picture in base64.")
    finish_reason: Literal["SUCCESS"]
    seed: int = Field(description="The seed that was used.")


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
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    schema["properties"]["output_format"] = {
        "type": "string",
        "enum": [str(choice) for choice in OUTPUT_FORMATS],
        "default": str(OUTPUT_FORMATS[0]),
        "description": "Format of the result.",
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
