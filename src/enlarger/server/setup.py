"""Makes an installation ready to serve: folders, weights, schema, first workspace and key."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from enlarger.accounts import open_accounts
from enlarger.database import connect, write
from enlarger.database.migrate import migrate
from enlarger.database.place import network_file_system
from enlarger.engine.engine import networks_of
from enlarger.errors import NotReady
from enlarger.jobs import durable
from enlarger.ledger import prices
from enlarger.limits import store as limits
from enlarger.models import ModelStore, known_assets
from enlarger.models.pull import OnBytes, pull
from enlarger.request import Mode
from enlarger.settings import Settings

SETUP_POOL_SIZE = 4


def set_up(settings: Settings, on_bytes: OnBytes) -> str | None:
    """Do what is missing; safe to call at every start.

    Returns the secret of the first key if this start drew one: it is kept nowhere.

    Raises FetchFailed where weights are missing and cannot be fetched, NotReady for a place that
    SQLite does not work at.
    """
    check_place(settings.database)
    needed = {entry.name: entry for mode in Mode for entry in networks_of(mode, known_assets())}
    store = ModelStore(settings.models_path)
    pull(store, needed.values(), on_bytes=on_bytes, offline=settings.offline)
    engine = connect(settings.database, pool_size=SETUP_POOL_SIZE)
    try:
        migrate(engine)
        with write(engine) as connection:
            prices.publish_first(connection)
        durable.prepare(engine)
        limits.prepare(settings.limits_database)
        key = settings.bootstrap_key
        return open_accounts(engine, pepper_path=settings.pepper_path).bootstrap(
            key.get_secret_value() if key else None, settings.bootstrap_credit_micros
        )
    finally:
        engine.dispose()


def check_place(url: str) -> None:
    """Raises NotReady for a SQLite database on a network file system: it would be damaged there."""
    parts = sa.make_url(url)
    if parts.get_backend_name() != "sqlite" or parts.database is None:
        return
    kind = network_file_system(Path(parts.database))
    if kind is not None:
        raise NotReady(
            f"{parts.database} lies on a network file system ({kind}), where SQLite loses data; put"
            " ENLARGER_DATA_DIR on a local disk, or use Postgres (ENLARGER_DATABASE_URL)"
        )


@contextlib.contextmanager
def owning(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for one server. Raises NotReady if another one has it."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "server.lock").open("w")
    except OSError as error:
        raise NotReady(f"cannot write to the data folder {data_dir}: {error.strerror}") from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise NotReady(f"another server already uses {data_dir}") from None
        yield
