"""Names of results: a template with a closed set of fields, none of which can leave the folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

from enlarger.errors import BadParameter

FIELDS = ("stem", "name", "target", "scale", "mode", "width", "height", "seed", "index")
"""`stem` and `name`: the input's, without and with its ending. `target`: as asked, `4x`, `3840w`.
`scale`: how many times as wide. `width`, `height`: of the result. `index`: 1 for the first input."""
NUMBERS = ("width", "height", "seed", "index")
"""Fields that take a number of digits: `{index:04}`."""
LENGTH_MAX = 200
"""Bytes of a name; file systems take 255, and an ending and a number may come behind it."""
_DIGITS = re.compile(r"0?[1-9]?")
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f]")


@dataclass(frozen=True)
class Template:
    """A name without its ending."""

    text: str
    fields: frozenset[str]
    """The fields that it uses."""

    @classmethod
    def parse(cls, text: str) -> Template:
        """Raises BadParameter for a field that is not known, and for what no file may be called."""
        try:
            parts = list(Formatter().parse(text))
        except ValueError as error:
            raise BadParameter(f"name is {text!r}: {error}", param="name") from None
        fields = set()
        for literal, field, digits, conversion in parts:
            if _FORBIDDEN.search(literal):
                raise BadParameter(f"name is {text!r}; it may not leave the output folder", param="name")
            if field is None:
                continue
            if field not in FIELDS:
                known = ", ".join(f"{{{name}}}" for name in FIELDS)
                raise BadParameter(
                    f"name has the field {{{field}}}; it must be one of: {known}", param="name"
                )
            if conversion or (digits and (field not in NUMBERS or not _DIGITS.fullmatch(digits))):
                raise BadParameter(
                    f"name has {{{field}}} with {digits or conversion!r}; only a number takes its digits,"
                    " as in {index:04}",
                    param="name",
                )
            fields.add(field)
        return cls(text, frozenset(fields))

    def fill(self, values: Mapping[str, str | int]) -> str:
        """The name for these values of its fields.

        Raises BadParameter for a name that is empty, hidden or longer than LENGTH_MAX bytes.
        """
        name = self.text.format(**values)
        if _FORBIDDEN.search(name) or not name.strip(". ") or name[0] == ".":
            raise BadParameter(f"name {self.text!r} makes {name!r}, which is no file's name", param="name")
        length = len(os.fsencode(name))
        if length > LENGTH_MAX:
            raise BadParameter(
                f"name {self.text!r} makes a name of {length} bytes; at most {LENGTH_MAX} are possible",
                param="name",
            )
        return name


IN_A_FOLDER = Template.parse("{stem}")
BESIDE_THE_INPUT = Template.parse("{stem}_{target}")
