"""The command line: one module a verb, nothing but reading arguments and telling what happened."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from enlarger import __version__
from enlarger.cli import (
    backup,
    compare,
    credit,
    devices,
    doctor,
    files,
    keys,
    ledger,
    members,
    models,
    plan,
    prices,
    replay,
    serve,
    up,
    usage,
    worker,
    workspaces,
)
from enlarger.cli.commands import Commands
from enlarger.cli.console import exit_code_for, fail
from enlarger.errors import EnlargerError

app = typer.Typer(
    name="enlarger",
    cls=Commands,
    help="Self-hosted AI image upscaling: command line, server and library on one engine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("up")(up.up)
app.command("plan")(plan.plan)
app.command("compare")(compare.compare)
app.command("replay")(replay.replay)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("doctor")(doctor.doctor)
app.command("devices")(devices.devices)
app.command("usage")(usage.usage)
app.add_typer(models.app, name="models")
app.add_typer(workspaces.app, name="workspaces")
app.add_typer(keys.app, name="keys")
app.add_typer(members.app, name="members")
app.add_typer(credit.app, name="credit")
app.add_typer(prices.app, name="prices")
app.add_typer(ledger.app, name="ledger")
app.add_typer(files.app, name="files")


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"enlarger {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def run() -> None:
    """Run the command line; errors end it with a line and a code, not with a trace."""
    try:
        app()
    except EnlargerError as error:
        fail(error)
        sys.exit(exit_code_for(error))
    except KeyboardInterrupt:
        typer.echo("enlarger: interrupted", err=True)
        raise
