"""Keys: what opens, what is kept, and that nothing tells the secret."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from enlarger.accounts import Accounts
from enlarger.accounts.secret import is_well_formed, make_secret, read_or_make_pepper
from enlarger.database import connect
from enlarger.database.migrate import is_current, migrate
from enlarger.errors import BadKey, NotFound, NotReady

PEPPER = b"pepper of a test"
SECRET = "a-bootstrap-secret-of-32-characters-or-more"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = connect(f"sqlite:///{tmp_path / 'test.db'}", pool_size=2)
    assert not is_current(engine)
    migrate(engine)
    migrate(engine)
    assert is_current(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine: sa.Engine) -> Accounts:
    return Accounts(engine, PEPPER)


def test_a_secret_has_its_form_and_a_checksum() -> None:
    secret = make_secret()
    assert secret.startswith("enl_live_")
    assert is_well_formed(secret)
    assert len({make_secret() for _ in range(100)}) == 100
    changed = secret[:-8] + ("a" if secret[-8] != "a" else "b") + secret[-7:]
    assert not is_well_formed(changed)
    assert not is_well_formed(secret[:-1])
    assert not is_well_formed("enl_test_" + secret.removeprefix("enl_live_"))


def test_the_first_start_draws_a_key_once(accounts: Accounts) -> None:
    secret = accounts.bootstrap(None, 1_000_000)
    assert secret is not None
    caller = accounts.authenticate(secret)
    assert caller.workspace.name == "default"
    assert caller.workspace.first_credit_micros == 1_000_000
    assert accounts.bootstrap(None, 1_000_000) is None
    assert len(accounts.list_keys()) == 1


def test_a_given_secret_opens_and_a_new_one_replaces_it(accounts: Accounts) -> None:
    assert accounts.bootstrap(SECRET, None) is None
    assert accounts.authenticate(SECRET).key_id == "key_bootstrap"
    assert accounts.authenticate(SECRET).workspace.first_credit_micros is None
    accounts.bootstrap(SECRET + "2", None)
    assert accounts.authenticate(SECRET + "2").key_id == "key_bootstrap"
    with pytest.raises(BadKey):
        accounts.authenticate(SECRET)


def test_a_revoked_key_opens_nothing_even_after_a_restart(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    key, secret = accounts.create_key()
    accounts.revoke_key(key.id)
    accounts.revoke_key("key_bootstrap")
    accounts.bootstrap(SECRET, None)
    for closed in (secret, SECRET):
        with pytest.raises(BadKey):
            accounts.authenticate(closed)
    assert all(key.revoked_ms is not None for key in accounts.list_keys())
    with pytest.raises(NotFound, match="key_unknown"):
        accounts.revoke_key("key_unknown")


def test_no_secret_is_in_the_database_nor_in_an_error(accounts: Accounts, tmp_path: Path) -> None:
    accounts.bootstrap(SECRET, None)
    _, secret = accounts.create_key()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("test.db*"))
    assert b"key_bootstrap" in kept
    assert secret.encode() not in kept
    assert secret[12:].encode() not in kept
    assert SECRET.encode() not in kept
    with pytest.raises(BadKey) as caught:
        accounts.authenticate(secret + "x")
    assert secret not in str(caught.value)


def test_the_pepper_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "pepper"
    pepper = read_or_make_pepper(path)
    assert len(pepper) == 32
    assert read_or_make_pepper(path) == pepper
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_pepper_is_no_pepper(tmp_path: Path) -> None:
    for content in ("", "00", "not hexadecimal"):
        (tmp_path / "pepper").write_text(content)
        with pytest.raises(NotReady, match="is damaged; put its backup there"):
            read_or_make_pepper(tmp_path / "pepper")


def test_a_key_of_the_installation_may_become_the_bootstrap_key(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    key, secret = accounts.create_key()
    accounts.bootstrap(secret, None)
    assert accounts.authenticate(secret).key_id == key.id
    assert accounts.authenticate(SECRET).key_id == "key_bootstrap"


def test_a_copy_of_the_database_is_worth_nothing_without_the_pepper(engine: sa.Engine) -> None:
    Accounts(engine, PEPPER).bootstrap(SECRET, None)
    with pytest.raises(BadKey):
        Accounts(engine, b"another pepper").authenticate(SECRET)


def test_sqlite_keeps_every_commit(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
