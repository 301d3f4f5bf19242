"""Brings the database's schema to what this version needs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from enlarger.database.connection import write


def migrate(engine: sa.Engine, revision: str = "head") -> None:
    """Run the migrations that are missing, all or none. Safe to call at every start.

    revision  how far; the newest, unless an older installation is to be made.
    """
    with write(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def is_current(engine: sa.Engine) -> bool:
    """Whether the schema is the one that this version needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "enlarger:database/migrations")
    config.set_main_option("path_separator", "os")
    return config
