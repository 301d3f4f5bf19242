"""The accounts of one installation."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from enlarger.accounts.keys import BOOTSTRAP_KEY_ID, Keys
from enlarger.accounts.members import Members
from enlarger.accounts.secret import read_or_make_pepper
from enlarger.accounts.sessions import Sessions
from enlarger.accounts.values import KeyTerms
from enlarger.accounts.workspaces import DEFAULT_WORKSPACE, Workspaces
from enlarger.database import write


def open_accounts(engine: sa.Engine, *, pepper_path: Path) -> Accounts:
    """The accounts of the installation whose pepper lies at `pepper_path`, and is made if there is none."""
    return Accounts(engine, read_or_make_pepper(pepper_path))


class Accounts:
    """Workspaces, keys, members and sessions in the database. Every call is one short transaction."""

    def __init__(self, engine: sa.Engine, pepper: bytes) -> None:
        """
        pepper  secret of the installation that the digests of keys are made with.
        """
        self._engine = engine
        self.workspaces = Workspaces(engine)
        self.keys = Keys(engine, pepper)
        self.members = Members(engine)
        self.sessions = Sessions(engine, pepper)

    def bootstrap(self, secret: str | None, credit_micros: int | None) -> str | None:
        """On the first start, make the default workspace with its credit and its key.

        secret         for the key `key_bootstrap`; None draws one. A later start with another
                       secret replaces the key, so that the environment's secret opens.
        credit_micros  first credit; None is unlimited.

        Returns a secret that was drawn and must be shown now or never, else None.
        """
        with write(self._engine) as connection:
            workspace_id = self.workspaces.find(connection, DEFAULT_WORKSPACE)
            if workspace_id is None:
                workspace_id = self.workspaces.insert(connection, DEFAULT_WORKSPACE, credit_micros)
                if secret is None:
                    drawn, _ = self.keys.insert(connection, workspace_id, KeyTerms(name="first"))
                    return drawn
            if secret is not None:
                self.keys.replace(connection, workspace_id, BOOTSTRAP_KEY_ID, secret)
            return None
