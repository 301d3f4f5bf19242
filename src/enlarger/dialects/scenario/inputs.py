"""What a body may hold: one table drives the checks, `inputs` of a model, and OpenAPI.

An `Input` says what a value must be, in the vendor's words and ranges, and which field of the
canonical request it becomes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from enlarger.dialects.body import BadField

MEMBERS_MAX = 200
"""Of a body. The largest table has twenty inputs, and what clients send beside them is a handful."""
VALUE_MAX = 60
"""Characters of a wrong value that are repeated."""


class Kind(StrEnum):
    """What a value is; the words are those of a model's `inputs`."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    FILE = "file"
    """An asset's id or a data URL."""
    FILE_ARRAY = "file_array"
    STRING_ARRAY = "string_array"


@dataclass(frozen=True, kw_only=True)
class Input:
    """One member of a body."""

    name: str
    kind: Kind
    label: str = ""
    description: str = ""
    default: Any = None
    """What counts where nothing is sent; None is nothing, or what the preset says."""
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    """Characters of a string, items of an array."""
    allowed: tuple[str, ...] | None = None
    is_loose: bool = False
    """Whether one of `allowed` may come in any case, and with spaces for its hyphens."""
    is_required: bool = False
    is_whole: bool = False
    is_prompt: bool = False
    is_parent: bool = False
    """Whether the result is a child of this asset."""
    has_cost: bool = False
    """Whether the price depends on it."""
    becomes: str | None = None
    """The field of `UpscaleRequest` that it sets..."""
    whole: float | None = None
    """...divided by this; None is as it is."""
    above: float = 0
    """The factor at and below which it has no effect."""

    def check(self, value: Any) -> Any:
        """The value, a whole number as an `int`. Raises BadField."""
        match self.kind:
            case Kind.NUMBER:
                return self._number(value)
            case Kind.BOOLEAN:
                if not isinstance(value, bool):
                    raise BadField(self.name, f"must be true or false, got {_shown(value)}")
                return value
            case Kind.STRING | Kind.FILE:
                return self._text(value)
        return self._list(value)

    def canonical(self, value: Any) -> Any:
        """A checked value as the canonical request has it."""
        return value if self.whole is None else value / self.whole

    def _number(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadField(self.name, f"must be a number, got {_shown(value)}")
        low = -math.inf if self.min is None else self.min
        high = math.inf if self.max is None else self.max
        # Compared as it came: a whole number of hundreds of digits is no float.
        if not low <= value <= high:
            raise BadField(self.name, f"must be between {low:g} and {high:.12g}, got {_shown(value)}")
        if self.is_whole:
            if value != int(value):
                raise BadField(self.name, f"must be a whole number, got {_shown(value)}")
            return int(value)
        return value

    def _text(self, sent: Any) -> str:
        if not isinstance(sent, str):
            raise BadField(self.name, f"must be text, got {_shown(sent)}")
        value = sent.lower().replace(" ", "-") if self.is_loose else sent
        if self.is_required and self.kind is Kind.FILE and not value:
            raise BadField(self.name, "is required")
        if self.allowed is not None and value not in self.allowed:
            raise BadField(self.name, f"must be one of {', '.join(self.allowed)}, got {_shown(sent)}")
        if self.max_length is not None and len(value) > self.max_length:
            raise BadField(self.name, f"must have at most {self.max_length} characters, got {len(value)}")
        if "\0" in value or not _is_encodable(value):
            raise BadField(self.name, "holds what is no character")
        return value

    def _list(self, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise BadField(self.name, f"must be a list of text, got {_shown(value)}")
        # Before any item is looked at: there may be millions.
        if self.max_length is not None and len(value) > self.max_length:
            raise BadField(self.name, f"must have at most {self.max_length} items, got {len(value)}")
        if not all(isinstance(item, str) and item for item in value):
            raise BadField(self.name, f"must be a list of text, got {_shown(value)}")
        if self.min is not None and len(value) < self.min:
            raise BadField(self.name, f"must have at least {self.min:g} items, got {len(value)}")
        for item in value:
            if "\0" in item or not _is_encodable(item):
                raise BadField(self.name, "holds what is no character")
        return value

    def described(self) -> dict[str, Any]:
        """As `inputs` of a model has it."""
        shown: dict[str, Any] = {"name": self.name, "type": str(self.kind)}
        optional = {
            "label": self.label or None,
            "description": self.description or None,
            "default": self.default,
            "min": self.min if self.kind is Kind.NUMBER else None,
            "max": self.max,
            "maxLength": self.max_length,
            "allowedValues": None if self.allowed is None else list(self.allowed),
            "step": 1 if self.is_whole else None,
            "required": {"always": True} if self.is_required else None,
            "kind": "image" if self.kind in (Kind.FILE, Kind.FILE_ARRAY) else None,
            "parent": self.is_parent or None,
            "prompt": self.is_prompt or None,
            "costImpact": self.has_cost or None,
        }
        return shown | {name: value for name, value in optional.items() if value is not None}

    def schema(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        types = {Kind.NUMBER: "integer" if self.is_whole else "number", Kind.BOOLEAN: "boolean"}
        shown: dict[str, Any] = {"type": types.get(self.kind, "string")}
        if self.kind in (Kind.FILE_ARRAY, Kind.STRING_ARRAY):
            shown = {"type": "array", "items": {"type": "string"}}
            optional: dict[str, Any] = {"minItems": self.min, "maxItems": self.max_length}
        else:
            optional = {"minimum": self.min, "maximum": self.max, "maxLength": self.max_length}
        optional |= {
            "default": self.default,
            "enum": None if self.allowed is None else list(self.allowed),
            "description": self.description or None,
        }
        return shown | {name: value for name, value in optional.items() if value is not None}


def read_values(
    body: dict[str, Any], inputs: Sequence[Input], *, on_unknown: Callable[[str], None] = lambda name: None
) -> dict[str, Any]:
    """What a body says, checked; a null counts as nothing said.

    on_unknown  called with the name of each member that is in no table; may raise.

    Raises BadField, for a body of very many members before any is looked at.
    """
    if len(body) > MEMBERS_MAX:
        raise BadField("body", f"must have at most {MEMBERS_MAX} members, got {len(body)}")
    known = {one.name: one for one in inputs}
    for name in body:
        if name not in known:
            on_unknown(name)
    values = {name: one.check(body[name]) for name, one in known.items() if body.get(name) is not None}
    for one in inputs:
        if one.is_required and one.name not in values:
            raise BadField(one.name, "is required")
    return values


def body_schema(inputs: Sequence[Input], title: str, example: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI's description of a body that a route reads by itself."""
    schema: dict[str, Any] = {
        "title": title,
        "type": "object",
        "properties": {one.name: one.schema() for one in inputs},
    }
    required = [one.name for one in inputs if one.is_required]
    if required:
        schema["required"] = required
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _shown(value: Any) -> str:
    """A wrong value, for its sender to recognise; what may be megabytes is not written out for that."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, str):
        value = value[:VALUE_MAX]
    return msgspec.json.encode(value).decode(errors="replace")[:VALUE_MAX]


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
