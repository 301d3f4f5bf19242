"""The installation that the accounting commands work on, and how they show what they list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cli.console import read_settings
from enlarger.errors import NotReady

if TYPE_CHECKING:
    import sqlalchemy as sa

    from enlarger.accounts import Accounts

POOL_SIZE = 2
OPERATOR = "operator"
"""Who did it, in the lists, where it was done from a shell."""
DataDir = Annotated[Path | None, typer.Option(help="Folder of the installation, as for `serve`.")]
WorkspaceOption = Annotated[str, typer.Option("--workspace", help="Name or id of the workspace.")]
AnyWorkspaceOption = Annotated[
    str | None, typer.Option("--workspace", help="Name or id of a workspace; all if not given.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One object a line on standard output.")]


@dataclass(frozen=True)
class Installation:
    """An installation's database and accounts, opened for one command."""

    engine: sa.Engine
    accounts: Accounts


@contextmanager
def opened(data_dir: Path | None) -> Iterator[Installation]:
    """Open the installation that the settings say. The server may be running.

    Raises NotReady where there is none, or one of another version.
    """
    from enlarger.accounts import open_accounts
    from enlarger.database import connect
    from enlarger.database.migrate import is_current

    settings = read_settings(data_dir=data_dir)
    if settings.database_url is None and not (settings.data_dir / "enlarger.db").exists():
        raise NotReady(f"there is no installation in {settings.data_dir}; start the server once")
    engine = connect(settings.database, pool_size=POOL_SIZE)
    try:
        if not is_current(engine):
            raise NotReady(
                "the database is of another version; start the server once to bring it up to date"
            )
        yield Installation(engine, open_accounts(engine, pepper_path=settings.pepper_path))
    finally:
        engine.dispose()


def show(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Rows in columns for people, with a head; or one JSON object a line. Nothing for no rows.

    Every row has the same names. None is `-` in the columns and null in JSON.
    """
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
        return
    if not rows:
        return
    lines = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)
