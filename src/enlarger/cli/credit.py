"""`enlarger credit`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.installation import AnyWorkspaceOption, AsJson, DataDir, Installation, opened, show
from enlarger.errors import BadParameter
from enlarger.money import change_of, dollars, micros_of

if TYPE_CHECKING:
    import sqlalchemy as sa

app = typer.Typer(help="Give workspaces credit, correct it, and show it.", no_args_is_help=True)
NOTE_MAX = 200
Workspace = Annotated[str, typer.Argument(help="Name or id of the workspace.")]
NEGATIVE_NUMBERS = {"ignore_unknown_options": True}
"""`-5.00` is an amount and no option."""


@app.command()
def add(
    workspace: Workspace,
    amount: Annotated[str, typer.Argument(help="US dollars, more than 0, six decimals at most.")],
    note: Annotated[str, typer.Option("--note", help="What for; it stays in the books.")] = "",
    data_dir: DataDir = None,
) -> None:
    """Give a workspace credit."""
    from enlarger.ledger import ledger

    micros = micros_of(amount)
    _change(
        data_dir, workspace, lambda connection, id_: ledger.top_up(connection, id_, micros, _note(note))
    )


@app.command(context_settings=NEGATIVE_NUMBERS)
def adjust(
    workspace: Workspace,
    amount: Annotated[str, typer.Argument(help="US dollars, below 0 to take back.")],
    note: Annotated[str, typer.Option("--note", help="Why; it stays in the books.")],
    data_dir: DataDir = None,
) -> None:
    """Correct a balance up or down, for a reason. Never below zero."""
    from enlarger.ledger import ledger

    micros = change_of(amount)
    if not micros or not note.strip():
        raise BadParameter("an adjustment needs an amount other than 0 and a note", param="amount")
    _change(
        data_dir, workspace, lambda connection, id_: ledger.adjust(connection, id_, micros, _note(note))
    )


@app.command()
def unlimited(workspace: Workspace, data_dir: DataDir = None) -> None:
    """Let a workspace spend beyond what it has; its balance then shows what it used."""
    from enlarger.ledger import ledger

    _change(
        data_dir,
        workspace,
        lambda connection, id_: ledger.set_unlimited(connection, id_, is_unlimited=True),
    )


@app.command()
def limited(workspace: Workspace, data_dir: DataDir = None) -> None:
    """Let a workspace spend what it has and no more."""
    from enlarger.ledger import ledger

    _change(
        data_dir,
        workspace,
        lambda connection, id_: ledger.set_unlimited(connection, id_, is_unlimited=False),
    )


@app.command("show")
def show_(workspace: AnyWorkspaceOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show what workspaces have, and what is set aside for jobs under way."""
    with opened(data_dir) as installation:
        workspaces = installation.accounts.workspaces
        chosen = workspaces.list() if workspace is None else [workspaces.get(workspace)]
        _show(installation, [(one.id, one.name) for one in chosen], as_json=as_json)


def _change(data_dir: Path | None, workspace: str, change: Callable[[sa.Connection, str], None]) -> None:
    from enlarger.database import write

    with opened(data_dir) as installation:
        found = installation.accounts.workspaces.get(workspace)
        with write(installation.engine) as connection:
            change(connection, found.id)
        _show(installation, [(found.id, found.name)], as_json=False)


def _show(installation: Installation, workspaces: list[tuple[str, str]], *, as_json: bool) -> None:
    from enlarger.ledger import ledger

    rows = []
    with installation.engine.connect() as connection:
        for id_, name in workspaces:
            balance = ledger.balance(connection, id_)
            rows.append(
                {
                    "workspace": name,
                    "available": dollars(balance.available_micros),
                    "held": dollars(balance.held_micros),
                    "unlimited": balance.is_unlimited,
                }
            )
    show(rows, as_json=as_json)


def _note(text: str) -> str:
    if len(text) > NOTE_MAX:
        raise BadParameter(
            f"note has {len(text)} characters; it must have at most {NOTE_MAX}", param="note"
        )
    return text
