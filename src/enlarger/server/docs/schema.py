"""What a JSON schema says, in rows of a table: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
LIMITS = (
    (("minimum", "maximum"), "{} to {}"),
    (("minimum",), "at least {}"),
    (("exclusiveMinimum",), "more than {}"),
    (("maximum",), "at most {}"),
    (("exclusiveMaximum",), "less than {}"),
    (("multipleOf",), "in steps of {}"),
    (("minLength", "maxLength"), "{} to {} characters"),
    (("minLength",), "{} characters or more"),
    (("maxLength",), "{} characters or fewer"),
    (("minItems", "maxItems"), "{} to {} items"),
    (("minItems",), "{} items or more"),
    (("maxItems",), "{} items or fewer"),
    (("pattern",), "as {}"),
)
"""What is said of the keys that a schema has; the first that speaks of a key is the only one."""
DEPTH_MAX = 4
"""Objects within objects that are shown where they are not named."""


@dataclass(frozen=True)
class Row:
    """One field."""

    name: str
    type: str
    refers_to: str | None
    """The named schema that the type is, or is made of."""
    is_required: bool
    limits: str
    description: str


def rows_of(schema: Schema, prefix: str = "", depth: int = 0) -> Iterator[Row]:
    """Every field of an object; fields of objects in it have dotted names.

    Of an object that may be one of several, those of each.
    """
    for choice in alternatives(schema):
        yield from rows_of(choice, prefix, depth)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield row_of(prefix + name, field, is_required=name in required)
        inner, mark = plain(field), "."
        if inner.get("type") == "array":
            inner, mark = plain(inner.get("items", {})), "[]."
        if depth < DEPTH_MAX:
            yield from rows_of(inner, f"{prefix}{name}{mark}", depth + 1)


def row_of(name: str, schema: Schema, *, is_required: bool) -> Row:
    """One field, whatever it is."""
    inner = plain(schema)
    said = list(_limits(inner))
    if "enum" in inner:
        said.append("one of " + ", ".join(_shown(value) for value in inner["enum"]))
    if "const" in inner:
        said.append(f"always {_shown(inner['const'])}")
    if schema.get("default", inner.get("default")) is not None:
        said.append(f"{_shown(schema.get('default', inner.get('default')))} if absent")
    kind, refers_to = type_of(schema)
    description = schema.get("description") or inner.get("description", "")
    return Row(name, kind, refers_to, is_required, "; ".join(said), description)


def _limits(schema: Schema) -> Iterator[str]:
    told: set[str] = set()
    for keys, text in LIMITS:
        if told.isdisjoint(keys) and schema.keys() >= set(keys):
            told.update(keys)
            yield text.format(*(_shown(schema[key]) for key in keys))


def type_of(schema: Schema) -> tuple[str, str | None]:
    """A type in words, and the named schema in it."""
    if reference := schema.get("$ref"):
        name = str(reference).rsplit("/", 1)[-1]
        return name, name
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        types = [type_of(choice) for choice in choices]
        return " or ".join(name for name, _ in types), next((to for _, to in types if to), None)
    kind = schema.get("type", "")
    if kind == "object":
        return schema.get("title", kind), None
    if isinstance(kind, list):
        return " or ".join(kind), None
    if kind == "array":
        name, refers_to = type_of(schema.get("items", {}))
        return f"list of {name}" if name else "list", refers_to
    if schema.get("format") == "binary":
        return "file", None
    if not kind and "const" in schema:
        return type(schema["const"]).__name__.replace("str", "string"), None
    return str(kind), None


def alternatives(schema: Schema) -> Sequence[Schema]:
    """What something may be instead of one thing; empty where it is one thing."""
    choices: Sequence[Schema] = schema.get("oneOf") or schema.get("anyOf") or ()
    return choices


def plain(schema: Schema) -> Schema:
    """The schema of what is there, where it says `this or null`."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    return choices[0] if len(choices) == 1 else schema


def resolve(document: Schema, schema: Schema) -> Schema:
    """The schema that a reference means; any other as it is."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = document
    for step in str(reference).removeprefix("#/").split("/"):
        found = found[step]
    return resolve(document, found)


def _shown(value: Any) -> str:
    if value == "":
        return "empty"
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
