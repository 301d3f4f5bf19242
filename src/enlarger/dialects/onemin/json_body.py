"""Members of this vendor's JSON bodies, which say what is wrong with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from enlarger.dialects.onemin.errors import BadPrompt

FIELDS_BYTES = 256 * 1024
"""A prompt of 10,000 characters, each escaped, has 120,000 bytes."""
SHOWN = 40
"""Characters of a wrong value that are repeated."""

Choice = TypeVar("Choice", bound=StrEnum)


def whole(
    members: Mapping[str, Any], name: str, low: int, high: int, default: int | None = None
) -> int | None:
    """A whole number within bounds, `default` where there is none. Raises BadPrompt."""
    value = members.get(name)
    if value is None:
        return default
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or not low <= value <= high:
        raise BadPrompt(name, f"must be a whole number from {low} to {high}, got {shown(value)}")
    return int(value)


def choice(members: Mapping[str, Any], name: str, choices: Sequence[Choice]) -> Choice:
    """One of `choices`, the first where there is none. Raises BadPrompt, listing them."""
    value = members.get(name)
    if value is None:
        return choices[0]
    for one in choices:
        if value == one:
            return one
    expected = ", ".join(repr(str(one)) for one in choices)
    raise BadPrompt(name, f"must be one of {expected}, got {shown(value)}")


def text(members: Mapping[str, Any], name: str, most: int) -> str:
    """A text of at most `most` characters, empty where there is none. Raises BadPrompt."""
    value = members.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadPrompt(name, f"must be text, got {kind_of(value)}")
    if len(value) > most:
        raise BadPrompt(name, f"must have at most {most} characters, got {len(value)}")
    return value


def shown(value: object) -> str:
    """A wrong value, short; of what is no scalar only its kind."""
    if isinstance(value, bool | list | dict):
        return kind_of(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "a number beyond all bounds"
    return repr(value)[:SHOWN]


def kind_of(value: object) -> str:
    """What JSON calls a value."""
    names = {bool: "a boolean", list: "a list", dict: "an object", str: "text", type(None): "null"}
    return names.get(type(value), "a number")
