"""`enlarger ledger`."""

from __future__ import annotations

import typer

from enlarger.cli.console import EXIT_SOME_FAILED
from enlarger.cli.installation import DataDir, opened

app = typer.Typer(help="Look after the books.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command()
def verify(data_dir: DataDir = None) -> None:
    """Recompute every balance from the books; say what is wrong, and end with 1 if anything is."""
    from enlarger.database import snapshot
    from enlarger.ledger import ledger

    is_wrong = False
    with opened(data_dir) as installation, snapshot(installation.engine) as connection:
        for fault in ledger.verify(connection):
            is_wrong = True
            typer.echo(fault)
    if is_wrong:
        raise typer.Exit(EXIT_SOME_FAILED)
    typer.echo("the books are right", err=True)
