"""`enlarger workspaces`."""

from __future__ import annotations

from typing import Annotated

import typer

from enlarger.cli.installation import AsJson, DataDir, opened, show
from enlarger.errors import BadParameter
from enlarger.moment import iso_of
from enlarger.money import dollars, micros_of

app = typer.Typer(help="Make, list and limit workspaces, which own keys and credit.", no_args_is_help=True)
Workspace = Annotated[str, typer.Argument(help="Name or id of the workspace.")]
OWN_LIMIT = "default"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Of the new workspace, 1 to 100 characters.")],
    credit: Annotated[
        str, typer.Option("--credit", help="US dollars that it is given at once, or unlimited.")
    ] = "0",
    data_dir: DataDir = None,
) -> None:
    """Make a workspace and print its id."""
    micros = None if credit == "unlimited" else micros_of(credit, param="credit")
    with opened(data_dir) as installation:
        workspace = installation.accounts.workspaces.create(name, micros)
    typer.echo(workspace.id)


@app.command("list")
def list_(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the workspaces with what they have and how many jobs each may have under way."""
    from enlarger.ledger import ledger

    with opened(data_dir) as installation, installation.engine.connect() as connection:
        rows = []
        for workspace in installation.accounts.workspaces.list():
            balance = ledger.balance(connection, workspace.id)
            rows.append(
                {
                    "id": workspace.id,
                    "name": workspace.name,
                    "available": dollars(balance.available_micros),
                    "held": dollars(balance.held_micros),
                    "unlimited": balance.is_unlimited,
                    "max_jobs": workspace.max_jobs,
                    "created": iso_of(workspace.created_ms),
                }
            )
    show(rows, as_json=as_json)


@app.command()
def limit(
    workspace: Workspace,
    jobs: Annotated[
        str,
        typer.Argument(help="Jobs that it may have under way, 1 or more; `default`: the installation's."),
    ],
    data_dir: DataDir = None,
) -> None:
    """Set how many jobs a workspace may have under way at once."""
    if jobs != OWN_LIMIT and not (jobs.isascii() and jobs.isdecimal() and len(jobs) < 10):
        raise BadParameter(f"jobs is {jobs!r}; it must be 1 or more, or `default`", param="jobs")
    with opened(data_dir) as installation:
        workspaces = installation.accounts.workspaces
        workspaces.limit_jobs(workspaces.get(workspace).id, None if jobs == OWN_LIMIT else int(jobs))
    typer.echo(f"{workspace}: {jobs} jobs at once", err=True)
