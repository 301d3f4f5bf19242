"""What every dialect's OpenAPI document says beside its routes: where the key goes, and no false answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from enlarger.jobs.idempotency import KEY_MAX
from enlarger.request import OutputFormat

BEARER = {"type": "http", "scheme": "bearer"}
BASIC = {"type": "http", "scheme": "basic"}
BYTES = {"type": "string", "format": "binary"}
REPEATABLE = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes the request safe to send again: under the same key, the same request gets the"
    " first one's answer, and nothing is paid twice.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
}
"""The header that every paid route reads."""
VALIDATION = ("HTTPValidationError", "ValidationError")


def api_key(header: str) -> dict[str, str]:
    """A key as it is in a header."""
    return {"type": "apiKey", "in": "header", "name": header}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Where the document has a body's schema."""
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def errors(model: type[BaseModel], statuses: Iterable[int]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of errors that all have one body.

    FastAPI compiles a validator, which no error is ever held against, for each model of each route; so
    it is told of this one once, and the others refer to it: an application is made in half the time.
    """
    first, *others = statuses
    content = {"application/json": {"schema": reference(model)}}
    return {
        first: {"model": model},
        **{status: {"description": HTTPStatus(status).phrase, "content": content} for status in others},
    }


def paid(body: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAPI's description of a paid route: `body`, and the header that makes it safe to repeat."""
    return {**body, "parameters": [REPEATABLE]}


def pictures(formats: Iterable[OutputFormat]) -> dict[str, Any]:
    """The content of an answer that is a picture in one of `formats`."""
    return {choice.media_type: {"schema": BYTES} for choice in formats}


def describe(
    app: FastAPI, schemes: Mapping[str, Mapping[str, str]], schemas: Mapping[str, Any] | None = None
) -> None:
    """Complete the document that FastAPI makes of `app`.

    schemes  ways to send the key, by name, the usual one first; each is enough.
    schemas  of bodies that routes read by themselves, by name.

    FastAPI lists a 422 of its own shape for every route with a parameter. No dialect answers that:
    what does not fit is refused in the vendor's shape, as the routes say.
    """
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            for methods in document["paths"].values():
                for operation in methods.values():
                    _remove_validation(operation["responses"])
            components = document.setdefault("components", {})
            for name in VALIDATION:
                components.get("schemas", {}).pop(name, None)
            components.setdefault("schemas", {}).update(schemas or {})
            components["securitySchemes"] = {name: dict(scheme) for name, scheme in schemes.items()}
            document["security"] = [{name: []} for name in schemes]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def schema_of(kind: type[BaseModel]) -> dict[str, Any]:
    """The schema of a body that a route reads or writes by itself, whole in one place.

    Pydantic's own has references that lead nowhere inside of a document.
    """
    schema = kind.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inlined(value: Any) -> Any:
        if isinstance(value, list):
            return [inlined(item) for item in value]
        if not isinstance(value, dict):
            return value
        inner = {key: inlined(item) for key, item in value.items() if key != "$ref"}
        if "$ref" in value:
            return inlined(definitions[value["$ref"].rsplit("/", 1)[-1]]) | inner
        return inner

    whole: dict[str, Any] = inlined(schema)
    return whole


def _remove_validation(responses: dict[str, Any]) -> None:
    schema = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if str(schema.get("$ref", "")).endswith(VALIDATION[0]):
        del responses["422"]
