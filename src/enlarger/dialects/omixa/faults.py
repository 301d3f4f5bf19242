"""What is wrong in a request, said with the field, its value and the limit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from enlarger.dialects.body import BadField

VALUE_MAX = 60
"""Characters of a wrong value that are repeated."""
PRIVATE = ("prompt", "negative_prompt", "input_images")
"""Fields whose values are not repeated."""
MISSING, UNSUPPORTED, NO_JSON = "missing_field", "unsupported_option", "invalid_json"
WHOLE, NUMBER, TEXT = "a whole number", "a number", "text"
KINDS = {
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "int_parsing": WHOLE,
    "int_parsing_size": WHOLE,
    "float_type": NUMBER,
    "finite_number": "a finite number",
    "string_type": TEXT,
    "list_type": "an array",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}
"""What a value should have been, by the kind of fault."""


class Invalid(BadField):
    """A BadField with the code that tells its kind; every other one is an `invalid_value`."""

    def __init__(self, field: str, problem: str, code: str = "invalid_value") -> None:
        super().__init__(field, problem)
        self.code = code


def first_fault(faults: Sequence[Mapping[str, Any]], *, tags: Sequence[str] = ()) -> Invalid:
    """The first of Pydantic's errors about JSON or a query.

    tags  the values of `model` by which the fields of a request are told apart.
    """
    fault = faults[0]
    kind, value, more = fault["type"], fault["input"], fault.get("ctx", {})
    where = fault["loc"]
    if where and where[0] in (*tags, "query"):
        where = where[1:]
    field = _path(where)[:VALUE_MAX] or "body"
    if kind in ("json_invalid", "json_type"):
        return Invalid("body", f"must be JSON: {more.get('error', 'it is not')}", NO_JSON)
    if kind == "missing":
        return Invalid(field, "is required", MISSING)
    if kind == "extra_forbidden":
        return Invalid(field, "is not known; only send options supported by this model", UNSUPPORTED)
    if kind == "union_tag_not_found" or (kind == "union_tag_invalid" and value["model"] is None):
        return Invalid("model", "is required", MISSING)
    if kind == "union_tag_invalid":
        return Invalid("model", f"must be one of {', '.join(tags)}; got {more['tag'][:VALUE_MAX]!r}")
    if value is None:
        return Invalid(field, "is required", MISSING)
    return Invalid(field, f"must {_wanted(kind, more)}{_got(kind, value, more, where)}")


def _wanted(kind: str, more: Mapping[str, Any]) -> str:
    """What a value must do."""
    if kind in KINDS:
        return f"be {KINDS[kind]}"
    match kind:
        case "greater_than_equal":
            return f"be at least {more['ge']}"
        case "less_than_equal":
            return f"be at most {more['le']}"
        case "string_too_short":
            return f"have at least {more['min_length']} character"
        case "string_too_long":
            return f"have at most {more['max_length']} characters"
        case "too_short" | "too_long":
            return "have exactly one entry"
        case "enum" | "literal_error":
            return f"be {more['expected']}"
    return "have another value"


def _got(kind: str, value: Any, more: Mapping[str, Any], where: Sequence[str | int]) -> str:
    """What there was instead: how long it was, or itself where it is short and nobody's secret."""
    if kind.startswith("string_too"):
        return f", got {len(value)}"
    if kind.startswith("too_"):
        return f", got {more['actual_length']}"
    if not where or where[0] in PRIVATE or not isinstance(value, str | int | float):
        return ""
    shown = json.dumps(value[:VALUE_MAX] if isinstance(value, str) else value)
    return f", got {shown[:VALUE_MAX]}"


def _path(parts: Sequence[str | int]) -> str:
    """`("input_images", 0, "type")` as `input_images[0].type`."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
