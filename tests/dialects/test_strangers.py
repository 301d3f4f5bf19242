"""Workspaces never see each other, whatever the route; and no answer and no log tells a secret."""

from __future__ import annotations

import base64
import re
from typing import Any

import httpx
import pytest

from enlarger.accounts.secret import make_secret
from enlarger.logs import configure_logging
from enlarger.service import Service
from tests.support.house import JOBS, SMALL, House
from tests.support.omixa import data_url
from tests.support.photos import crop, encoded
from tests.support.quiet import log_plainly
from tests.support.running import SECRET, RunningServer

BODIES: dict[str, Any] = {"patch": {"role": "viewer"}}
VENDORS = ("{engine_id}", "{model}", "{modelId}")
"""Names of the vendors', and no workspace's."""
ACTIONS = {"uploads": {"action": "complete"}, "jobs": {"action": "cancel"}}


def routes(house: House) -> list[tuple[str, str]]:
    """Method and path of every route with an id in it, as the doors' own documents list them."""
    found = []
    for prefix, document in (
        ("", "/stability/openapi.json"),
        ("", "/omixa/openapi.json"),
        ("", "/1min/openapi.json"),
        ("", "/scenario/openapi.json"),
        ("/enlarger", "/enlarger/openapi.json"),
    ):
        for path, methods in house.http.get(document).json()["paths"].items():
            is_theirs = any(name in path for name in VENDORS)
            found += [(method, prefix + path) for method in methods if "{" in path and not is_theirs]
    return found


def ask(
    house: House, method: str, path: str, ids: dict[str, str], headers: dict[str, str]
) -> httpx.Response:
    """Call a route with real ids in it."""
    filled = re.sub(r"\{(\w+)\}", lambda match: ids[match[1]], path)
    said = BODIES.get(method, {})
    if path.endswith("/action"):
        said = ACTIONS[path.split("/")[2]]
    body = {"json": said} if method in ("post", "put", "patch") else {}
    return house.http.request(method, filled, headers=headers, **body)


def test_the_ids_of_another_workspace_are_not_there(house: House) -> None:
    mine = house.key()
    job = house.post(mine).json()["id"]
    house.finish(job)
    house.member("owner@a.example", "owner")
    member = house.member("member@a.example", "member")
    key = house.desk.accounts.keys.list(member.workspace_id)[-1]
    form = {"files": {"image": encoded(crop("coffee", 64, 64))}, "data": {"prompt": "a cup"}}
    generation = house.http.post("/v2beta/stable-image/upscale/creative", headers=mine, **form).json()["id"]
    upload = {"name": "cup.png", "image": base64.b64encode(SMALL).decode()}
    asset = house.http.post("/v1/assets", headers=mine, json=upload).json()["asset"]["id"]
    begun = house.http.post("/v1/generate/upscale", headers=mine, json={"image": asset}).json()
    parts = {"fileName": "a", "fileSize": 9, "contentType": "image/png", "kind": "image", "parts": 1}
    sent = house.http.post("/v1/uploads", headers=mine, json=parts).json()["upload"]["id"]
    theirs = {"assetId": asset, "jobId": begun["job"]["jobId"], "uploadId": sent}
    theirs |= {"teamId": member.workspace_id}
    ids = theirs | {"job_id": job, "id": generation, "key_id": key.id, "member_id": member.id}
    house.desk.accounts.workspaces.create("other", 1_000_000)
    house.member("owner@b.example", "owner", "other")
    strangers = [house.session("owner@b.example"), house.key("other")]
    before = house.desk.rows("SELECT count(*) AS n FROM transfers")[0].n
    listed = routes(house)
    assert len(listed) > 6
    for method, path in listed:
        # Sessions open our own API alone.
        for headers in strangers if path.startswith("/enlarger") else strangers[1:]:
            answer = ask(house, method, path, ids, headers)
            is_for_members = "member_id" in path or "key_id" in path
            if is_for_members and "authorization" in headers:
                assert answer.status_code == 403, "a key keeps no keys, its own workspace's neither"
            else:
                assert answer.status_code == 404, (method, path, answer.text)
            assert "owner@a" not in answer.text
    for path, cursor in (
        ("/jobs", "starting_after"),
        ("/usage/requests", "starting_after"),
        ("/usage/requests", "ending_before"),
    ):
        for headers in strangers:
            assert house.get(path, headers, **{cursor: job}).status_code == 404
    for path in ("/jobs", "/usage/requests", "/usage/rollups"):
        assert house.get(path, strangers[1]).json()["data"] == []
    assert house.get("/usage/requests.csv", strangers[1]).text.count("\n") == 1
    [move] = house.get("/ledger", strangers[0]).json()["data"]
    assert move["note"] == "first credit"
    moves = house.get("/ledger", house.session("owner@a.example")).json()["data"]
    foreign = house.get("/ledger", strangers[0], starting_after=moves[0]["id"])
    assert foreign.status_code == 404
    assert house.get("/jobs/" + job, mine).json()["state"] == "succeeded", "and nothing has changed"
    assert house.desk.accounts.members.get(member.id, member.workspace_id).role == "member"
    assert house.desk.accounts.keys.get(key.id).revoked_ms is None
    assert house.desk.rows("SELECT count(*) AS n FROM transfers")[0].n == before


def test_another_key_of_the_workspace_may_read(house: House) -> None:
    job = house.post(house.key()).json()["id"]
    assert house.get(f"/jobs/{job}", house.key()).status_code == 200


PLACES = [
    "{}",
    "Bearer {}",
    "Bearer {}x",
    "Basic {}",
    "Token {}",
]


def test_no_answer_and_no_log_tells_a_secret(server: RunningServer) -> None:
    """Errors are provoked with secrets, right and wrong ones, wherever clients put them."""
    stranger = make_secret()
    secrets = [SECRET, stranger]
    asked = [
        ("GET", "/enlarger/v1/me"),
        ("GET", "/enlarger/v1/nothing"),
        ("PUT", "/enlarger/v1/jobs"),
        ("POST", "/enlarger/v1/jobs"),
        ("GET", "/enlarger/v1/jobs/nothing"),
        ("POST", "/enlarger/v1/session"),
        ("GET", "/v1/user/balance"),
        ("GET", "/v1/jobs"),
        ("POST", "/v1/assets"),
        ("POST", "/v1/generate/upscale"),
        ("POST", "/v2beta/stable-image/upscale/fast"),
        ("POST", "/api/v1/images/generations"),
        ("GET", "/api/v1/usage/requests"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/nothing"),
    ]
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=server.url, timeout=60) as http:
        for secret in secrets:
            encoded = base64.b64encode(f"key_x:{secret}".encode()).decode()
            for method, path in asked:
                for place in PLACES:
                    value = place.format(encoded if place.startswith("Basic") else secret)
                    answers.append(http.request(method, path, headers={"authorization": value}))
                for headers in (
                    {"x-api-key": secret},
                    {"cookie": f"enlarger_session={secret}"},
                    {"authorization": f"Bearer {secret}", "idempotency-key": secret},
                    {"authorization": f"Bearer {secret}", "content-type": secret},
                ):
                    answers.append(http.request(method, path, headers=headers, params={"key": secret}))
            form = {"image": SMALL}
            for data in ({"api_key": "x", "mode": "fast"}, {"wait": "true", "deadline_s": "0"}):
                headers = {"authorization": f"Bearer {secret}", "idempotency-key": "a secret place"}
                answers.append(http.post("/enlarger/v1/jobs", headers=headers, files=form, data=data))
            password = {"email": "a@b.example", "password": secret, "more": 1}
            answers.append(http.post("/enlarger/v1/session", json=password))
            answers.append(http.post("/enlarger/v1/session", json={"email": 1, "password": [secret]}))
            answers.append(
                http.post(
                    "/enlarger/v1/session", content=secret, headers={"content-type": "application/json"}
                )
            )
    assert len({answer.status_code for answer in answers}) > 4
    log = server.log()
    for secret in secrets:
        tail = secret[-12:]
        for answer in answers:
            shown = answer.text + repr(list(answer.headers.items()))
            # The content type is said back to who sent it; nobody puts a key there by accident.
            if answer.request.headers.get("content-type") != secret:
                assert tail not in shown, (answer.request.method, answer.request.url.path, shown)
        assert tail not in log
        assert base64.b64encode(f"key_x:{secret}".encode()).decode()[8:] not in log


def test_a_fault_of_ours_is_told_in_one_sentence_and_logged_without_a_secret(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = house.key()
    secret = key["authorization"].removeprefix("Bearer ")
    configure_logging("console")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a part of ours")

    monkeypatch.setattr(Service, "examine", broken)
    for path in (JOBS, "/v2beta/stable-image/upscale/fast"):
        answer = house.http.post(path, headers=key, files={"image": SMALL}, data={"prompt": "private"})
        if path == JOBS:
            assert answer.json()["error"]["code"] == "error"
        assert answer.status_code == 500
        assert "a part of ours" not in answer.text
    picture = [{"type": "image_url", "image_url": {"url": data_url(SMALL)}}]
    body = {"model": "enlarger-fast", "input_images": picture, "prompt": "private"}
    answer = house.http.post("/api/v1/images/generations", headers=key, json=body)
    assert answer.status_code == 500
    assert "a part of ours" not in answer.text
    log_plainly()
    log = capsys.readouterr().err
    assert log.count("RuntimeError: a part of ours") == 3
    for kept_quiet in (secret[-12:], "private"):
        assert kept_quiet not in log


@pytest.mark.parametrize("mode", ["conservative", "creative"])
def test_the_larger_modes_are_made_through_our_own_door(server: RunningServer, mode: str) -> None:
    with server.client() as client:
        fields = {"mode": mode, "target": "2x", "prompt": "warm light", "seed": "3", "wait": "true"}
        made = client.post("/enlarger/v1/jobs", files={"image": SMALL}, data=fields)
        assert made.status_code == 200, made.text
        job = made.json()
        assert (job["state"], job["request"]["mode"], job["result"]["width"]) == ("succeeded", mode, 96)
        assert job["receipt"]["verdict"] in ("pass", "warn")
        picture = client.get(f"/enlarger/v1/jobs/{job['id']}/result")
        linked = httpx.get(job["result"]["url"])
    assert picture.content == linked.content
    assert len(picture.content) == job["result"]["bytes"]
