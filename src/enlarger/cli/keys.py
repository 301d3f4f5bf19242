"""`enlarger keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from enlarger.cli.installation import (
    OPERATOR,
    AnyWorkspaceOption,
    AsJson,
    DataDir,
    Installation,
    WorkspaceOption,
    opened,
    show,
)
from enlarger.errors import BadParameter
from enlarger.moment import duration_ms, iso_of
from enlarger.money import dollars, micros_of

if TYPE_CHECKING:
    from enlarger.accounts import Key, Priority

app = typer.Typer(help="Make, list, rotate and revoke the keys that open the server.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(help="Id of the key, as `keys list` shows it.")]


@app.command()
def create(
    workspace: WorkspaceOption = "default",
    name: Annotated[str, typer.Option("--name", help="For people, at most 100 characters.")] = "",
    test: Annotated[bool, typer.Option("--test", help="Real work, billed 0, marked in the usage.")] = False,
    models: Annotated[
        str | None, typer.Option("--models", help="What it may use, as fast,creative; all if not given.")
    ] = None,
    cap: Annotated[
        str | None, typer.Option("--cap", help="US dollars that it may spend in all, such as 10.00.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", help="How long it opens: 12h, 30d; for ever if not given.")
    ] = None,
    priority: Annotated[
        str, typer.Option("--priority", help="high (four times the turns), normal or low (a quarter).")
    ] = "normal",
    data_dir: DataDir = None,
) -> None:
    """Make a key and print its secret, once."""
    from enlarger.accounts import KeyTerms
    from enlarger.database import now_ms

    with opened(data_dir) as installation:
        terms = KeyTerms(
            name=name,
            is_test=test,
            models=None if models is None else _models(installation, models),
            priority=_priority(priority),
            cap_micros=None if cap is None else micros_of(cap, param="cap"),
            expires_ms=None if expires is None else now_ms() + duration_ms(expires, param="expires"),
        )
        accounts = installation.accounts
        where = accounts.workspaces.get(workspace)
        key, secret = accounts.keys.create(where.id, terms, by=OPERATOR)
    typer.echo(secret)
    typer.echo(f"{key.id}: opens workspace {where.name}; shown once; it is kept nowhere", err=True)


@app.command("list")
def list_(workspace: AnyWorkspaceOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the keys, never their secrets."""
    from enlarger.database import now_ms

    with opened(data_dir) as installation:
        accounts = installation.accounts
        names = {one.id: one.name for one in accounts.workspaces.list()}
        only = None if workspace is None else accounts.workspaces.get(workspace).id
        rows = [_row(key, names[key.workspace_id], now_ms()) for key in accounts.keys.list(only)]
    show(rows, as_json=as_json)


@app.command()
def revoke(key: KeyId, data_dir: DataDir = None) -> None:
    """Close a key: the next request with it is refused."""
    with opened(data_dir) as installation:
        installation.accounts.keys.revoke(key, by=OPERATOR)
    typer.echo(f"{key} is revoked", err=True)


@app.command()
def rotate(
    key: KeyId,
    overlap: Annotated[
        str | None,
        typer.Option(
            "--overlap", help="How long the old key opens still, such as 1h; not at all if absent."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a key on the terms of an old one, print its secret, once, and close the old one."""
    overlap_ms = 0 if overlap is None else duration_ms(overlap, param="overlap")
    with opened(data_dir) as installation:
        new, secret = installation.accounts.keys.rotate(key, overlap_ms=overlap_ms, by=OPERATOR)
    typer.echo(secret)
    until = "is closed" if overlap is None else f"opens for {overlap} more"
    typer.echo(f"{new.id}: shown once; it is kept nowhere. {key} {until}", err=True)


def _models(installation: Installation, text: str) -> tuple[str, ...]:
    """The names in a list with commas. Raises BadParameter for one that is not on offer."""
    from enlarger.ledger import prices

    with installation.engine.connect() as connection:
        offered = prices.current(connection).models
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in offered:
            known = ", ".join(sorted(offered)) or "nothing"
            raise BadParameter(
                f"models has {name!r}, which has no price; on offer: {known}", param="models"
            )
    if not names:
        raise BadParameter("models is empty; leave it out for all of them", param="models")
    return names


def _priority(text: str) -> Priority:
    from enlarger.accounts import Priority

    try:
        return Priority(text)
    except ValueError:
        known = ", ".join(Priority)
        raise BadParameter(f"priority is {text!r}; it must be one of: {known}", param="priority") from None


def _row(key: Key, workspace: str, now_ms: int) -> dict[str, Any]:
    terms = key.terms
    has_expired = terms.expires_ms is not None and terms.expires_ms <= now_ms
    return {
        "id": key.id,
        "workspace": workspace,
        "secret": f"{key.prefix}...{key.last_four}",
        "name": terms.name,
        "state": "revoked" if key.revoked_ms is not None else "expired" if has_expired else "active",
        "test": terms.is_test,
        "models": None if terms.models is None else list(terms.models),
        "priority": str(terms.priority),
        "spent": dollars(key.spent_micros),
        "cap": None if terms.cap_micros is None else dollars(terms.cap_micros),
        "expires": None if terms.expires_ms is None else iso_of(terms.expires_ms),
        "last_used": None if key.last_used_ms is None else iso_of(key.last_used_ms),
        "created": iso_of(key.created_ms),
        "created_by": key.created_by,
    }
