"""`enlarger doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.console import EXIT_SOME_FAILED, read_settings
from enlarger.errors import EnlargerError


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the installation, as for `serve`.")
    ] = None,
) -> None:
    """Check what the server needs and say what to do; exit code 1 if something fails."""
    from enlarger.doctor import Level, examine, unreadable

    findings = []
    try:
        settings = read_settings(data_dir=data_dir)
    except EnlargerError as error:
        report = iter((unreadable(error),))
    else:
        report = examine(settings)
    for finding in report:
        findings.append(finding)
        if not as_json:
            remedy = f"  ->  {finding.remedy}" if finding.remedy else ""
            typer.echo(f"{finding.level:4}  {finding.check:11}  {finding.message}{remedy}")
    is_well = all(finding.level is not Level.FAIL for finding in findings)
    if as_json:
        typer.echo(
            json.dumps({"ok": is_well, "checks": [asdict(finding) for finding in findings]}, indent=2)
        )
    if not is_well:
        raise typer.Exit(EXIT_SOME_FAILED)
