"""`enlarger models`."""

from __future__ import annotations

from typing import Annotated

import typer

from enlarger.cli.console import EXIT_MODEL, download_progress, fail, read_settings
from enlarger.errors import ModelError
from enlarger.models import Asset, Entry, ModelStore, known_assets
from enlarger.models.pull import pull as pull_entries

app = typer.Typer(help="List, fetch and check the networks' weights.", no_args_is_help=True)
Names = Annotated[list[str] | None, typer.Argument(help="Networks; the default ones if none is named.")]


@app.command("list")
def list_() -> None:
    """List the networks and what helps them, whether they are here, and their licences."""
    store = ModelStore(read_settings().models_path)
    for entry in known_assets().values():
        here = "here" if store.has(entry) else "-"
        scale = f"{entry.scale}x" if isinstance(entry, Entry) else "-"
        typer.echo(f"{entry.name:26} {here:5} {scale:3} {entry.licence:13} {entry.purpose}")


@app.command()
def pull(
    names: Names = None,
    everything: Annotated[bool, typer.Option("--all", help="Every network.")] = False,
) -> None:
    """Fetch weights that are missing or damaged."""
    settings = read_settings()
    entries = _chosen(names, everything)
    with download_progress() as on_bytes:
        fetched = pull_entries(
            ModelStore(settings.models_path), entries, on_bytes=on_bytes, offline=settings.offline
        )
    for entry in entries:
        typer.echo(f"{entry.name}: {'fetched' if entry in fetched else 'here'}")


@app.command()
def verify(names: Names = None) -> None:
    """Hash the weights that are here and read them to the last byte."""
    store = ModelStore(read_settings().models_path)
    entries = _chosen(names, everything=False) if names else list(known_assets().values())
    failed = False
    for entry in entries:
        if not names and not store.has(entry):
            continue
        try:
            if isinstance(entry, Entry):
                store.load(entry)
            else:
                store.verify(entry)
        except ModelError as error:
            failed = True
            fail(error, entry.name)
        else:
            typer.echo(f"{entry.name}: right")
    if failed:
        raise typer.Exit(EXIT_MODEL)


def _chosen(names: list[str] | None, everything: bool) -> list[Asset]:
    catalogue = known_assets()
    if everything:
        return list(catalogue.values())
    return [catalogue[name] for name in names] if names else list(catalogue.defaults)
