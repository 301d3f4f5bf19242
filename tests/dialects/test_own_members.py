"""Sessions, roles and single sign-on, as a browser and as somebody else's page would try them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.desk import Desk
from tests.support.house import JOBS, PASSWORD, SMALL, House

V1 = "/enlarger/v1"


def code(answer: httpx.Response) -> str:
    """The code of an error."""
    assert answer.json().keys() == {"error"}, answer.text
    return str(answer.json()["error"]["code"])


def test_a_session_is_a_cookie_that_no_script_reads(house: House) -> None:
    house.member("ann@example.com", "owner")
    body = {"email": "Ann@example.com", "password": PASSWORD}
    answer = house.http.post(f"{V1}/session", json=body)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("enlarger_session=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=86400"} <= set(cookie.split("; "))
    assert "Secure" not in cookie, "this is plain http"
    assert answer.headers["cache-control"] == "no-store"
    me = house.http.get(f"{V1}/me").json()
    assert (me["member"]["email"], me["member"]["role"], me["key"]) == ("ann@example.com", "owner", None)
    assert house.http.delete(f"{V1}/session").status_code == 403, "without an origin"
    assert house.http.delete(f"{V1}/session", headers={"origin": house.url}).status_code == 204
    house.http.cookies.clear()
    token = cookie.partition(";")[0]
    assert code(house.http.get(f"{V1}/me", headers={"cookie": token})) == "bad_key"


def test_behind_tls_the_cookie_goes_nowhere_else(desk: Desk, tmp_path: Path) -> None:
    with House.open(desk, tmp_path / "house", public_url="https://pictures.example") as house:
        house.member("ann@example.com", "owner")
        body = {"email": "ann@example.com", "password": PASSWORD}
        answer = house.http.post(f"{V1}/session", json=body)
        assert "Secure" in answer.headers["set-cookie"]
        cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
        for origin, status in (
            ("https://pictures.example", 202),
            ("http://pictures.example", 403),
            (house.url, 403),
        ):
            made = house.http.post(JOBS, files={"image": SMALL}, headers={**cookie, "origin": origin})
            assert made.status_code == status, made.text


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "", "http://", "://"])
def test_another_page_changes_nothing(house: House, origin: str | None) -> None:
    house.member("ann@example.com", "owner")
    session = house.session("ann@example.com")
    headers = {"cookie": session["cookie"]}
    if origin is not None:
        headers["origin"] = origin
    for method, path, body in (
        ("POST", "/jobs", {"files": {"image": SMALL}}),
        ("POST", "/keys", {"json": {}}),
        ("POST", "/members", {"json": {"email": "eve@example.com", "role": "owner"}}),
        ("PUT", "/me/password", {"json": {"current": PASSWORD, "new": PASSWORD}}),
        ("DELETE", "/session", {}),
    ):
        answer = house.http.request(method, V1 + path, headers=headers, **body)
        assert (answer.status_code, code(answer)) == (403, "not_allowed"), path
    assert house.get("/me", headers).status_code == 200
    if origin is not None:
        body = {"email": "ann@example.com", "password": PASSWORD}
        assert house.http.post(f"{V1}/session", json=body, headers={"origin": origin}).status_code == 403


def test_wrong_passwords_tell_nothing_and_are_counted(desk: Desk, tmp_path: Path) -> None:
    with House.open(desk, tmp_path / "house", sign_in_limit="4/15m") as house:
        house.member("ann@example.com", "owner")
        house.member("bob@example.com", "viewer")

        def attempt(email: str, password: str) -> httpx.Response:
            answer = house.http.post(f"{V1}/session", json={"email": email, "password": password})
            house.http.cookies.clear()
            return answer

        wrong = attempt("ann@example.com", "not that one")
        unknown = attempt("nobody@example.com", PASSWORD)
        assert (wrong.status_code, wrong.json()) == (401, unknown.json())
        assert wrong.json()["error"]["message"] == "The e-mail address or the password is wrong."
        assert attempt("ann@example.com", PASSWORD).status_code == 201
        assert attempt("bob@example.com", PASSWORD).status_code == 201
        over = attempt("bob@example.com", PASSWORD)
        assert (over.status_code, code(over)) == (429, "rate_limited"), "this address has had its four"
        assert int(over.headers["retry-after"]) > 800


def test_one_e_mail_address_is_counted_wherever_it_is_tried_from(desk: Desk, tmp_path: Path) -> None:
    with House.open(desk, tmp_path / "house", sign_in_limit="3/15m", trusted_proxies="127.0.0.1") as house:
        house.member("ann@example.com", "owner")
        statuses = [
            house.http.post(
                f"{V1}/session",
                json={"email": email, "password": "not that one"},
                headers={"x-forwarded-for": f"192.0.2.{number}"},
            ).status_code
            for number, email in enumerate(
                ["ann@example.com", "ANN@example.com ", "ann@example.com", " ann@example.com"]
            )
        ]
        assert statuses == [401, 401, 401, 429]


def test_roles_do_what_the_table_says(house: House) -> None:
    for role in ("owner", "member", "viewer"):
        house.member(f"{role}@example.com", role)
    mine = house.desk.accounts.members.list()[0].workspace_id
    foreign_key, _ = house.desk.accounts.keys.create(mine, _terms(), by="operator")
    victim = house.member("victim@example.com", "viewer")
    who = {role: house.session(f"{role}@example.com") for role in ("owner", "member", "viewer")}
    who["key"] = house.key()
    own_keys = {
        role: house.http.post(f"{V1}/keys", headers=who[role], json={}).json().get("id", "none")
        for role in who
    }

    def call(role: str, method: str, path: str, **body: Any) -> int:
        return house.http.request(method, V1 + path, headers=who[role], **body).status_code

    table: list[tuple[Callable[[str], int], dict[str, int]]] = [
        (lambda role: call(role, "GET", "/jobs"), {"viewer": 200, "member": 200, "owner": 200, "key": 200}),
        (lambda role: call(role, "GET", "/balance"), dict.fromkeys(who, 200)),
        (lambda role: call(role, "GET", "/usage/requests"), dict.fromkeys(who, 200)),
        (
            lambda role: call(role, "POST", "/jobs", files={"image": SMALL}),
            {"viewer": 403, "member": 202, "owner": 202, "key": 202},
        ),
        (lambda role: call(role, "GET", "/keys"), {"viewer": 200, "member": 200, "owner": 200, "key": 403}),
        (
            lambda role: call(role, "GET", "/members"),
            {"viewer": 200, "member": 200, "owner": 200, "key": 403},
        ),
        (
            lambda role: call(role, "GET", "/ledger"),
            {"viewer": 200, "member": 200, "owner": 200, "key": 403},
        ),
        (
            lambda role: call(role, "POST", "/keys", json={"name": "n"}),
            {"viewer": 403, "member": 201, "owner": 201, "key": 403},
        ),
        (
            lambda role: call(role, "POST", f"/keys/{own_keys[role]}/rotate", json={}),
            {"viewer": 403, "member": 201, "owner": 201, "key": 403},
        ),
        (
            lambda role: call(role, "DELETE", f"/keys/{foreign_key.id}"),
            {"viewer": 403, "member": 403, "owner": 200, "key": 403},
        ),
        (
            lambda role: call(role, "PATCH", f"/members/{victim.id}", json={"role": "member"}),
            {"viewer": 403, "member": 403, "owner": 200, "key": 403},
        ),
        (
            lambda role: call(
                role, "POST", "/members", json={"email": f"by-{role}@example.com", "role": "viewer"}
            ),
            {"viewer": 403, "member": 403, "owner": 201, "key": 403},
        ),
        (
            lambda role: call(role, "DELETE", f"/members/{victim.id}"),
            {"viewer": 403, "member": 403, "owner": 200, "key": 403},
        ),
    ]
    for number, (attempt, expected) in enumerate(table):
        for role in ("viewer", "member", "key", "owner"):
            assert attempt(role) == expected[role], (number, role)


def _terms() -> Any:
    from enlarger.accounts import KeyTerms

    return KeyTerms()


def test_a_viewer_cancels_nothing(house: House) -> None:
    house.member("owner@example.com", "owner")
    house.member("viewer@example.com", "viewer")
    job = house.post(house.key()).json()["id"]
    headers = house.session("viewer@example.com")
    assert house.http.post(f"{JOBS}/{job}/cancel", headers=headers).status_code == 403
    assert house.get(f"/jobs/{job}", headers).json()["state"] == "queued"


def test_a_key_is_made_on_terms_and_its_secret_shown_once(house: House) -> None:
    house.member("owner@example.com", "owner")
    headers = house.session("owner@example.com")
    terms = {
        "name": "ci",
        "is_test": True,
        "models": ["fast"],
        "cap": "1.50",
        "expires_at": "2100-01-01",
        "priority": "low",
    }
    made = house.http.post(f"{V1}/keys", headers=headers, json=terms)
    key = made.json()
    assert made.headers["cache-control"] == "no-store"
    assert house.get("/me", {"x-api-key": key["secret"]}).json()["key"] == key["id"]
    [_, listed] = house.get("/keys", headers).json()["data"]
    assert "secret" not in listed
    assert {name: listed[name] for name in terms if name not in ("cap", "expires_at")} == {
        name: value for name, value in terms.items() if name not in ("cap", "expires_at")
    }
    assert (listed["cap"], listed["expires_at"]) == ("1.500000", "2100-01-01T00:00:00.000+00:00")
    assert listed["created_by"] == "owner@example.com"
    new = house.http.post(f"{V1}/keys/{key['id']}/rotate", headers=headers, json={"overlap": "1h"}).json()
    for secret in (key["secret"], new["secret"]):
        assert house.get("/me", {"x-api-key": secret}).status_code == 200
    house.http.delete(f"{V1}/keys/{new['id']}", headers=headers)
    assert house.get("/me", {"x-api-key": new["secret"]}).status_code == 401
    for wrong, param in (
        ({"cap": "-1"}, "cap"),
        ({"cap": 1.5}, "cap"),
        ({"priority": "high"}, "priority"),
        ({"models": []}, "models"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"name": "x" * 101}, "name"),
        ({"workspace": "other"}, "workspace"),
    ):
        answer = house.http.post(f"{V1}/keys", headers=headers, json=wrong)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    for content, status in ((b"{", 400), (b"[]", 400), (b'{"name": "' + b"x" * 70_000 + b'"}', 413)):
        answer = house.http.post(
            f"{V1}/keys", headers={**headers, "content-type": "application/json"}, content=content
        )
        assert answer.status_code == status, answer.text


def test_a_changed_password_ends_every_other_session(house: House) -> None:
    house.member("ann@example.com", "owner")
    here, there = house.session("ann@example.com"), house.session("ann@example.com")
    wrong = {"current": "not that one", "new": PASSWORD + "2"}
    assert house.http.put(f"{V1}/me/password", headers=here, json=wrong).status_code == 401
    short = {"current": PASSWORD, "new": "short"}
    refused = house.http.put(f"{V1}/me/password", headers=here, json=short)
    assert (refused.status_code, "short" in refused.text) == (400, False)
    assert house.get("/me", there).status_code == 200
    answer = house.http.put(
        f"{V1}/me/password", headers=here, json={"current": PASSWORD, "new": PASSWORD + "2"}
    )
    assert answer.status_code == 200
    house.http.cookies.clear()
    for ended in (here, there):
        assert house.get("/me", ended).status_code == 401
    new = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert house.get("/me", new).status_code == 200
    assert house.http.put(f"{V1}/me/password", headers=house.key(), json=short).status_code == 403


def test_a_member_of_two_workspaces_says_which(house: House) -> None:
    house.desk.accounts.workspaces.create("other")
    house.member("ann@example.com", "owner")
    house.member("ann@example.com", "owner", "other")
    body = {"email": "ann@example.com", "password": PASSWORD}
    answer = house.http.post(f"{V1}/session", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "workspace")
    assert "default, other" in answer.json()["error"]["message"]
    headers = house.session("ann@example.com", workspace="other")
    assert house.get("/me", headers).json()["workspace"]["name"] == "other"
    nowhere = house.http.post(f"{V1}/session", json={**body, "workspace": "nowhere"})
    assert nowhere.status_code == 401


def test_a_proxy_that_is_believed_lets_members_in(desk: Desk, tmp_path: Path) -> None:
    with House.open(
        desk,
        tmp_path / "house",
        sign_on_header="X-Forwarded-Email",
        trusted_proxies="127.0.0.0/8",
    ) as house:
        house.member("ann@example.com", "owner")
        house.desk.accounts.workspaces.create("other")
        house.member("ann@example.com", "owner", "other")
        said = {"x-forwarded-email": "Ann@Example.com", "x-forwarded-for": "203.0.113.9"}
        assert house.get("/me", said).json()["workspace"]["name"] == "default"
        there = {**said, "x-enlarger-workspace": "other"}
        assert house.get("/me", there).json()["workspace"]["name"] == "other"
        assert house.http.post(f"{V1}/keys", headers=said, json={}).status_code == 403, "no origin"
        assert house.http.post(f"{V1}/keys", headers={**said, "origin": house.url}, json={}).is_success
        stranger = house.get("/me", {"x-forwarded-email": "eve@example.com"})
        assert (stranger.status_code, code(stranger)) == (403, "not_allowed")
        twice = [("x-forwarded-email", "ann@example.com"), ("x-forwarded-email", "eve@example.com")]
        assert house.http.get(f"{V1}/me", headers=twice).status_code == 401
        assert house.get("/me", {**said, **house.key()}).json()["member"] is None, "a secret comes first"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"trusted_proxies": "127.0.0.1"},
        {"trusted_proxies": "192.0.2.1", "sign_on_header": "x-forwarded-email"},
    ],
)
def test_nobody_else_is_believed(desk: Desk, tmp_path: Path, changes: dict[str, str]) -> None:
    with House.open(desk, tmp_path / "house", **changes) as house:
        house.member("ann@example.com", "owner")
        for forwarded in ("192.0.2.1", "127.0.0.1"):
            said = {"x-forwarded-email": "ann@example.com", "x-forwarded-for": forwarded}
            assert house.get("/me", said).status_code == 401


def test_a_removed_member_is_out_at_once(house: House) -> None:
    house.member("owner@example.com", "owner")
    gone = house.member("gone@example.com", "member")
    owner, session = house.session("owner@example.com"), house.session("gone@example.com")
    secret = house.http.post(f"{V1}/keys", headers=session, json={}).json()["secret"]
    answer = house.http.delete(f"{V1}/members/{gone.id}", headers=owner)
    assert answer.json() == {"id": gone.id, "revoked_keys": 1}
    assert house.get("/me", session).status_code == 401
    assert house.get("/me", {"x-api-key": secret}).status_code == 401
    own = house.get("/me", owner).json()["member"]["id"]
    added = house.http.post(
        f"{V1}/members", headers=owner, json={"email": "new@example.com", "role": "viewer"}
    ).json()
    assert len(added["password"]) == 20
    refused = house.http.delete(f"{V1}/members/{own}", headers=owner)
    assert (refused.status_code, "last owner" in refused.text) == (400, True)
