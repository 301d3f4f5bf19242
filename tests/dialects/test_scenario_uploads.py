"""Scenario's uploads in parts, as its Blender client and its SDK send them."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.house import House
from tests.support.photos import crop, encoded

PICTURE = encoded(crop("coffee", 64, 48))
BODY: dict[str, Any] = {
    "fileName": "cup.png",
    "fileSize": len(PICTURE),
    "contentType": "image/png",
    "kind": "image",
    "parts": 2,
    "assetOptions": {"hide": True},
    "somethingElse": [1],
}
MISSING = "upload_000000000000000000000000"


def ask(house: House, headers: dict[str, str], path: str = "", **body: Any) -> httpx.Response:
    return house.http.post(f"/v1/uploads{path}", headers=headers, json=body)


def test_parts_become_an_asset_by_either_way_of_waiting(house: House) -> None:
    key = house.key()
    begun = ask(house, key, **BODY).json()["upload"]
    assert (begun["status"], begun["partsCount"], begun["source"]) == ("pending", 2, "multipart")
    assert [part["number"] for part in begun["parts"]] == [1, 2]
    assert "entityId" not in begun

    def job() -> dict[str, Any]:
        shown: dict[str, Any] = house.http.get(f"/v1/jobs/{begun['jobId']}", headers=key).json()["job"]
        return shown

    assert (job()["status"], job()["progress"]) == ("pending", 0)
    early = ask(house, key, f"/{begun['id']}/action", action="complete")
    assert (early.status_code, early.json()["code"]) == (400, "bad_parameter")
    assert early.json()["reason"] == "these parts have not been sent: 1, 2"
    for part, content in zip(begun["parts"], (PICTURE[:1000], PICTURE[1000:]), strict=True):
        sent = httpx.put(part["url"], content=content, headers={"content-type": "image/png"})
        assert sent.status_code == 200
    assert job()["progress"] == 1
    ended = ask(house, key, f"/{begun['id']}/action", action="complete").json()["upload"]
    assert ended == house.http.get(f"/v1/uploads/{begun['id']}", headers=key).json()["upload"]
    assert (ended["status"], ended["parts"], ended["jobId"]) == ("imported", [], begun["jobId"])
    done = job()
    assert (done["jobId"], done["jobType"], done["status"]) == (begun["jobId"], "upload", "success")
    assert done["metadata"]["output"]["entityId"] == ended["entityId"]
    assert [step["status"] for step in done["statusHistory"]] == ["pending", "success"]
    asset = house.http.get(f"/v1/assets/{ended['entityId']}", headers=key).json()["asset"]
    assert (asset["metadata"]["name"], asset["isHidden"], asset["source"]) == ("cup.png", True, "uploaded")
    assert httpx.get(asset["url"]).content == PICTURE


def test_what_is_no_picture_fails_and_says_why(house: House) -> None:
    key = house.key()
    begun = ask(house, key, **BODY | {"fileSize": 9, "parts": 1}).json()["upload"]
    assert httpx.put(begun["parts"][0]["url"], content=b"no pixels").status_code == 200
    ended = ask(house, key, f"/{begun['id']}/action", action="complete")
    assert (ended.status_code, ended.json()["upload"]["status"]) == (200, "failed")
    assert ended.json()["upload"]["errorMessage"]
    job = house.http.get(f"/v1/jobs/{begun['jobId']}", headers=key).json()["job"]
    assert (job["status"], job["metadata"]["error"]) == (
        "failure",
        ended.json()["upload"]["errorMessage"],
    )
    assert list(house.store.list("ws")) == []


def test_bad_requests_name_the_field(house: House) -> None:
    key = house.key()
    for changes, reason in (
        ({"kind": None}, "kind: is required"),
        ({"kind": "model"}, "kind: must be one of image, asset"),
        ({"fileName": None}, "fileName: is required for an upload in parts"),
        ({"fileSize": None}, "fileSize: is required"),
        ({"fileSize": 0}, "fileSize: must be between 1 and 104857600, got 0"),
        ({"fileSize": 104857601}, "fileSize: must be between 1 and 104857600"),
        ({"fileSize": 1.5}, "fileSize: must be a whole number"),
        ({"parts": 101}, "parts: must be between 1 and 100, got 101"),
        ({"parts": 3, "fileSize": 2}, "parts is 3; it must be 1 to 2"),
        ({"contentType": "picture"}, "contentType: must be like image/png"),
        ({"assetOptions": []}, "assetOptions: must be an object"),
        ({"assetOptions": {"hide": "yes"}}, "hide: must be true or false"),
        ({"url": "https://example.org/cup.png"}, "fetches none"),
        ({"url": "http://[", "fileName": None}, "url: is no URL"),
        ({"fileSize": 10**400}, "fileSize: must be between 1 and 104857600"),
    ):
        refused = ask(house, key, **BODY | changes)
        assert (refused.status_code, reason in refused.json()["reason"]) == (400, True), refused.text
    assert ask(house, key, **BODY | {"assetOptions": {"parentId": "asset_none"}}).status_code == 404
    for body, status in ((BODY, 269), (BODY | {"parts": 0}, 400)):
        dry = ask(house, key, "?dryRun=true", **body)
        assert (dry.status_code, dry.json().get("creativeUnitsCost", 0)) == (status, 0)
    assert house.desk.rows("SELECT id FROM uploads") == []
    begun = ask(house, key, **BODY).json()["upload"]
    assert ask(house, key, f"/{begun['id']}/action", action="stop").status_code == 400
    house.desk.accounts.workspaces.create("theirs", 0)
    for headers, status in ((house.key("theirs"), 404), ({}, 401)):
        for path in (f"uploads/{begun['id']}", f"jobs/{begun['jobId']}"):
            assert house.http.get(f"/v1/{path}", headers=headers).status_code == status
        acted = ask(house, headers, f"/{begun['id']}/action", action="complete")
        assert (acted.status_code, "reason" in acted.json()) == (status, True)
    assert house.http.get(f"/v1/uploads/{MISSING}", headers=key).status_code == 404
    assert house.http.get("/v1/uploads/%00", headers=key).status_code == 404
    assert len(house.desk.rows("SELECT id FROM uploads")) == 1
    for _ in range(19):
        assert ask(house, key, **BODY).status_code == 200
    refused = ask(house, key, **BODY)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_uploads")
