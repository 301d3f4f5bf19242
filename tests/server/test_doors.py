"""Which vendor owns which path."""

from __future__ import annotations

import pytest

from enlarger.server.doors import owner_of
from tests.support.running import RunningServer


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/v2beta/stable-image/upscale/fast", "stability"),
        ("/v2beta", "stability"),
        ("/v2betamax", None),
        ("/v1/user/balance", "stability"),
        ("/api/v1/images/generations", "omixa"),
        ("/api/v1", "omixa"),
        ("/api/v10", "onemin"),
        ("/api/assets", "onemin"),
        ("/users", "onemin"),
        ("/models", "onemin"),
        ("/teams/ws_1/credits", "onemin"),
        ("/modelsx", None),
        ("/v1/user", "stability"),
        ("/v1/users", "scenario"),
        ("/v1/engines/list", "stability"),
        ("/v1/generation/x", "stability"),
        ("/v1/generations", "scenario"),
        ("/v1/generate/upscale", "scenario"),
        ("/v1/jobs", "scenario"),
        ("/v1", "scenario"),
        ("/", None),
    ],
)
def test_owner(path: str, owner: str | None) -> None:
    assert owner_of(path) == owner


def test_every_dialect_answers_below_its_prefix_too(server: RunningServer) -> None:
    with server.client() as client:
        plain, prefixed = (client.get(f"{prefix}/v1/user/balance") for prefix in ("", "/stability"))
    assert plain.status_code == prefixed.status_code == 200
    assert plain.json() == prefixed.json()


def test_paths_of_nobody_get_our_own_error(server: RunningServer) -> None:
    with server.client() as client:
        response = client.get("/nobody/was/here")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
    assert len(response.headers["x-request-id"]) == 32


def test_nobody_is_sent_elsewhere_by_a_slash(server: RunningServer) -> None:
    """A redirect would lead to the host that the request names, whoever that is."""
    with server.client() as client:
        for path in ("/scenario", "/enlarger", "/healthz/", "/docs/stability/"):
            assert client.get(path, headers={"host": "elsewhere.example"}).status_code == 404, path
        assert client.get("/docs/").status_code == 200


def test_health(server: RunningServer) -> None:
    with server.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"database": "ok", "objects": "ok", "worker": "ok", "versions": "ok"}


def test_no_key_and_no_picture_gets_into_the_log(server: RunningServer) -> None:
    from tests.support.running import SECRET

    with server.client() as client:
        client.get("/v1/user/balance", params={"leak": "in-the-query"})
        client.get("/v1/user/balance", headers={"authorization": "Bearer leak-in-a-header"})
    log = server.log()
    assert "/v1/user/balance" in log
    assert SECRET not in log
    assert "leak" not in log


def test_the_process_that_decodes_strangers_files_has_no_secret(server: RunningServer) -> None:
    import psutil

    environment = psutil.Process(server.pid_of("child")).environ()
    ours = {name for name in environment if name.startswith("ENLARGER_")}
    assert "ENLARGER_MODELS_DIR" in ours
    assert not any("KEY" in name or "URL" in name or "CONFIG" in name for name in ours)


def test_nor_has_it_the_secrets_of_a_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    from enlarger.settings import Settings
    from enlarger.worker.child import child_environment

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-bucket")
    assert "of-a-bucket" not in child_environment(Settings()).values()
