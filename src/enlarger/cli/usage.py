"""`enlarger usage`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.installation import AnyWorkspaceOption, AsJson, DataDir, Installation, opened, show
from enlarger.errors import BadParameter
from enlarger.moment import iso_of, ms_of
from enlarger.money import dollars

if TYPE_CHECKING:
    from enlarger.accounts import Workspace
    from enlarger.ledger.usage import Bucket, UsageFilter


def usage(
    workspace: AnyWorkspaceOption = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Accepted at this time or later: 2026-03-01, or with T12:00Z."),
    ] = None,
    to: Annotated[str | None, typer.Option("--to", help="Accepted before this time.")] = None,
    by: Annotated[str, typer.Option("--by", help="Sums by hour or day, in UTC.")] = "day",
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Every request instead of sums, as CSV on standard output.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Show what was done and billed, in sums by model and day; or every request, with --csv."""
    from enlarger.ledger.usage import Bucket, UsageFilter

    if by not in tuple(Bucket):
        raise BadParameter(f"by is {by!r}; it must be one of: {', '.join(Bucket)}", param="by")
    where = UsageFilter(
        from_ms=None if from_ is None else ms_of(from_, param="from"),
        to_ms=None if to is None else ms_of(to, param="to"),
    )
    with opened(data_dir) as installation:
        workspaces = installation.accounts.workspaces
        chosen = workspaces.list() if workspace is None else [workspaces.get(workspace)]
        if as_csv:
            _write_csv(installation, chosen, where)
        else:
            _show_sums(installation, chosen, where, Bucket(by), as_json=as_json)


def _write_csv(installation: Installation, workspaces: list[Workspace], where: UsageFilter) -> None:
    from enlarger.ledger.usage import export_csv

    for number, workspace in enumerate(workspaces):
        pieces = export_csv(installation.engine, workspace.id, where)
        head = next(pieces)
        if number == 0:
            typer.echo(head, nl=False)
        for piece in pieces:
            typer.echo(piece, nl=False)


def _show_sums(
    installation: Installation,
    workspaces: list[Workspace],
    where: UsageFilter,
    bucket: Bucket,
    *,
    as_json: bool,
) -> None:
    from enlarger.ledger.usage import rollups

    with installation.engine.connect() as connection:
        rows = [
            {
                "start": iso_of(sums.start_ms),
                "workspace": workspace.name,
                "model": sums.model,
                "requests": sums.requests,
                "succeeded": sums.succeeded,
                "billed": dollars(sums.billed_micros),
                "output_pixels": sums.output_pixels,
            }
            for workspace in workspaces
            for sums in rollups(connection, workspace.id, where, bucket)
        ]
    show(sorted(rows, key=lambda row: str(row["start"])), as_json=as_json)
