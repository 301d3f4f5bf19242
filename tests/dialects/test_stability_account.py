"""GET /v1/user/account and /v1/user/balance."""

from __future__ import annotations

import pytest

from tests.support.running import SECRET, RunningServer


def test_account_has_what_clients_check(server: RunningServer) -> None:
    with server.client() as client:
        account = client.get("/v1/user/account").json()
    assert account["id"].startswith("user-")
    assert "@" in account["email"]
    [organization] = account["organizations"]
    assert organization.keys() == {"id", "name", "role", "is_default"}


@pytest.mark.parametrize("authorization", [SECRET, f"Bearer {SECRET}"])
def test_balance_is_what_is_left_in_cents(server: RunningServer, authorization: str) -> None:
    with server.client() as client:
        response = client.get("/v1/user/balance", headers={"authorization": authorization})
    [(left,)] = server.query("SELECT micros FROM balances WHERE account LIKE '%:available'")
    assert response.json() == {"credits": left / 10_000}


@pytest.mark.parametrize("path", ["/v1/user/account", "/v1/user/balance"])
def test_errors_have_the_v1_shape(server: RunningServer, path: str) -> None:
    with server.client() as client:
        refused = client.get(path, headers={"authorization": "nobody's"})
        missing = client.get("/v1/user/nothing")
        wrong = client.post(path)
    assert [refused.status_code, missing.status_code, wrong.status_code] == [401, 404, 405]
    for response in (refused, missing, wrong):
        assert response.json().keys() == {"id", "name", "message"}
    assert refused.json()["name"] == "unauthorized"
