"""Members: roles, passwords, and that somebody can always undo what was done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from enlarger.accounts import Act, Caller, KeyTerms, Role, Workspace, passwords
from enlarger.accounts.roles import KEY_ACTS, ROLE_ACTS
from enlarger.accounts.sessions import Sessions
from enlarger.database import METADATA
from enlarger.errors import BadKey, BadParameter, NotAllowed, NotFound
from tests.support.desk import PEPPER, Desk

PASSWORD = "correct horse battery"
MEMBER = Role.MEMBER


def workspace(desk: Desk, name: str = "default") -> str:
    return desk.accounts.workspaces.get(name).id


def test_the_table_of_roles() -> None:
    assert ROLE_ACTS[Role.VIEWER] < ROLE_ACTS[Role.MEMBER] < ROLE_ACTS[Role.OWNER] == frozenset(Act)
    assert {Act.READ, Act.RUN} == KEY_ACTS
    assert Act.RUN not in ROLE_ACTS[Role.VIEWER]
    assert {Act.KEEP_KEYS, Act.KEEP_MEMBERS} == ROLE_ACTS[Role.OWNER] - ROLE_ACTS[Role.MEMBER]


def test_a_refusal_says_who_may_not_do_what() -> None:
    caller = Caller(Workspace("ws_a", "a", None, 0), "key_a", KeyTerms())
    caller.check_may(Act.RUN)
    with pytest.raises(NotAllowed, match="a key may not change members; sign in as a member"):
        caller.check_may(Act.KEEP_MEMBERS)


def test_a_password_opens_and_a_wrong_one_does_not(desk: Desk) -> None:
    members = desk.accounts.members
    where = workspace(desk)
    added = members.add(where, "Ann@Example.com ", Role.OWNER, PASSWORD)
    assert (added.email, added.role, added.has_password) == ("ann@example.com", Role.OWNER, True)
    assert members.who("ANN@example.com", PASSWORD) == [added]
    assert members.who("ann@example.com", PASSWORD + "x") == []
    assert members.who("nobody@example.com", PASSWORD) == []
    members.add(where, "bob@example.com", MEMBER, None)
    assert members.who("bob@example.com", "") == []
    # The same characters, as another machine composes them.
    members.set_password("bob@example.com", where, "caf\u00e9 caf\u00e9 caf\u00e9")
    assert members.who("bob@example.com", "cafe\u0301 cafe\u0301 cafe\u0301")


def test_no_password_and_no_token_is_in_the_database(desk: Desk) -> None:
    member = desk.accounts.members.add(workspace(desk), "ann@example.com", Role.OWNER, PASSWORD)
    token, _ = desk.accounts.sessions.begin(member, 1000)
    with desk.engine.connect() as connection:
        kept = repr([connection.execute(sa.select(table)).all() for table in METADATA.sorted_tables])
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert token not in kept


def test_a_password_that_is_too_short_or_too_long_is_refused_without_being_said(desk: Desk) -> None:
    for password in ("", "eleven char", "x" * 257):
        with pytest.raises(BadParameter, match="it must have 12 to 256") as caught:
            desk.accounts.members.add(workspace(desk), "ann@example.com", Role.OWNER, password)
        assert not password or password not in caught.value.message
    assert desk.accounts.members.list() == []


def test_an_address_that_is_none_is_refused(desk: Desk) -> None:
    for email in ("", "ann", "@", "a b@c", "a@b@c", "a@b\n", "x" * 251 + "@b.c", "<a@b>"):
        if email.strip() == "a@b":
            continue
        with pytest.raises(BadParameter, match="email is"):
            desk.accounts.members.add(workspace(desk), email, Role.OWNER, None)


def test_a_hash_of_other_parameters_is_made_again_at_the_next_sign_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from argon2 import PasswordHasher

    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
    member = desk.accounts.members.add(workspace(desk), "ann@example.com", Role.OWNER, PASSWORD)
    monkeypatch.undo()

    def kept() -> str:
        return str(desk.rows("SELECT password_hash FROM members")[0].password_hash)

    assert "m=1024,t=1" in kept()
    token, _ = desk.accounts.sessions.begin(member, 60_000)
    assert desk.accounts.members.who("ann@example.com", PASSWORD)
    assert "m=65536,t=3" in kept()
    assert desk.accounts.sessions.caller(token).member == member, "no session ends by it"


def test_somebody_can_always_undo_it(desk: Desk) -> None:
    members = desk.accounts.members
    where = workspace(desk)
    with pytest.raises(BadParameter, match="first member of a workspace must be an owner"):
        members.add(where, "bob@example.com", MEMBER, None)
    members.add(where, "ann@example.com", Role.OWNER, None)
    members.add(where, "bob@example.com", MEMBER, None)
    with pytest.raises(BadParameter, match="is a member already"):
        members.add(where, "BOB@example.com", MEMBER, None)
    for refused in (
        lambda: members.change_role("ann@example.com", where, Role.VIEWER),
        lambda: members.remove("ann@example.com", where),
    ):
        with pytest.raises(BadParameter, match="is the last owner"):
            refused()
    members.change_role("bob@example.com", where, Role.OWNER)
    members.change_role("ann@example.com", where, Role.VIEWER)
    assert [member.role for member in members.list(where)] == [Role.VIEWER, Role.OWNER]
    members.remove("ann@example.com", where)
    members.remove("bob@example.com", where)
    assert members.list(where) == []


def test_of_two_owners_who_remove_each_other_one_stays(desk: Desk) -> None:
    members = desk.accounts.members
    where = workspace(desk)
    for _ in range(10):
        ids = [members.add(where, f"{name}@example.com", Role.OWNER, None).id for name in ("ann", "bob")]
        members.add(where, "eve@example.com", Role.VIEWER, None)

        def remove(member_id: str) -> bool:
            try:
                members.remove(member_id, where)
            except BadParameter:
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            assert sorted(threads.map(remove, ids)) == [False, True]
        members.remove("eve@example.com", where)
        members.remove(members.list(where)[0].id, where)


def test_who_goes_takes_along_sessions_and_own_keys(desk: Desk) -> None:
    members, keys = desk.accounts.members, desk.accounts.keys
    where = workspace(desk)
    members.add(where, "ann@example.com", Role.OWNER, None)
    bob = members.add(where, "bob@example.com", MEMBER, None)
    token, _ = desk.accounts.sessions.begin(bob, 60_000)
    own, secret = keys.create(where, KeyTerms(), by=bob.email)
    other, _ = keys.create(where, KeyTerms(), by="ann@example.com")
    assert members.remove(bob.id, where, by="ann@example.com") == 1
    with pytest.raises(BadKey):
        desk.accounts.sessions.caller(token)
    with pytest.raises(BadKey):
        keys.authenticate(secret)
    assert keys.get(own.id).revoked_by == "ann@example.com"
    assert keys.get(other.id).revoked_ms is None


def test_the_members_of_another_workspace_are_not_there(desk: Desk) -> None:
    members = desk.accounts.members
    ann = members.add(workspace(desk), "ann@example.com", Role.OWNER, PASSWORD)
    other = desk.accounts.workspaces.create("other").id
    for attempt in (
        lambda: members.get(ann.id, other),
        lambda: members.change_role(ann.id, other, Role.OWNER),
        lambda: members.remove(ann.id, other),
        lambda: members.set_password(ann.id, other, PASSWORD),
    ):
        with pytest.raises(NotFound):
            attempt()
    there = members.add(other, "ann@example.com", Role.OWNER, PASSWORD + "2")
    assert members.who("ann@example.com", PASSWORD) == [ann]
    assert members.who("ann@example.com", PASSWORD + "2") == [there]


def test_a_session_opens_until_it_ends(desk: Desk) -> None:
    now = [1_800_000_000_000]
    sessions = Sessions(desk.engine, PEPPER, lambda: now[0])
    member = desk.accounts.members.add(workspace(desk), "ann@example.com", Role.OWNER, PASSWORD)
    token, expires_ms = sessions.begin(member, 1000)
    caller = sessions.caller(token)
    assert (caller.member, caller.key_id, caller.name) == (member, member.id, "ann@example.com")
    now[0] = expires_ms
    with pytest.raises(BadKey, match="sign in again"):
        sessions.caller(token)
    second, _ = sessions.begin(member, 1000)
    assert len(desk.rows("SELECT * FROM sessions")) == 1, "what has expired is swept"
    sessions.end(second)
    third, _ = sessions.begin(member, 1000)
    desk.accounts.members.set_password(member.id, member.workspace_id, PASSWORD + "2")
    for ended in (second, third, "", "nothing"):
        with pytest.raises(BadKey):
            sessions.caller(ended)
    with pytest.raises(BadKey):
        Sessions(desk.engine, b"another pepper", lambda: now[0]).caller(
            Sessions(desk.engine, PEPPER, lambda: now[0]).begin(member, 1000)[0]
        )


def test_a_member_makes_jobs_that_are_charged_like_any_other(desk: Desk) -> None:
    member = desk.accounts.members.add(workspace(desk), "ann@example.com", Role.OWNER, PASSWORD)
    caller = desk.accounts.sessions.caller_for(member)
    assert desk.run(desk.submit(caller).job_id)
    assert desk.jobs.cancel(desk.submit(caller).job_id, caller.workspace.id)
    rows = desk.rows("SELECT key_id, billed_micros FROM usage ORDER BY billed_micros")
    assert [tuple(row) for row in rows] == [(member.id, 0), (member.id, 20_000)]
    assert desk.faults() == []
