"""`enlarger backup` and `enlarger restore`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.console import read_settings

DataDir = Annotated[Path | None, typer.Option(help="Folder of the installation, as for `serve`.")]


def backup(
    target: Annotated[Path, typer.Argument(help="File to make, or a folder to make it in.")],
    objects: Annotated[
        bool | None,
        typer.Option(
            "--objects/--no-objects",
            help="With the pictures or without; with them if they are in a folder.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Copy the installation into one file while the server runs: database, secrets, pictures."""
    from enlarger.backup import make_backup

    os.umask(0o077)
    settings = read_settings(data_dir=data_dir)
    with_objects = settings.object_store.startswith("file:") if objects is None else objects
    made = make_backup(settings, target, with_objects=with_objects)
    for key in made.missing:
        typer.echo(f"missing: the store has no {key}", err=True)
    pictures = f"{made.objects} pictures" if with_objects else "no pictures"
    typer.echo(f"{made.path}: {made.size_bytes} bytes, {made.jobs} jobs, {pictures}, the secrets")


def restore(
    source: Annotated[Path, typer.Argument(help="File that `enlarger backup` made.")],
    data_dir: DataDir = None,
) -> None:
    """Make an installation of a backup, in a data folder that is empty or not there."""
    from enlarger.backup import restore_backup

    os.umask(0o077)
    settings = read_settings(data_dir=data_dir)
    restored = restore_backup(settings, source)
    pictures = f"{restored.objects} pictures" if restored.with_objects else "no pictures"
    typer.echo(
        f"{settings.data_dir}: {restored.jobs} jobs, {pictures}, the secrets; `enlarger serve` runs it"
    )
