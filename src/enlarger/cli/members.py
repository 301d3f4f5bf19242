"""`enlarger members`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.installation import (
    OPERATOR,
    AnyWorkspaceOption,
    AsJson,
    DataDir,
    WorkspaceOption,
    opened,
    show,
)
from enlarger.errors import BadParameter
from enlarger.moment import iso_of

if TYPE_CHECKING:
    from enlarger.accounts import Role

app = typer.Typer(help="Add, list and remove the people of a workspace.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="E-mail address of the member.")]
RoleArgument = Annotated[str, typer.Argument(help="owner, member or viewer.")]
FromStandardInput = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of drawing one."),
]
Without = Annotated[
    bool, typer.Option("--no-password", help="No password: the member signs on through a proxy.")
]


@app.command()
def add(
    email: Email,
    role: Annotated[str, typer.Option("--role", help="owner, member or viewer.")] = "member",
    workspace: WorkspaceOption = "default",
    password_stdin: FromStandardInput = False,
    no_password: Without = False,
    data_dir: DataDir = None,
) -> None:
    """Add a member and print a password that was drawn, once. The first one must be an owner."""
    password = _password(is_given=password_stdin, is_none=no_password)
    with opened(data_dir) as installation:
        accounts = installation.accounts
        where = accounts.workspaces.get(workspace)
        member = accounts.members.add(where.id, email, _role(role), password)
    _tell(password, password_stdin)
    typer.echo(f"{member.email} is {member.role} of workspace {where.name}", err=True)


@app.command("list")
def list_(workspace: AnyWorkspaceOption = None, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List the members."""
    with opened(data_dir) as installation:
        accounts = installation.accounts
        names = {one.id: one.name for one in accounts.workspaces.list()}
        only = None if workspace is None else accounts.workspaces.get(workspace).id
        rows = [
            {
                "id": member.id,
                "workspace": names[member.workspace_id],
                "email": member.email,
                "role": str(member.role),
                "password": member.has_password,
                "created": iso_of(member.created_ms),
            }
            for member in accounts.members.list(only)
        ]
    show(rows, as_json=as_json)


@app.command()
def role(
    email: Email, role: RoleArgument, workspace: WorkspaceOption = "default", data_dir: DataDir = None
) -> None:
    """Give a member another role, from the next request on."""
    with opened(data_dir) as installation:
        accounts = installation.accounts
        where = accounts.workspaces.get(workspace)
        member = accounts.members.change_role(email, where.id, _role(role))
    typer.echo(f"{member.email} is {member.role} of workspace {where.name}", err=True)


@app.command()
def remove(email: Email, workspace: WorkspaceOption = "default", data_dir: DataDir = None) -> None:
    """Remove a member, end the member's sessions, and revoke the keys that the member made."""
    with opened(data_dir) as installation:
        accounts = installation.accounts
        where = accounts.workspaces.get(workspace)
        revoked = accounts.members.remove(email, where.id, by=OPERATOR)
    typer.echo(f"{email} is removed from workspace {where.name}; keys revoked: {revoked}", err=True)


@app.command()
def password(
    email: Email,
    workspace: WorkspaceOption = "default",
    password_stdin: FromStandardInput = False,
    no_password: Without = False,
    data_dir: DataDir = None,
) -> None:
    """Give a member another password, print it if it was drawn, once, and end the member's sessions."""
    chosen = _password(is_given=password_stdin, is_none=no_password)
    with opened(data_dir) as installation:
        accounts = installation.accounts
        accounts.members.set_password(email, accounts.workspaces.get(workspace).id, chosen)
    _tell(chosen, password_stdin)
    typer.echo(f"{email} has another password; the sessions have ended", err=True)


def _password(*, is_given: bool, is_none: bool) -> str | None:
    """The password on standard input, none, or one that is drawn."""
    from enlarger.accounts.passwords import draw_password

    if is_given and is_none:
        raise BadParameter("give --password-stdin or --no-password, not both", param="password")
    if is_none:
        return None
    return sys.stdin.readline().rstrip("\r\n") if is_given else draw_password()


def _tell(password: str | None, is_given: bool) -> None:
    if password is not None and not is_given:
        typer.echo(password)
        typer.echo("shown once; it is kept nowhere", err=True)


def _role(text: str) -> Role:
    from enlarger.accounts import Role

    try:
        return Role(text)
    except ValueError:
        known = ", ".join(Role)
        raise BadParameter(f"role is {text!r}; it must be one of: {known}", param="role") from None
