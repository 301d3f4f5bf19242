"""JSON bodies: read after the caller is known, within a limit, checked field by field."""

from __future__ import annotations

from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from enlarger.dialects.body import read_json
from enlarger.dialects.openapi import schema_of
from enlarger.dialects.own.errors import first_fault

LIMIT_BYTES = 64 * 1024
Body = TypeVar("Body", bound=BaseModel)


async def read_body(request: Request, kind: type[Body]) -> Body:
    """The body as a `kind`. Raises BadField, BadParameter, PayloadTooLarge."""
    data = await read_json(request, LIMIT_BYTES)
    try:
        return kind.model_validate_json(data or b"{}")
    except ValidationError as error:
        raise first_fault(error) from None


def described(kind: type[BaseModel]) -> dict[str, object]:
    """OpenAPI's description of a body that a route reads by itself."""
    content = {"application/json": {"schema": schema_of(kind)}}
    return {"requestBody": {"required": True, "content": content}}
