"""1min.ai's feature answers: the record, credits, several pictures, repetitions, links, and every error."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import Request

from enlarger.accounts import Caller
from enlarger.database import write
from enlarger.dialects.onemin import render_error
from enlarger.dialects.onemin.schemas import FeatureResponse, MembersResponse, ModelsResponse, UserResponse
from enlarger.errors import Cancelled, DeadlineExceeded, EnlargerError, InferenceCrashed, UnsupportedPicture
from enlarger.fetching import Fetcher
from enlarger.jobs import Job
from enlarger.logs import configure_logging
from enlarger.server.doors import owner_of
from enlarger.service import Service
from tests.support.desk import Desk
from tests.support.house import SMALL, House
from tests.support.onemin import (
    ASSETS,
    FEATURES,
    IDEOGRAM,
    STABLE,
    answered,
    assert_refused,
    feature,
    key_of,
    upload,
)
from tests.support.quiet import log_plainly

RESULT = re.compile(r"development/images/\d{4}(_\d\d){5}_\d{3}_cat_upscaled_[0-9a-f]{16}\.(png|jpeg|webp)")
FAST, CREATIVE, CREDIT = 20_000, 600_000, 1_000_000_000


def credits_of(house: House, headers: dict[str, str]) -> int:
    team = house.http.get("/users", headers=headers).json()["user"]["teams"][0]["team"]
    shown = house.http.get(f"/teams/{team['uuid']}/credits", headers=headers).json()
    assert shown == {"credit": team["credit"]}
    return int(team["credit"])


def test_a_record_to_the_last_member(house: House) -> None:
    headers = house.key(name="Jane")
    key = key_of(upload(house, headers))
    prompt = {"imageUrl": key, "output_format": "webp", "unknown": [1, {"a": None}]}
    team = house.desk.accounts.workspaces.get("default").id
    paths = [FEATURES, f"{FEATURES}?isStreaming=true", f"{FEATURES}/stream", f"/teams/{team}/features"]
    more = {"conversationId": "IMAGE_UPSCALER"}
    for number, path in enumerate([*paths, f"/1min{FEATURES}"], 1):
        response = answered(house, partial(feature, house, headers, prompt, path=path, **more))
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        assert "x-enlarger-seed" not in response.headers, "no pixel depends on it"
        record = FeatureResponse.model_validate(response.json()).ai_record
        [result] = record.ai_record_detail.result_object
        assert RESULT.fullmatch(result)[2] == "webp"  # type: ignore[index]
        assert record.ai_record_detail.prompt_object == prompt
        assert (record.model, record.team_id, record.team_user.team_id) == (STABLE, team, team)
        assert (record.user_id, record.team_user.user_name) == (record.team_user.user_id, "Jane")
        assert (record.team_user.credit_limit, record.team_user.used_credit) == (CREDIT, number * FAST)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.created_at)
        assert house.desk.jobs.get(record.uuid).operation == "image-upscaler"
        assert record.ai_record_detail.signed_urls == [record.temporary_url]
        picture = httpx.get(record.temporary_url)
        assert (picture.status_code, picture.content) == (200, SMALL)
        assert picture.headers["content-type"] == "image/webp"
        assert credits_of(house, headers) == CREDIT - number * FAST
    assert house.desk.faults() == []


def test_a_result_is_an_asset_to_go_on_with(house: House) -> None:
    headers = house.key()
    key = key_of(upload(house, headers))
    for scale in (4, 2):
        prompt = {"imageUrl": key} if scale == 4 else {"imageList": [key], "scale": scale}
        record = answered(house, partial(feature, house, headers, prompt)).json()["aiRecord"]
        assert house.desk.jobs.get(record["uuid"]).request.target.text == f"{scale}x"
        [key] = record["aiRecordDetail"]["resultObject"]
        assert RESULT.fullmatch(key)
    [row] = house.desk.rows(
        f"SELECT parent_id, source, expires_ms - created_ms AS kept FROM assets WHERE id = '{key}'"
    )
    assert RESULT.fullmatch(row.parent_id)
    assert (row.source, row.kept) == ("image-upscaler", 604_800_000 + 3_600_000)


def test_a_link_lives_for_seven_days_and_no_longer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = house.key()
    key = key_of(upload(house, headers))
    url = answered(house, lambda: feature(house, headers, {"imageUrl": key})).json()["aiRecord"][
        "temporaryUrl"
    ]
    expires_s = int(re.search(r"[?&]e=(\d+)", url)[1])  # type: ignore[index]
    assert 604_790 <= expires_s - time.time() <= 604_801
    assert httpx.get(url.replace(f"e={expires_s}", f"e={expires_s + 60}")).status_code == 403
    links: Any = house.store
    for later_s, status in ((604_700, 200), (604_810, 403)):
        now = time.time() + later_s
        monkeypatch.setattr(links._links, "_clock", lambda now=now: now)
        assert httpx.get(url).status_code == status


def test_several_pictures_are_several_jobs(house: House) -> None:
    headers = house.key()
    key = key_of(upload(house, headers))
    prompt = {"imageUrl": key, "num_images": 3, "prompt": "a cup", "seed": 7}
    response = answered(house, lambda: feature(house, headers, prompt, IDEOGRAM), jobs=3)
    record = FeatureResponse.model_validate(response.json()).ai_record
    results, urls = record.ai_record_detail.result_object, record.ai_record_detail.signed_urls
    assert (len(set(results)), len(set(urls))) == (3, 3)
    assert urls[0] == record.temporary_url
    for name, url in zip(results, urls, strict=True):
        [asset] = house.desk.rows(f"SELECT object_key, name FROM assets WHERE id = '{name}'")
        assert f"/files/{asset.object_key}?" in url
        assert httpx.get(url).content == SMALL
    assert response.headers["x-enlarger-seed"] == "7, 8, 9"
    assert record.team_user.used_credit == 3 * CREATIVE
    assert credits_of(house, headers) == CREDIT - 3 * CREATIVE


@pytest.mark.parametrize("failed", [0, 1])
def test_of_several_pictures_those_are_paid_that_were_made(house: House, failed: int) -> None:
    headers = house.key() | {"idempotency-key": "some"}
    key = key_of(upload(house, headers))
    prompt = {"imageUrl": key, "num_images": 3}
    numbers: Iterator[int] = count()

    def end(job_id: str) -> None:
        if next(numbers) == failed:
            house.desk.jobs.fail(job_id, InferenceCrashed())
        else:
            house.finish(job_id)

    def ask() -> httpx.Response:
        return feature(house, headers, prompt, IDEOGRAM)

    first = answered(house, ask, end, jobs=3)
    assert len(first.json()["aiRecord"]["aiRecordDetail"]["resultObject"]) == 2
    assert credits_of(house, headers) == CREDIT - 2 * CREATIVE
    again = ask()
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    headers["idempotency-key"] = "none"
    none = answered(house, ask, lambda job: house.desk.jobs.fail(job, InferenceCrashed()), jobs=3)
    assert_refused(none, 500, "inference_crashed")
    assert credits_of(house, headers) == CREDIT - 2 * CREATIVE


def test_too_little_credit_for_all_is_a_402_and_nothing_is_made(house: House) -> None:
    house.desk.accounts.workspaces.create("poor", 2 * CREATIVE)
    headers = house.key("poor") | {"idempotency-key": "same"}
    key = key_of(upload(house, headers))
    for _ in range(2):
        # The second time too, which finds nothing of the first to go on with.
        response = feature(house, headers, {"imageUrl": key, "num_images": 3}, IDEOGRAM)
        assert_refused(response, 402, "insufficient_balance")
        assert house.jobs() == 0, "not one of them was ever there for a worker to take"
        assert credits_of(house, headers) == 2 * CREATIVE
    assert [one.key for one in house.store.list("ws") if "/inputs/" in one.key] == []
    capped = house.key(cap_micros=FAST)
    key = key_of(upload(house, capped))
    record = answered(house, lambda: feature(house, capped, {"imageUrl": key})).json()["aiRecord"]
    assert (record["teamUser"]["creditLimit"], record["teamUser"]["usedCredit"]) == (FAST, FAST)
    assert_refused(feature(house, capped, {"imageUrl": key}), 402, "spend_cap_reached")


def test_a_repetition_gets_the_first_answer_and_is_paid_once(house: House) -> None:
    headers = house.key() | {"idempotency-key": "one"}
    key = key_of(upload(house, headers))

    def ask(**more: Any) -> httpx.Response:
        return feature(house, headers, {"imageUrl": key, **more})

    def end(job_id: str) -> None:
        assert_refused(ask(), 409, "still_running")
        assert ask().headers["x-should-retry"] == "true"
        house.finish(job_id)

    first = answered(house, ask, end)
    again = ask()
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert_refused(ask(scale=2), 409, "idempotency_conflict")
    assert_refused(
        feature(house, headers | {"idempotency-key": "x" * 300}, {"imageUrl": key}), 400, "bad_parameter"
    )
    assert credits_of(house, headers) == CREDIT - FAST
    # The same key and fields are the same request, by whichever of the two paths.
    team = first.json()["aiRecord"]["teamId"]
    assert (
        feature(house, headers, {"imageUrl": key}, path=f"/teams/{team}/features").content == first.content
    )


def test_a_repetition_needs_no_picture_any_longer(
    house: House, desk: Desk, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = house.key() | {"idempotency-key": "asset"}
    key = key_of(upload(house, headers))
    ask = partial(feature, house, headers, {"imageUrl": key, "num_images": 2}, IDEOGRAM)
    first = answered(house, ask, jobs=2)
    with write(desk.engine) as connection:
        connection.execute(sa.text(f"DELETE FROM assets WHERE id = '{key}'"))
    assert ask().content == first.content
    headers["idempotency-key"] = "another"
    assert_refused(ask(), 404, "not_found")
    with House.open(desk, tmp_path / "open", fetch_urls="public") as open_house:
        headers = open_house.key() | {"idempotency-key": "url"}
        monkeypatch.setattr(Fetcher, "fetch", lambda *_, **__: SMALL)
        ask = partial(feature, open_house, headers, {"imageUrl": "https://pictures.example/cat.png"})
        first = answered(open_house, ask)
        monkeypatch.setattr(Fetcher, "fetch", lambda *_, **__: pytest.fail("it is not fetched again"))
        assert ask().content == first.content


def test_each_error_of_a_job_in_the_vendors_shape(house: House) -> None:
    headers = house.key()
    key = key_of(upload(house, headers))
    errors: list[tuple[EnlargerError, int, str]] = [
        (InferenceCrashed(), 500, "nothing was charged"),
        (DeadlineExceeded(), 504, "not done in the time"),
        (Cancelled(), 409, "stopped"),
        (UnsupportedPicture("the PNG is cut off", param="image"), 400, "promptObject.imageUrl: the PNG"),
    ]
    for error, status, text in errors:
        response = answered(
            house,
            partial(feature, house, headers, {"imageUrl": key}),
            partial(house.desk.jobs.fail, error=error),
        )
        assert_refused(response, status, error.code, text)
        assert house.desk.jobs.get(response.headers["x-enlarger-job"]).error is not None
    assert credits_of(house, headers) == CREDIT


def kinds(kind: type[EnlargerError] = EnlargerError) -> Iterator[type[EnlargerError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds(below)


def test_every_error_that_there_is_has_the_one_shape() -> None:
    request = Request({"type": "http", "method": "GET", "path": FEATURES, "headers": []})
    statuses = {400, 401, 402, 403, 404, 408, 409, 413, 415, 429, 500, 503, 504}
    seen = set()
    for kind in kinds():
        error = kind("what is wrong", param="field")
        response = render_error(request, error)
        body = json.loads(bytes(response.body))
        assert body["code"] == body["error"]["code"] == kind.code
        assert body["message"] == body["error"]["message"]
        assert body["error"]["details"][0]["field"] == "field"
        assert response.status_code in statuses, kind
        # What a fault of ours was is for the log.
        assert ("what is wrong" in body["message"]) == (response.status_code != 500), kind
        if error.retry_after_s is not None:
            assert int(response.headers["retry-after"]) == error.retry_after_s
        seen.add(response.status_code)
    assert seen == statuses


def test_who_waits_too_long_is_told_and_the_job_goes_on(house: House, desk: Desk, tmp_path: Any) -> None:
    with House.open(desk, tmp_path / "hasty", wait_timeout_s=0.1) as hasty:
        headers = hasty.key()
        key = key_of(upload(hasty, headers))
        response = feature(hasty, headers, {"imageUrl": key})
        assert_refused(response, 504, "wait_timeout", "goes on")
        job = response.headers["x-enlarger-job"]
        hasty.finish(job)
        assert hasty.get(f"/jobs/{job}/result", headers).content == SMALL


def test_an_answer_that_says_to_come_again_is_not_kept(
    house: House, desk: Desk, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with House.open(desk, tmp_path / "hasty", wait_timeout_s=0.5) as hasty:
        headers = hasty.key() | {"idempotency-key": "some"}
        key = key_of(upload(hasty, headers))
        several = partial(feature, hasty, headers, {"imageUrl": key, "num_images": 2}, IDEOGRAM)
        ended: list[str] = []

        def fail_the_first(job_id: str) -> None:
            if not ended:
                ended.append(job_id)
                desk.jobs.fail(job_id, InferenceCrashed())

        response = answered(hasty, several, fail_the_first, jobs=2)
        assert_refused(response, 504, "wait_timeout")
        assert response.headers["x-enlarger-job"] == ended[0]
        [left] = desk.jobs.unfinished()
        hasty.finish(left)
        assert len(several().json()["aiRecord"]["aiRecordDetail"]["resultObject"]) == 1

        headers["idempotency-key"] = "one"
        one = partial(feature, hasty, headers, {"imageUrl": key})
        wait = Service.wait

        async def wait_and_miss(self: Service, caller: Caller, job_id: str) -> Job:
            try:
                return await wait(self, caller, job_id)
            finally:
                # In the moment between the end of the wait and the answer.
                desk.jobs.fail(job_id, InferenceCrashed())

        monkeypatch.setattr(Service, "wait", wait_and_miss)
        assert_refused(one(), 504, "wait_timeout")
        assert_refused(one(), 500, "inference_crashed")


def test_a_key_in_each_header_and_none(house: House) -> None:
    secret = house.key()["authorization"].removeprefix("Bearer ")
    for headers in (
        {"API-KEY": secret},
        {"Authorization": f"Bearer {secret}"},
        {"Authorization": secret},
        {"X-Auth-Token": f"Bearer {secret}"},
    ):
        assert house.http.get("/users", headers=headers).status_code == 200
    for headers in ({}, {"API-KEY": "wrong"}, {"X-Auth-Token": "Bearer"}, {"API-KEY": f"{secret}x"}):
        for method, path in (
            ("POST", ASSETS),
            ("POST", FEATURES),
            ("POST", "/teams/x/features"),
            ("GET", "/teams/x/credits"),
            ("GET", "/users"),
        ):
            response = house.http.request(method, path, headers=headers, content=b"no body")
            assert_refused(response, 401, "bad_key")
            assert secret[-12:] not in response.text
    only_creative = house.key(models=("creative",))
    key = key_of(upload(house, only_creative))
    assert_refused(feature(house, only_creative, {"imageUrl": key}), 403, "not_allowed")


def test_which_paths_are_its_own(house: House) -> None:
    for path in (
        "/api/assets",
        "/api/features",
        "/users",
        "/teams/x/credits",
        "/models",
        "/api",
        "/api/v2",
    ):
        assert owner_of(path) == "onemin", path
    for path in (
        "/apis",
        "/usersx",
        "/v1/models",
        "/files/ws/x",
        "/healthz",
        "/metrics",
        "/enlarger/v1/me",
    ):
        assert owner_of(path) != "onemin", path
    assert house.http.get("/healthz").status_code == 200
    assert house.http.get("/files/ws/x").json()["error"]["type"] == "link"
    assert house.http.get("/enlarger/v1/me", headers=house.key()).status_code == 200
    assert house.http.get("/models").status_code == 200
    assert 'door="onemin",route="/models",status="200"' in house.http.get("/metrics").text


def test_routes_and_methods_that_are_not_there(house: House) -> None:
    for path in (
        "/api",
        "/api/",
        "/api/nothing",
        "/users/me",
        "/teams",
        "/teams/x/y",
        "/models/x",
        f"{FEATURES}/",
    ):
        assert_refused(house.http.get(path), 404, "not_found", "path: ")
    for path in (ASSETS, FEATURES, "/teams/x/features", "/1min/api/features"):
        response = house.http.get(path)
        assert_refused(response, 405, "method_not_allowed", "method: GET")
        assert response.headers["allow"] == "POST"
    assert_refused(house.http.post("/models"), 405, "method_not_allowed")
    assert_refused(house.http.post(FEATURES, headers={"content-encoding": "gzip"}), 415, "encoded_body")


def test_too_many_requests_are_429_and_faults_of_ours_500(
    house: House, desk: Desk, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = house.key()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a part of ours")

    monkeypatch.setattr(Service, "balance", broken)
    configure_logging("console")
    response = house.http.get("/users", headers=headers)
    log_plainly()
    assert_refused(response, 500, "error")
    assert "a part of ours" not in response.text
    monkeypatch.undo()
    with House.open(desk, tmp_path / "strict", max_workspace_jobs=1) as strict:
        key = key_of(upload(strict, headers := strict.key()))
        thread = threading.Thread(target=lambda: feature(strict, headers, {"imageUrl": key}))
        thread.start()
        while not strict.desk.jobs.unfinished():
            time.sleep(0.01)
        many = feature(strict, headers, {"imageUrl": key})
        assert_refused(many, 429, "too_many_jobs")
        assert int(many.headers["retry-after"]) >= 1
        strict.finish(strict.desk.jobs.unfinished()[0])
        thread.join(10)


def test_users_members_and_models(house: House) -> None:
    headers = house.key(name="Jane")
    user = UserResponse.model_validate(house.http.get("/users", headers=headers).json()).user
    team = user.teams[0].team
    assert (team.name, team.credit, len(user.teams)) == ("default", CREDIT, 1)
    members = house.http.get(f"/teams/{team.uuid}/members", headers=headers).json()
    [member] = MembersResponse.model_validate(members).members
    assert (member.user_id, member.user_name, member.used_credit) == (user.uuid, "Jane", 0)
    for workspace, credit, limit in (("poor", 5, 100_000_000), ("boundless", None, 100_000_000)):
        house.desk.accounts.workspaces.create(workspace, credit)
        other = house.key(workspace)
        where = house.http.get("/users", headers=other).json()["user"]["teams"][0]["team"]["uuid"]
        [shown] = house.http.get(f"/teams/{where}/members", headers=other).json()["members"]
        assert shown["creditLimit"] == limit
    for path in ("/models", "/models?feature=IMAGE_UPSCALER", "/1min/models"):
        models = ModelsResponse.model_validate(house.http.get(path).json()).models
        assert [(model.model_id, model.credit_metadata) for model in models] == [
            (STABLE, {"IMAGE_UPSCALER": [{"credit": FAST, "upToPixels": None}]}),
            (IDEOGRAM, {"IMAGE_UPSCALER": [{"credit": CREATIVE, "upToPixels": None}]}),
        ]
    assert house.http.get("/models?feature=UNIFY_CHAT_WITH_AI").json() == {"models": []}


def test_the_document_has_names_and_examples(house: House) -> None:
    document = house.http.get("/1min/openapi.json").json()
    operations = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert operations == {
        "uploadAsset",
        "uploadTeamAsset",
        "runFeature",
        "runTeamFeature",
        "getUser",
        "getCredits",
        "getMembers",
        "getModels",
    }
    assert {"FeatureResponse", "AssetResponse", "ErrorResponse"} <= document["components"]["schemas"].keys()
    body = document["paths"][FEATURES]["post"]["requestBody"]["content"]["application/json"]
    jsonschema = pytest.importorskip("jsonschema")
    for example in body["examples"].values():
        assert example["value"]["model"] in body["schema"]["properties"]["model"]["enum"]
        jsonschema.validate(example["value"], body["schema"])
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(
                {**example["value"], "promptObject": {"num_images": 1, "scale": 2}}, body["schema"]
            )
    assert "aiRecord" in document["components"]["schemas"]["FeatureResponse"]["properties"]
