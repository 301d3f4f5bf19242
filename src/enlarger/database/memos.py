"""Looking into memos: JSON objects that doors keep with a row, as `json.dumps` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

Wanted = Mapping[str, tuple[Any, ...]]
"""Members that a memo must have, at whatever depth, each with one of these values: text, numbers, truth."""


def says(memo: sa.Column[str], wanted: Wanted) -> sa.ColumnElement[bool]:
    """Whether a memo has all that is wanted.

    By its text: quotes inside what callers wrote are escaped there, so nobody can forge a member.
    """
    return sa.and_(
        sa.true(),
        *(
            sa.or_(sa.false(), *(memo.contains(_written(name, value), autoescape=True) for value in values))
            for name, values in wanted.items()
        ),
    )


def _written(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"
