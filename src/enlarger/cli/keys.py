"""`enlarger keys`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.console import read_settings
from enlarger.errors import NotReady

if TYPE_CHECKING:
    from enlarger.accounts import Accounts

app = typer.Typer(help="Make, list and revoke the keys that open the server.", no_args_is_help=True)
POOL_SIZE = 2
DataDir = Annotated[Path | None, typer.Option(help="Folder of the installation, as for `serve`.")]


@app.command()
def create(data_dir: DataDir = None) -> None:
    """Make a key and print its secret, once."""
    from enlarger.accounts import KeyTerms
    from enlarger.accounts.workspaces import DEFAULT_WORKSPACE

    with _accounts(data_dir) as accounts:
        key, secret = accounts.keys.create(accounts.workspaces.get(DEFAULT_WORKSPACE).id, KeyTerms())
    typer.echo(secret)
    typer.echo(f"{key.id}: shown once; it is kept nowhere", err=True)


@app.command("list")
def list_(data_dir: DataDir = None) -> None:
    """List the keys, never their secrets."""
    with _accounts(data_dir) as accounts:
        for key in accounts.keys.list():
            made = datetime.fromtimestamp(key.created_ms / 1000, UTC).isoformat(timespec="seconds")
            state = "active" if key.revoked_ms is None else "revoked"
            typer.echo(f"{key.id}  {key.prefix}...{key.last_four}  {made}  {state}")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")],
    data_dir: DataDir = None,
) -> None:
    """Close a key: the next request with it is refused."""
    with _accounts(data_dir) as accounts:
        accounts.keys.revoke(key)
    typer.echo(f"{key} is revoked", err=True)


@contextmanager
def _accounts(data_dir: Path | None) -> Iterator[Accounts]:
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
        yield open_accounts(engine, pepper_path=settings.pepper_path)
    finally:
        engine.dispose()
