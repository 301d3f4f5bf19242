"""1min.ai's uploads: the answer to the last member, keys, limits, and whose they are."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from enlarger.dialects.onemin import assets, keys
from enlarger.dialects.onemin.schemas import AssetResponse
from enlarger.errors import BusyError
from enlarger.fetching import Fetcher, fetch
from enlarger.limits.admission import Admission
from tests.support.broken import BROKEN
from tests.support.desk import Desk
from tests.support.house import SMALL, House
from tests.support.onemin import ASSETS, answered, assert_refused, feature, key_of, upload
from tests.support.photos import crop, encoded

STAMPED = re.compile(r"images/\d{4}(_\d\d){5}_\d{3}_(.*)", re.DOTALL)


def test_an_upload_is_answered_to_the_last_member(house: House) -> None:
    workspace = house.desk.accounts.workspaces.get("default").id
    for path in (ASSETS, f"/teams/{workspace}/assets", f"/1min{ASSETS}"):
        response = upload(house, house.key(), path=path)
        body = AssetResponse.model_validate(response.json())
        asset, content = body.asset, body.file_content
        assert (asset.originalname, asset.mimetype, asset.size) == ("cat.png", "image/png", len(SMALL))
        assert (asset.bucket, asset.acl) == ("asset.1min.ai", "private")
        assert asset.content_type == "application/octet-stream"
        assert STAMPED.fullmatch(asset.key)[2] == "cat.png"  # type: ignore[index]
        assert asset.etag == f'"{hashlib.md5(SMALL, usedforsecurity=False).hexdigest()}"'
        assert (content.path, content.type, content.name) == (asset.key, "png", "cat.png")
        assert asset.metadata.team_id == workspace
        picture = httpx.get(asset.location)
        assert (picture.status_code, picture.content) == (200, SMALL)


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_the_content_says_what_a_file_is(house: House, format: str) -> None:
    picture = encoded(crop("coffee", 48, 40), format)
    files = {"asset": ("cat.png", picture, "text/html")}
    body = house.http.post(ASSETS, headers=house.key(), files=files).json()
    assert body["asset"]["mimetype"] == f"image/{format.lower()}"
    assert body["fileContent"]["type"] == format.lower()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("cat.png", "cat.png"),
        ("Kätzchen im Gras (1).png", "Kätzchen im Gras (1).png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("a\u202egnp.exe", "a_gnp.exe"),
        ("a\tb\x7f.png", "a_b_.png"),
        ("..", ".."),
        ("folder/", "image"),
        ("x" * 400 + ".jpeg", "x" * 95 + ".jpeg"),
        ("x" * 400, "x" * 100),
        ("x." + "y" * 400, "x." + "y" * 98),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert keys.safe(name) == safe


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("images/2024_09_30_13_38_59_100_cat.png", "cat"),
        ("development/images/2024_09_30_13_38_59_100_cat_upscaled_0123456789abcdef.webp", "cat"),
        ("https://example.com/a/my.cat.jpg", "my.cat"),
        ("images/2024_09_30_13_38_59_100_.png", "image"),
        ("cat", "cat"),
    ],
)
def test_results_are_called_after_their_picture(name: str, stem: str) -> None:
    assert keys.stem_of(name) == stem


def test_odd_names_over_the_wire_and_the_clients_own_is_kept(house: House) -> None:
    headers = house.key()
    for name in ("Kätzchen \u4e2d.png", "a/b.png", "x" * 500):
        response = upload(house, headers, name=name)
        found = STAMPED.fullmatch(key_of(response))
        assert found is not None
        assert found[2] == keys.safe(name)
        assert response.json()["asset"]["originalname"] == name
    assert_refused(upload(house, headers, name="x" * 501), 400, "bad_parameter", "asset: ", "500", "501")


def test_uploads_of_one_name_in_one_millisecond_have_keys_of_their_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two workspaces too: a key is the only one of the installation."""
    monkeypatch.setattr(assets, "now_ms", lambda: 1_727_703_539_100)
    house.desk.accounts.workspaces.create("other", 0)
    made = [key_of(upload(house, house.key(who))) for who in ("default", "other", "default")]
    stamps = [f"images/2024_09_30_13_38_59_{number}_cat.png" for number in (100, 101, 102)]
    assert made == stamps
    monkeypatch.setattr(assets, "MOMENTS", 3)
    assert_refused(upload(house, house.key()), 409, "asset_exists")


def test_what_is_no_picture_is_refused_and_names_the_field(house: House) -> None:
    headers = house.key()
    refused: list[tuple[dict[str, Any], str]] = [
        ({"files": {"other": SMALL}}, "asset: is required"),
        ({"files": {"asset": (None, "")}}, "asset: is required"),
        ({"files": {"asset": (None, "text")}}, "asset: must be a file"),
        ({"files": {"asset": ("a.png", b"")}}, "asset: is empty"),
        ({"content": SMALL}, "content-type: is required"),
        ({"data": {"asset": "a"}}, "content-type: must be multipart/form-data"),
        ({"json": {}}, "fileUrl: is required"),
        ({"json": {"fileUrl": 1}}, "fileUrl: must be text"),
        ({"json": []}, "body: must be a JSON object"),
    ]
    for request, text in refused:
        assert_refused(house.http.post(ASSETS, headers=headers, **request), 400, "bad_parameter", text)
    boundary = {"content-type": "multipart/form-data; boundary=b"}
    for content in (b"", b"--b", b"garbage"):
        response = house.http.post(ASSETS, headers=headers | boundary, content=content)
        assert response.status_code == 400, content
    for name, picture in BROKEN.items():
        response = upload(house, headers, picture, name)
        assert response.status_code in (200, 400, 413), name
        if response.status_code != 200:
            assert_refused(response, response.status_code, response.json()["code"], "asset: ")
    gif = encoded(crop("coffee", 48, 40), "GIF")
    assert_refused(upload(house, headers, gif), 400, "unsupported_picture", "asset: ")


def test_more_than_fifty_megabytes_is_413(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = house.key()
    response = upload(house, headers, bytes(assets.FORM_LIMIT_BYTES))
    assert_refused(response, 413, "payload_too_large", str(assets.FORM_LIMIT_BYTES))
    monkeypatch.setattr(assets, "FILE_LIMIT_BYTES", len(SMALL))
    assert upload(house, headers).status_code == 200
    response = upload(house, headers, SMALL + b"x")
    assert_refused(response, 413, "payload_too_large", str(len(SMALL)))


def test_by_url_where_the_server_fetches_any(
    house: House, desk: Desk, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "https://pictures.example/album/cat%20one.png?size=1"
    headers = house.key()
    team = house.desk.accounts.workspaces.get("default").id
    path, body = f"/teams/{team}/assets", {"fileUrl": url, "type": "IMAGE"}
    response = house.http.post(path, headers=headers, json=body)
    assert_refused(response, 400, "bad_parameter", "fileUrl: ", "ENLARGER_FETCH_URLS")
    prompt = {"imageUrl": url}
    response = feature(house, headers, prompt)
    assert_refused(response, 422, "bad_parameter", "promptObject.imageUrl: this is a URL", "FETCH_URLS")
    assert [one["field"] for one in response.json()["error"]["details"]] == ["promptObject.imageUrl"]
    with House.open(desk, tmp_path / "off", fetch_urls="public", offline=True) as offline:
        response = feature(offline, offline.key(), prompt)
        assert_refused(response, 422, "bad_parameter", "ENLARGER_OFFLINE")
    for odd in ("http://[::1/files/x", "https://x/files/ws/x?e=1", "https://x/files/"):
        assert_refused(feature(house, headers, {"imageUrl": odd}), 422, "bad_parameter", "fetches none")
    with House.open(desk, tmp_path / "open", fetch_urls="public") as open_house:
        headers = open_house.key()
        for inner in ("http://127.0.0.1/cat.png", "http://169.254.169.254/latest"):
            response = open_house.http.post(path, headers=headers, json={"fileUrl": inner})
            assert_refused(response, 400, "bad_parameter", "fileUrl: ", "public internet")
            response = feature(open_house, headers, {"imageUrl": inner})
            assert_refused(response, 422, "bad_parameter", "promptObject.imageUrl: ", "public internet")
        asked: list[tuple[str, int, str]] = []

        def fetch(self: Fetcher, url: str, *, max_bytes: int, param: str = "url") -> bytes:
            asked.append((url, max_bytes, param))
            return SMALL

        monkeypatch.setattr(Fetcher, "fetch", fetch)
        kept = open_house.http.post(path, headers=headers, json=body)
        assert STAMPED.fullmatch(key_of(kept))[2] == "cat one.png"  # type: ignore[index]
        record = answered(open_house, lambda: feature(open_house, headers, prompt)).json()["aiRecord"]
        assert "_cat one_upscaled_" in record["aiRecordDetail"]["resultObject"][0]
        limit = 50 * 2**20
        assert asked == [(url, limit, "fileUrl"), (url, limit, "promptObject.imageUrl")]


def test_our_own_links_are_read_without_a_network(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = house.key()
    sent = upload(house, headers).json()["asset"]
    record = answered(house, lambda: feature(house, headers, {"imageUrl": sent["location"]})).json()[
        "aiRecord"
    ]
    [result] = record["aiRecordDetail"]["resultObject"]
    assert "_cat_upscaled_" in result
    again = record["temporaryUrl"].replace(house.url, "https://enlarger.example/below")
    assert answered(house, lambda: feature(house, headers, {"imageUrl": again})).status_code == 200
    kept = house.http.post(ASSETS, headers=headers, json={"fileUrl": again})
    assert kept.json()["asset"]["size"] == len(SMALL)
    house.desk.accounts.workspaces.create("other", 1_000_000)
    stranger = house.key("other")
    assert_refused(feature(house, stranger, {"imageUrl": again}), 404, "not_found", "imageUrl: there is no")
    changed = again.replace("&n=", "&n=x")
    assert_refused(feature(house, headers, {"imageUrl": changed}), 422, "bad_parameter", "fetches none")
    monkeypatch.setattr(assets, "FILE_LIMIT_BYTES", len(SMALL) - 1)
    refused = house.http.post(ASSETS, headers=headers, json={"fileUrl": again})
    assert_refused(refused, 413, "picture_too_large", "fileUrl: ")
    [row] = house.desk.rows(f"SELECT object_key FROM assets WHERE id = '{result}'")
    house.store.delete([row.object_key])
    assert_refused(feature(house, headers, {"imageUrl": again}), 404, "not_found", "imageUrl: there is no")


def test_who_fetches_keeps_no_room_from_others(
    desk: Desk, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is refused a fetch, or has one already, is so at once, also while there is no room."""
    monkeypatch.setattr(Admission, "admit", _no_room_for_much)
    prompt = {"imageUrl": "https://pictures.example/cat.png"}
    with House.open(desk, tmp_path / "off") as off:
        assert_refused(feature(off, off.key(), prompt), 422, "bad_parameter")
        refused = off.http.post(ASSETS, headers=off.key(), json={"fileUrl": prompt["imageUrl"]})
        assert_refused(refused, 400, "bad_parameter")
        refused = off.http.post(
            "/v1/uploads", headers=off.key(), json={"kind": "image", "url": prompt["imageUrl"]}
        )
        assert refused.status_code == 400
    with House.open(desk, tmp_path / "open", fetch_urls="public") as open_house:
        assert_refused(feature(open_house, open_house.key(), prompt), 503, "busy", "Too many uploads")
        turn = fetch.Turns.take
        monkeypatch.setattr(
            fetch.Turns, "take", lambda self, who, param: turn(fetch.Turns({who}), who, param)
        )
        assert_refused(feature(open_house, open_house.key(), prompt), 503, "busy", "for you already")


@contextlib.asynccontextmanager
async def _no_room_for_much(admission: Admission, size_bytes: int) -> AsyncIterator[None]:
    if size_bytes > 2**20:
        raise BusyError("Too many uploads are under way; try again later.")
    yield


def test_another_workspaces_team_and_assets_are_not_there(house: House) -> None:
    mine = house.key()
    key = key_of(upload(house, mine))
    house.desk.accounts.workspaces.create("other", 1_000_000)
    stranger = house.key("other")
    team = house.desk.accounts.workspaces.get("default").id
    for method, path in (
        ("POST", f"/teams/{team}/assets"),
        ("POST", f"/teams/{team}/features"),
        ("GET", f"/teams/{team}/credits"),
        ("GET", f"/teams/{team}/members"),
    ):
        assert_refused(house.http.request(method, path, headers=stranger), 404, "not_found", "teamId: ")
    for prompt in ({"imageUrl": key}, {"imageList": [key], "scale": 2}):
        response = feature(house, stranger, prompt)
        assert_refused(response, 404, "not_found", "promptObject.image", "no such asset")
        assert key not in response.text
    assert house.desk.jobs.unfinished() == []
