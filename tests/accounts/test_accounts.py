"""Keys: what opens, what is kept, and that nothing tells the secret."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from enlarger.accounts import Accounts, Key, KeyTerms, Priority
from enlarger.accounts.keys import Keys, spend
from enlarger.accounts.secret import is_well_formed, make_secret, read_or_make_pepper
from enlarger.database import METADATA, connect, write
from enlarger.database.migrate import is_current, migrate
from enlarger.errors import BadKey, BadParameter, NotAllowed, NotFound, NotReady, SpendCapReached
from enlarger.jobs import Jobs, Outcome
from enlarger.ledger.ledger import Balance, balance, verify

PEPPER = b"pepper of a test"
SECRET = "a-bootstrap-secret-of-32-characters-or-more"


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url, pool_size=4)
    assert not is_current(engine)
    migrate(engine)
    migrate(engine)
    assert is_current(engine)
    yield engine
    engine.dispose()


class Clock:
    """Milliseconds that the test moves."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(engine: sa.Engine, clock: Clock) -> Accounts:
    accounts = Accounts(engine, PEPPER)
    accounts.keys = Keys(engine, PEPPER, clock)
    return accounts


def create(accounts: Accounts, **terms: Any) -> tuple[Key, str]:
    return accounts.keys.create(accounts.workspaces.get("default").id, KeyTerms(**terms))


def credit(engine: sa.Engine) -> Balance:
    with engine.connect() as connection:
        return balance(connection, Accounts(engine, PEPPER).workspaces.get("default").id)


def test_a_secret_has_its_form_and_a_checksum() -> None:
    secret = make_secret()
    assert secret.startswith("enl_live_")
    assert is_well_formed(secret)
    assert len({make_secret() for _ in range(100)}) == 100
    changed = secret[:-8] + ("a" if secret[-8] != "a" else "b") + secret[-7:]
    assert not is_well_formed(changed)
    assert not is_well_formed(secret[:-1])
    assert not is_well_formed("enl_dead_" + secret.removeprefix("enl_live_"))


def test_the_first_start_draws_a_key_once(accounts: Accounts, engine: sa.Engine) -> None:
    secret = accounts.bootstrap(None, 1_000_000)
    assert secret is not None
    caller = accounts.keys.authenticate(secret)
    assert caller.workspace.name == "default"
    assert credit(engine) == Balance(1_000_000, 0, is_unlimited=False)
    assert accounts.bootstrap(None, 1_000_000) is None
    assert len(accounts.keys.list()) == 1


def test_a_given_secret_opens_and_a_new_one_replaces_it(accounts: Accounts, engine: sa.Engine) -> None:
    assert accounts.bootstrap(SECRET, None) is None
    assert accounts.keys.authenticate(SECRET).key_id == "key_bootstrap"
    assert credit(engine).is_unlimited
    accounts.bootstrap(SECRET + "2", None)
    assert accounts.keys.authenticate(SECRET + "2").key_id == "key_bootstrap"
    with pytest.raises(BadKey):
        accounts.keys.authenticate(SECRET)


def test_a_revoked_key_opens_nothing_even_after_a_restart(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    key, secret = create(accounts)
    accounts.keys.revoke(key.id)
    accounts.keys.revoke("key_bootstrap")
    accounts.bootstrap(SECRET, None)
    for closed in (secret, SECRET):
        with pytest.raises(BadKey):
            accounts.keys.authenticate(closed)
    assert all(key.revoked_ms is not None for key in accounts.keys.list())
    with pytest.raises(NotFound, match="key_unknown"):
        accounts.keys.revoke("key_unknown")


def test_no_secret_is_in_the_database_nor_in_an_error(accounts: Accounts, engine: sa.Engine) -> None:
    accounts.bootstrap(SECRET, None)
    _, secret = create(accounts)
    with engine.connect() as connection:
        kept = repr([connection.execute(sa.select(table)).all() for table in METADATA.sorted_tables])
    assert "key_bootstrap" in kept
    assert secret not in kept
    assert secret[12:] not in kept
    assert SECRET not in kept
    with pytest.raises(BadKey) as caught:
        accounts.keys.authenticate(secret + "x")
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
    key, secret = create(accounts)
    accounts.bootstrap(secret, None)
    assert accounts.keys.authenticate(secret).key_id == key.id
    assert accounts.keys.authenticate(SECRET).key_id == "key_bootstrap"


def test_a_copy_of_the_database_is_worth_nothing_without_the_pepper(engine: sa.Engine) -> None:
    Accounts(engine, PEPPER).bootstrap(SECRET, None)
    with pytest.raises(BadKey):
        Accounts(engine, b"another pepper").keys.authenticate(SECRET)


def test_a_key_opens_until_it_expires(accounts: Accounts, clock: Clock) -> None:
    accounts.bootstrap(SECRET, None)
    _, secret = create(accounts, expires_ms=clock.ms + 10)
    clock.ms += 9
    assert accounts.keys.authenticate(secret).terms.expires_ms == clock.ms + 1
    clock.ms += 1
    with pytest.raises(BadKey):
        accounts.keys.authenticate(secret)


def test_a_keys_last_use_is_known_to_the_minute(accounts: Accounts, clock: Clock) -> None:
    accounts.bootstrap(SECRET, None)
    key, secret = create(accounts)
    assert key.last_used_ms is None
    seen = []
    for _ in range(4):
        accounts.keys.authenticate(secret)
        seen.append((accounts.keys.get(key.id).last_used_ms or 0) - 1_800_000_000_000)
        clock.ms += 30_001
    assert seen == [0, 0, 60_002, 60_002]


def test_a_rotated_key_keeps_its_terms_and_what_it_has_spent(accounts: Accounts, clock: Clock) -> None:
    accounts.bootstrap(SECRET, None)
    old, secret = create(accounts, name="ci", models=("fast",), cap_micros=100, priority=Priority.LOW)
    with accounts._engine.begin() as connection:
        spend(connection, old.id, 60)
    new, fresh = accounts.keys.rotate(old.id, overlap_ms=1000, by="me")
    assert (new.terms, new.spent_micros, new.created_by) == (old.terms, 60, "me")
    assert accounts.keys.authenticate(secret).key_id == old.id, "the old one opens still for a while"
    assert accounts.keys.authenticate(fresh).key_id == new.id
    clock.ms += 1001
    with pytest.raises(BadKey):
        accounts.keys.authenticate(secret)
    with pytest.raises(NotFound, match="closed already"):
        accounts.keys.rotate(old.id)
    accounts.keys.rotate(new.id, by="you")
    with pytest.raises(BadKey):
        accounts.keys.authenticate(fresh)
    assert accounts.keys.get(new.id).revoked_by == "you"


def test_keys_that_were_rotated_count_together(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    first, _ = create(accounts, cap_micros=100)
    second, _ = accounts.keys.rotate(first.id, overlap_ms=10_000)
    third, _ = accounts.keys.rotate(second.id, overlap_ms=10_000)
    chain = [first.id, second.id, third.id]
    with accounts._engine.begin() as connection:
        for key_id in chain:
            spend(connection, key_id, 33)
        for key_id in chain:
            with pytest.raises(SpendCapReached, match=r"has spent 0\.000099 of the 0\.000100"):
                spend(connection, key_id, 2)
        spend(connection, first.id, -33)
        spend(connection, third.id, 34)
    assert [accounts.keys.get(key_id).spent_micros for key_id in chain] == [100] * 3
    assert [key.spent_micros for key in accounts.keys.list() if key.id in chain] == [100] * 3


def test_a_key_is_rotated_once_however_many_ask(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    for overlap_ms in (0, 60_000):
        old, _ = create(accounts)
        before = len(accounts.keys.list())

        def rotate(_: int, key_id: str = old.id, overlap_ms: int = overlap_ms) -> int:
            try:
                accounts.keys.rotate(key_id, overlap_ms=overlap_ms)
            except NotFound:
                return 0
            return 1

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(rotate, range(8))) == 1
        assert len(accounts.keys.list()) == before + 1


def test_a_key_that_is_revoked_meanwhile_has_no_successor(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is revoked just before the rotation's transaction begins, whatever was read before that."""
    accounts.bootstrap(SECRET, None)
    old, _ = create(accounts)

    def revoke_first(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
        monkeypatch.undo()
        accounts.keys.revoke(old.id)
        return write(engine)

    monkeypatch.setattr("enlarger.accounts.keys.write", revoke_first)
    with pytest.raises(NotFound, match="closed already"):
        accounts.keys.rotate(old.id)
    assert len(accounts.keys.list()) == 2


def test_a_key_spends_up_to_its_cap(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    key, _ = create(accounts, cap_micros=100)
    with accounts._engine.begin() as connection:
        spend(connection, key.id, 99)
        with pytest.raises(SpendCapReached, match=r"has spent 0\.000099 of the 0\.000100"):
            spend(connection, key.id, 2)
        spend(connection, key.id, 1)
        spend(connection, key.id, -100)
    assert accounts.keys.get(key.id).spent_micros == 0


def test_a_key_for_some_models_is_for_no_other(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    _, secret = create(accounts, models=("fast",))
    caller = accounts.keys.authenticate(secret)
    caller.check_may_use("fast")
    with pytest.raises(NotAllowed, match="may not use model 'creative'; it may use: fast"):
        caller.check_may_use("creative")


def test_a_test_key_says_so(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    key, secret = create(accounts, is_test=True)
    assert secret.startswith("enl_test_")
    assert is_well_formed(secret)
    assert (key.prefix, key.last_four) == ("enl_test_", secret[-4:])
    assert accounts.keys.authenticate(secret).terms.is_test


def test_the_keys_id_must_be_the_keys(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    key, secret = create(accounts)
    assert accounts.keys.authenticate(secret, key.id).key_id == key.id
    with pytest.raises(BadKey):
        accounts.keys.authenticate(secret, "key_bootstrap")


def test_the_keys_of_another_workspace_are_not_there(accounts: Accounts) -> None:
    accounts.bootstrap(SECRET, None)
    other = accounts.workspaces.create("other", 5)
    key, _ = create(accounts)
    for attempt in (accounts.keys.get, accounts.keys.revoke, accounts.keys.rotate):
        with pytest.raises(NotFound):
            attempt(key.id, other.id)
    assert accounts.keys.list(other.id) == []
    with pytest.raises(BadParameter, match="'other' already"):
        accounts.workspaces.create("other")
    assert [workspace.name for workspace in accounts.workspaces.list()] == ["default", "other"]


def test_what_an_older_version_left_is_taken_over(database_url: str) -> None:
    """Credit that was a column becomes a transfer; jobs under way end like any other, at no price."""
    engine = connect(database_url, pool_size=2)
    migrate(engine, "0002")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO workspaces VALUES ('ws_a', 'default', 5000000, 1), ('ws_b', 'free', NULL, 2)",
            "INSERT INTO keys VALUES ('key_a', 'ws_a', 'digest', 'enl_live_', 'abcd', 1, NULL)",
            "INSERT INTO jobs (id, workspace_id, key_id, door, request, input_key, state, attempts,"
            " created_ms) VALUES ('job', 'ws_a', 'key_a', 'stability', '{}', 'ws/a', 'queued', 0, 3)",
            "INSERT INTO slots VALUES ('local-0', 1, true, 4, 5)",
        ):
            connection.execute(sa.text(statement))
    migrate(engine)
    with engine.connect() as connection:
        assert balance(connection, "ws_a") == Balance(5_000_000, 0, is_unlimited=False)
        assert balance(connection, "ws_b") == Balance(0, 0, is_unlimited=True)
        assert list(verify(connection)) == []
    jobs = Jobs(engine)
    job = jobs.begin_attempt("job")
    assert job is not None
    assert jobs.succeed(job, Outcome("key", 4, 4, 10, 1, 1))
    with engine.connect() as connection:
        [row] = connection.execute(sa.text("SELECT status, billed_micros FROM usage")).all()
        assert tuple(row) == ("succeeded", 0)
        assert balance(connection, "ws_a").available_micros == 5_000_000
        assert list(verify(connection)) == []
    engine.dispose()


def test_the_migrations_make_what_the_tables_say(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        differences = [
            difference for difference in compare_metadata(context, METADATA) if difference[0] in STRUCTURAL
        ]
    assert not [d for d in differences if "dbos" not in str(d) and "workflow" not in str(d)]


def test_what_the_database_complains_of_is_not_repeated(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:prompt)"), {"prompt": "a private thing"})
    assert "a private thing" not in str(caught.value)


STRUCTURAL = ("add_table", "add_column", "remove_column")


def test_sqlite_keeps_every_commit(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'test.db'}", pool_size=1)
    with engine.connect() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    engine.dispose()
