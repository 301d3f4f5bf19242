"""Looking into memos: JSON objects that doors keep with a row, as `json.dumps` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

Wanted = Mapping[str, tuple[Any, ...]]
"""Members that a memo must have, at whatever depth, each with one of these values: text, numbers, truth."""


def says(memo: sa.Column[str], wanted: Wanted) -> sa.ColumnElement[bool]:
    """Whether a memo has all that is wanted.

    By its text: quotes inside what callers wrote are escaped there, so nobody can forge a member.
    """
    return sa.and_(
        sa.true(),
        *(
            sa.or_(sa.false(), *(holds(memo, _written(name, value)) for value in values))
            for name, values in wanted.items()
        ),
    )


def holds(column: sa.Column[str], text: str) -> sa.ColumnElement[bool]:
    """Whether a column has this text in it, to the letter: LIKE takes `A` for `a` on SQLite alone."""
    return _Place(column, sa.literal(text)) > 0


class _Place(sa.sql.functions.FunctionElement[int]):
    """Where a text begins in another, counted from 1; 0 where it is not there."""

    type = sa.Integer()
    inherit_cache = True


@compiles(_Place)
def _strpos(element: _Place, compiler: SQLCompiler, **more: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **more)})"


@compiles(_Place, "sqlite")
def _instr(element: _Place, compiler: SQLCompiler, **more: Any) -> str:
    return f"instr({compiler.process(element.clauses, **more)})"


def _written(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"
