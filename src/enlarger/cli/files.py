"""`enlarger files`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.console import read_settings
from enlarger.errors import NotReady

app = typer.Typer(help="Look after the links to stored pictures.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command("rotate-key")
def rotate_key(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Refuse every link made until now, as after a leak.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the installation, as for `serve`.")
    ] = None,
) -> None:
    """Sign links with a new secret; those made before open until they expire. Needs no restart."""
    from enlarger.storage import Links

    settings = read_settings(data_dir=data_dir)
    if not settings.link_keys_path.parent.is_dir():
        raise NotReady(f"there is no installation in {settings.data_dir}; start the server once")
    key_id = Links(settings.link_keys_path).rotate(keep="nothing" if at_once else "living")
    before = "are refused" if at_once else "open until they expire"
    typer.echo(f"links are signed with secret {key_id} from now on; those made before {before}", err=True)
