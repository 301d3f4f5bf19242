"""Workspaces: who owns what."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from enlarger.accounts.tables import WORKSPACES
from enlarger.accounts.values import NAME_MAX, Workspace
from enlarger.database import now_ms, write
from enlarger.errors import BadParameter, NotFound
from enlarger.ledger import ledger

DEFAULT_WORKSPACE = "default"
ID_BYTES = 12


class Workspaces:
    """The workspaces of the installation. Every call is one short transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create(self, name: str, credit_micros: int | None = 0) -> Workspace:
        """A new workspace.

        credit_micros  what it is given at once; None is unlimited.

        Raises BadParameter for a name that is empty, too long or taken.
        """
        with write(self._engine) as connection:
            workspace_id = self.insert(connection, name, credit_micros)
        return self.get(workspace_id)

    def get(self, id_or_name: str) -> Workspace:
        """The workspace with this id or this name. Raises NotFound."""
        with self._engine.connect() as connection:
            workspace_id = self.find(connection, id_or_name)
            if workspace_id is None:
                raise NotFound(f"there is no workspace {id_or_name}", param="workspace")
            row = connection.execute(sa.select(WORKSPACES).where(WORKSPACES.c.id == workspace_id)).one()
        return Workspace(**row._mapping)

    def list(self) -> list[Workspace]:
        """Every workspace, the oldest first."""
        query = sa.select(WORKSPACES).order_by(WORKSPACES.c.created_ms, WORKSPACES.c.id)
        with self._engine.connect() as connection:
            return [Workspace(**row._mapping) for row in connection.execute(query)]

    def limit_jobs(self, workspace_id: str, max_jobs: int | None) -> None:
        """Set how many jobs it may have under way; None is the installation's own limit.

        Raises BadParameter for a number below 1, NotFound.
        """
        if max_jobs is not None and max_jobs < 1:
            raise BadParameter(f"max_jobs is {max_jobs}; it must be 1 or more", param="max_jobs")
        with write(self._engine) as connection:
            changed = connection.execute(
                WORKSPACES.update().where(WORKSPACES.c.id == workspace_id).values(max_jobs=max_jobs)
            )
        if changed.rowcount == 0:
            raise NotFound(f"there is no workspace {workspace_id}", param="workspace")

    def find(self, connection: sa.Connection, id_or_name: str) -> str | None:
        """The id of the workspace with this id or name, in the caller's transaction."""
        found: str | None = connection.scalar(
            sa.select(WORKSPACES.c.id).where(
                sa.or_(WORKSPACES.c.id == id_or_name, WORKSPACES.c.name == id_or_name)
            )
        )
        return found

    def insert(self, connection: sa.Connection, name: str, credit_micros: int | None) -> str:
        """As `create`, in the caller's transaction; returns the id."""
        if not 0 < len(name) <= NAME_MAX:
            raise BadParameter(f"a workspace's name must have 1 to {NAME_MAX} characters", param="name")
        if self.find(connection, name) is not None:
            raise BadParameter(f"there is a workspace {name!r} already", param="name")
        workspace_id = f"ws_{secrets.token_hex(ID_BYTES)}"
        connection.execute(WORKSPACES.insert().values(id=workspace_id, name=name, created_ms=now_ms()))
        ledger.open_workspace(connection, workspace_id, is_unlimited=credit_micros is None)
        if credit_micros:
            ledger.top_up(connection, workspace_id, credit_micros, "first credit")
        return workspace_id
