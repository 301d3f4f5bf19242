"""Workspaces, keys, credit, prices, usage and the books, from a shell."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from enlarger.accounts import Accounts
from enlarger.cli import app
from enlarger.database import now_ms
from enlarger.errors import (
    BadKey,
    BadParameter,
    EnlargerError,
    NotFound,
    NotReady,
    OutOfCredit,
)
from tests.support.desk import Desk
from tests.support.house import accounts_of


class Shell:
    """The command line on an installation."""

    def __init__(self, desk: Desk, accounts: Accounts) -> None:
        self.desk = desk
        self.accounts = accounts

    def run(self, line: str) -> Result:
        """What came of a command that must end well."""
        result = CliRunner().invoke(app, line.split(" "))
        assert result.exit_code == 0, (line, result.output, result.exception)
        return result

    def json(self, line: str) -> list[dict[str, Any]]:
        """The objects that a command with --json printed."""
        return [json.loads(row) for row in self.run(f"{line} --json").stdout.splitlines()]

    def refused(self, line: str) -> EnlargerError:
        """The error that a command ended with."""
        result = CliRunner().invoke(app, line.split(" "))
        assert isinstance(result.exception, EnlargerError), (line, result.output, result.exception)
        return result.exception


@pytest.fixture
def shell(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    url = desk.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("ENLARGER_DATABASE_URL", url)
    monkeypatch.setenv("ENLARGER_DATA_DIR", str(tmp_path / "data"))
    return Shell(desk, accounts_of(desk.engine, tmp_path / "data"))


def test_without_an_installation_it_says_so() -> None:
    for line in ("keys list", "workspaces list", "usage", "ledger verify", "prices list", "credit show"):
        result = CliRunner().invoke(app, line.split())
        assert isinstance(result.exception, NotReady), line
        assert "start the server once" in str(result.exception)


def test_a_key_has_the_terms_that_were_asked_for(shell: Shell) -> None:
    shell.run("workspaces create studio --credit 5")
    made = shell.run(
        "keys create --workspace studio --name ci --test --models fast,creative --cap 10.00"
        " --expires 30d --priority low"
    )
    secret = made.stdout.strip()
    assert secret.startswith("enl_test_")
    assert "shown once" in made.stderr
    assert secret not in made.stderr
    caller = shell.accounts.keys.authenticate(secret)
    terms = caller.terms
    assert (caller.workspace.name, terms.name, terms.is_test) == ("studio", "ci", True)
    assert (terms.models, terms.cap_micros, str(terms.priority)) == (
        ("fast", "creative"),
        10_000_000,
        "low",
    )
    assert abs((terms.expires_ms or 0) - now_ms() - 30 * 86_400_000) < 60_000
    [row] = shell.json("keys list --workspace studio")
    assert row["id"] == caller.key_id
    assert row["secret"] == f"enl_test_...{secret[-4:]}"
    assert (row["spent"], row["cap"], row["state"]) == ("0.000000", "10.000000", "active")
    assert secret not in shell.run("keys list").stdout


def test_a_key_is_rotated_and_revoked(shell: Shell) -> None:
    first = shell.run("keys create").stdout.strip()
    key = shell.accounts.keys.authenticate(first).key_id
    second = shell.run(f"keys rotate {key} --overlap 1h").stdout.strip()
    shell.accounts.keys.authenticate(first)
    other = shell.accounts.keys.authenticate(second).key_id
    third = shell.run(f"keys rotate {other}").stdout.strip()
    with pytest.raises(BadKey):
        shell.accounts.keys.authenticate(second)
    shell.run(f"keys revoke {shell.accounts.keys.authenticate(third).key_id}")
    with pytest.raises(BadKey):
        shell.accounts.keys.authenticate(third)
    assert {row["state"] for row in shell.json("keys list")} == {"active", "revoked"}


WRONG: list[tuple[str, type[EnlargerError], str]] = [
    ("keys create --workspace nowhere", NotFound, "nowhere"),
    ("keys create --models fast,slow", BadParameter, "'slow', which has no price"),
    ("keys create --models ,", BadParameter, "models is empty"),
    ("keys create --cap -1", BadParameter, "cap is '-1'"),
    ("keys create --expires soon", BadParameter, "expires is 'soon'"),
    ("keys create --expires 0d", BadParameter, "expires is '0d'"),
    ("keys create --priority urgent", BadParameter, "high, normal, low"),
    ("keys rotate key_nothing", NotFound, "key_nothing"),
    ("keys rotate key_nothing --overlap x", BadParameter, "overlap is 'x'"),
    ("keys revoke key_nothing", NotFound, "key_nothing"),
    ("workspaces create default", BadParameter, "'default' already"),
    ("workspaces limit default 0", BadParameter, "1 or more"),
    ("workspaces limit default many", BadParameter, "'many'"),
    ("credit add default 0", BadParameter, "more than 0"),
    ("credit add default 1e9", BadParameter, "amount is '1e9'"),
    ("credit add default 1e999999", BadParameter, "amount is '1e999999'"),
    ("credit add nowhere 1", NotFound, "nowhere"),
    ("credit adjust default -1001 --note slip", OutOfCredit, "1000.000000 is left"),
    ("credit adjust default 0 --note slip", BadParameter, "other than 0"),
    ("prices set fast 0.0000001", BadParameter, "six decimals"),
    ("prices set fast 1 --up-to 4x", BadParameter, "up-to is '4x'"),
    ("prices remove nothing", NotFound, "no price for nothing"),
    ("usage --by year", BadParameter, "hour, day"),
    ("usage --from yesterday", BadParameter, "from is 'yesterday'"),
]


def test_what_is_wrong_is_named(shell: Shell) -> None:
    for line, error, text in WRONG:
        refused = shell.refused(line)
        assert type(refused) is error, line
        assert text in refused.message


def test_credit_is_given_corrected_and_shown(shell: Shell) -> None:
    shell.run("workspaces create studio")
    shell.run("credit add studio 12.5 --note invoice")
    shell.run("credit adjust studio -2.25 --note slip")
    [row] = shell.json("credit show --workspace studio")
    assert row == {"workspace": "studio", "available": "10.250000", "held": "0.000000", "unlimited": False}
    shell.run("credit unlimited studio")
    assert shell.json("credit show --workspace studio")[0]["unlimited"] is True
    shell.run("credit limited studio")
    assert [row["workspace"] for row in shell.json("credit show")] == ["default", "studio"]
    assert shell.desk.faults() == []


def test_a_workspaces_limit_is_set_and_taken_away(shell: Shell) -> None:
    shell.run("workspaces limit default 7")
    assert shell.json("workspaces list")[0]["max_jobs"] == 7
    shell.run("workspaces limit default default")
    assert shell.json("workspaces list")[0]["max_jobs"] is None


def test_a_change_of_prices_is_a_new_list(shell: Shell) -> None:
    shell.run("prices set fast 0.03")
    shell.run("prices set fast 0.01 --up-to 4.2MP")
    shell.run("prices set fast 0.015 --up-to 4.2MP")
    shell.run("prices remove creative")
    rows = shell.json("prices list")
    assert {(row["model"], row["up_to_pixels"], row["price"]) for row in rows} == {
        ("conservative", None, "0.400000"),
        ("fast", None, "0.030000"),
        ("fast", 4_200_000, "0.015000"),
    }
    assert {row["version"] for row in rows} == {5}
    shell.run("prices remove fast --up-to 4.2MP")
    shell.run("prices remove fast")
    assert [row["model"] for row in shell.json("prices list")] == ["conservative"]


def test_usage_comes_in_sums_and_as_csv(shell: Shell) -> None:
    for workspace in ("default", "studio"):
        if workspace == "studio":
            shell.run("workspaces create studio --credit 1")
        caller = shell.desk.caller(workspace)
        shell.desk.run(shell.desk.submit(caller).job_id)
    sums = shell.json("usage")
    assert [(row["workspace"], row["requests"], row["billed"]) for row in sums] == [
        ("default", 1, "0.020000"),
        ("studio", 1, "0.020000"),
    ]
    assert shell.json("usage --workspace studio --to 2020-01-01") == []
    assert len(shell.json("usage --by hour --from 2020-01-01T00:00:00Z")) == 2
    rows = list(csv.DictReader(io.StringIO(shell.run("usage --csv").stdout)))
    assert [row["billed"] for row in rows] == ["0.020000", "0.020000"]
    assert len(list(csv.DictReader(io.StringIO(shell.run("usage --csv --workspace studio").stdout)))) == 1


def test_the_books_are_verified(shell: Shell) -> None:
    assert "right" in shell.run("ledger verify").stderr
    with shell.desk.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE balances SET micros = micros + 1 WHERE account LIKE '%available'")
        )
    result = CliRunner().invoke(app, ["ledger", "verify"])
    assert result.exit_code == 1
    assert "its entries sum to 1000.000000" in result.stdout


def test_members_come_get_another_role_and_go(shell: Shell) -> None:
    drawn = shell.run("members add ann@example.com --role owner").stdout.strip()
    members = shell.accounts.members
    assert len(drawn) == 20
    assert members.who("ann@example.com", drawn)
    given = CliRunner().invoke(
        app, ["members", "add", "bob@example.com", "--password-stdin"], input="correct horse battery\n"
    )
    assert (given.exit_code, given.stdout) == (0, "")
    assert members.who("bob@example.com", "correct horse battery")
    shell.run("members add eve@example.com --role viewer --no-password")
    shell.run("members role eve@example.com member")
    rows = [(row["email"], row["role"], row["password"]) for row in shell.json("members list")]
    assert rows == [
        ("ann@example.com", "owner", True),
        ("bob@example.com", "member", True),
        ("eve@example.com", "member", False),
    ]
    fresh = shell.run("members password bob@example.com").stdout.strip()
    assert members.who("bob@example.com", fresh)
    assert not members.who("bob@example.com", "correct horse battery")
    assert "keys revoked: 0" in shell.run("members remove bob@example.com").stderr
    for line, text in (
        ("members add bob@example.com --role boss", "owner, member, viewer"),
        ("members add bob --role owner", "email is 'bob'"),
        ("members role ann@example.com viewer", "last owner"),
        ("members remove nobody@example.com", "no member nobody@example.com"),
        ("members add bob@example.com --password-stdin --no-password", "not both"),
    ):
        assert text in shell.refused(line).message
