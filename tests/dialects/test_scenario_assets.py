"""Scenario's assets: kept, listed, looked at, renamed, tagged, copied and deleted."""

from __future__ import annotations

import base64
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from enlarger.dialects.scenario import asset_routes, generate
from tests.support.house import SMALL, House
from tests.support.scenario import CUSTOM, STYLE, UPSCALE, Client, assert_refused, client, data_url

ID = re.compile(r"asset_[A-Za-z0-9]{24}")
MANY, LONG = ",".join(map(str, range(2000))), "_" * 30_000
PLAIN = base64.b64encode(SMALL).decode()


def listed(caller: Client, **query: Any) -> list[str]:
    """Ids of a list, which must be one page."""
    answer = caller.call("GET", "/assets", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {"assets"}
    return [asset["id"] for asset in body["assets"]]


def test_an_asset_is_told_in_full_and_fetched_without_a_key(house: House) -> None:
    caller = client(house)
    asset = caller.upload(name="cup.png")
    assert asset.keys() == {
        "id",
        "authorId",
        "ownerId",
        "collectionIds",
        "createdAt",
        "updatedAt",
        "editCapabilities",
        "kind",
        "metadata",
        "mimeType",
        "privacy",
        "properties",
        "source",
        "status",
        "tags",
        "url",
        "nsfw",
        "isHidden",
    }
    assert ID.fullmatch(asset["id"])
    assert asset["properties"] == {"size": len(SMALL), "width": 48, "height": 40}
    assert asset["metadata"] == {
        "kind": "image",
        "type": "uploaded",
        "name": "cup.png",
        "width": 48,
        "height": 40,
    }
    assert (asset["status"], asset["source"], asset["privacy"]) == ("success", "uploaded", "private")
    assert asset["editCapabilities"] == ["UPSCALE"]
    fetched = house.http.get(asset["url"])
    assert (fetched.content, fetched.headers["content-type"]) == (SMALL, "image/png")
    assert house.http.get(asset["url"] + "x").status_code == 403
    for query in ({}, {"originalAssets": "true", "withEmbedding": "true", "projectId": "p"}):
        again = caller.call("GET", f"/assets/{asset['id']}", params=query).json()["asset"]
        assert again | {"url": ""} == asset | {"url": ""}
        assert house.http.get(again["url"]).content == SMALL, "the original in any case"


def test_what_an_upload_may_say(house: House) -> None:
    caller = client(house)
    wrapped = "\n".join(PLAIN[start : start + 76] for start in range(0, len(PLAIN), 76))
    for image in (PLAIN, wrapped, data_url(SMALL), f"DATA:image/jpeg;charset=x;base64,{PLAIN}"):
        answer = caller.call("POST", "/assets", json={"name": "", "image": image})
        assert answer.status_code == 200, answer.text
        assert house.http.get(answer.json()["asset"]["url"]).content == SMALL
    parent = answer.json()["asset"]["id"]
    body = {"name": "x" * 500, "image": PLAIN, "parentId": parent, "hide": True, "collectionIds": ["c"]}
    child = caller.call("POST", "/assets", json=body | {"canvas": "{}", "thumbnail": "x"}).json()["asset"]
    assert child["isHidden"] is True
    assert child["metadata"]["parentId"] == child["metadata"]["rootParentId"] == parent
    before = len(house.desk.rows("SELECT id FROM assets"))
    for body, status, text in (
        ({"image": PLAIN}, 400, "name: is required"),
        ({"name": None, "image": PLAIN}, 400, "name: is required"),
        ({"name": 5, "image": PLAIN}, 400, "name: must be text, got 5"),
        ({"name": "x" * 501, "image": PLAIN}, 400, "name: must have at most 500 characters, got 501"),
        ({"name": "a\0b", "image": PLAIN}, 400, "name: holds what is no character"),
        ({"name": "x"}, 400, "image: is required"),
        ({"name": "x", "canvas": "{}"}, 400, "image: is required"),
        ({"name": "x", "image": ""}, 400, "image: is required"),
        ({"name": "x", "image": 5}, 400, "image: must be text"),
        ({"name": "x", "image": "%%%"}, 400, "image: is no picture in base64"),
        ({"name": "x", "image": "AAAA"}, 400, "image: "),
        ({"name": "x", "image": "\u00e9"}, 400, "image: is no picture in base64"),
        ({"name": "x", "image": "data:image/png;base64,"}, 400, "image: is empty"),
        ({"name": "x", "image": "data:image/png,abc"}, 400, "data:image/png;base64,"),
        ({"name": "x", "image": base64.b64encode(SMALL[:40]).decode()}, 400, "image: "),
        ({"name": "x", "image": PLAIN, "parentId": "asset_none"}, 404, "asset_none"),
        ({"name": "x", "image": PLAIN, "parentId": 5}, 400, "parentId: must be text"),
        ({"name": "x", "image": PLAIN, "hide": "yes"}, 400, "hide: must be true or false"),
        ({"name": "x", "image": PLAIN, "collectionIds": "c"}, 400, "collectionIds: must be a list"),
    ):
        assert_refused(caller.call("POST", "/assets", json=body), status, text)
    assert_refused(caller.call("PUT", "/assets", json={}), 405, "PUT")
    assert len(house.desk.rows("SELECT id FROM assets")) == before


def test_more_than_ten_megabytes_are_taken_and_more_than_the_limit_are_not(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = client(house)
    data = io.BytesIO()
    Image.new("RGB", (1900, 1900), "grey").save(data, "PNG", compress_level=0)
    picture = data.getvalue()
    assert len(picture) > 10_000_000
    asset = caller.upload(picture, "large.png")
    assert asset_routes.REQUEST_LIMIT_BYTES == 70 * 2**20
    monkeypatch.setattr(asset_routes, "REQUEST_LIMIT_BYTES", 1000)
    monkeypatch.setattr(generate, "REQUEST_LIMIT_BYTES", 1000)
    for path in ("/assets", UPSCALE, CUSTOM):
        body = {"name": "cup.png", "image": data_url(SMALL)}
        assert_refused(caller.call("POST", path, json=body), 413, "larger than 1000 bytes")
    assert asset["properties"]["size"] == len(picture)


def test_lists_are_narrowed(house: House) -> None:
    caller, other_key = client(house), client(house)
    first = caller.upload()
    second = other_key.upload(STYLE)
    job = caller.begin(CUSTOM, image=first["id"])["jobId"]
    caller.finish(job)
    [made] = caller.job(job)["metadata"]["assetIds"]
    again = caller.begin(UPSCALE, image=made, imageType="texture")["jobId"]
    caller.finish(again)
    [last] = caller.job(again)["metadata"]["assetIds"]
    everything = [last, made, second["id"], first["id"]]
    time.sleep(0.002)
    caller.call("PUT", f"/assets/{made}/tags", json={"add": ["one", 'quo"ted', "two"]})
    changed = caller.call("GET", f"/assets/{made}").json()["asset"]["updatedAt"]
    for query, found in (
        ({}, everything),
        ({"sortDirection": "asc"}, everything[::-1]),
        ({"sortBy": "createdAt", "sortDirection": "desc"}, everything),
        ({"type": "uploaded"}, [second["id"], first["id"]]),
        ({"types": "upscale,upscale-texture", "type": "uploaded"}, [last, made]),
        ({"type": "upscale-skybox"}, []),
        ({"parentAssetId": made}, [last]),
        ({"parentAssetId": "\0"}, []),
        ({"rootAssetId": first["id"]}, [last, made]),
        ({"authorId": second["authorId"]}, [second["id"]]),
        ({"modelId": "model_upscale-v3"}, [last, made]),
        ({"inferenceId": again}, [last]),
        ({"tags": "one"}, [made]),
        ({"tags": 'one, quo"ted'}, [made]),
        ({"tags": "on"}, []),
        ({"tags": "one,three"}, []),
        ({"createdAfter": "2020-01-01"}, everything),
        ({"createdAfter": "2999-01-01"}, []),
        ({"createdBefore": first["createdAt"]}, []),
        ({"createdBefore": "2999-01-01"}, everything),
        ({"sortBy": "updatedAt"}, [made, last, second["id"], first["id"]]),
        ({"sortBy": "updatedAt", "sortDirection": "asc"}, [first["id"], second["id"], last, made]),
        ({"updatedAfter": changed}, []),
        ({"updatedBefore": changed}, [last, second["id"], first["id"]]),
        ({"updatedAfter": caller.job(again)["updatedAt"]}, [made]),
        ({"updatedAfter": "2020-01-01", "updatedBefore": "2999-01-01"}, everything),
        ({"tags": "One"}, []),
        ({"modelId": "MODEL_upscale-v3"}, []),
        ({"privacy": "private"}, everything),
        ({"privacy": "public"}, []),
        ({"deleted": "true"}, []),
        ({"collectionId": "x"}, []),
        ({"pageSize": 200, "unknown": "x"}, everything),
    ):
        assert listed(caller, **query) == found, query
    for query, text in (
        ({"pageSize": 0}, "pageSize"),
        ({"tags": MANY}, "tags: must have at most 100 names, got 2000"),
        ({"types": MANY}, "types: must have at most 100 names, got 2000"),
        ({"tags": LONG}, "tags: must be names of at most 300 characters"),
        ({"modelId": LONG}, "modelId"),
        ({"pageSize": 201}, "pageSize"),
        ({"pageSize": "1.5"}, "pageSize"),
        ({"sortBy": "name"}, "sortBy"),
        ({"sortDirection": "up"}, "sortDirection"),
        ({"createdAfter": "x"}, "createdAfter"),
        ({"createdBefore": "x"}, "createdBefore"),
        ({"updatedAfter": "x"}, "updatedAfter"),
        ({"updatedBefore": "x"}, "updatedBefore"),
        ({"privacy": "x"}, "privacy"),
        ({"deleted": "x"}, "deleted"),
        ({"paginationToken": "x"}, "paginationToken"),
        ({"paginationToken": "%"}, "paginationToken"),
        ({"paginationToken": "AAAA"}, "paginationToken"),
    ):
        assert_refused(caller.call("GET", "/assets", params=query), 400, text)


def test_pages_have_every_asset_once_also_while_they_are_deleted(house: House) -> None:
    caller = client(house)
    ids = [caller.upload()["id"] for _ in range(5)]
    for is_deleting in (False, True):
        for direction in ("desc", "asc"):
            found: list[str] = []
            query: dict[str, Any] = {"pageSize": 2, "sortDirection": direction}
            while True:
                page = caller.call("GET", "/assets", params=query).json()
                found += [asset["id"] for asset in page["assets"]]
                if "nextPaginationToken" not in page:
                    break
                query["paginationToken"] = page["nextPaginationToken"]
                if is_deleting and direction == "asc":
                    assert delete(caller, *found[-2:]).status_code == 200
            assert found == (ids if direction == "asc" else ids[::-1])


def test_pages_by_the_last_change(house: House) -> None:
    caller = client(house)
    ids = [caller.upload()["id"] for _ in range(3)]
    for asset_id in (ids[1], ids[2], ids[0]):
        time.sleep(0.002)
        caller.call("PUT", f"/assets/{asset_id}", json={"name": "x"})
    for direction, wanted in (("desc", [ids[0], ids[2], ids[1]]), ("asc", [ids[1], ids[2], ids[0]])):
        query: dict[str, Any] = {"pageSize": 1, "sortBy": "updatedAt", "sortDirection": direction}
        found = []
        for _ in ids:
            page = caller.call("GET", "/assets", params=query).json()
            found += [asset["id"] for asset in page["assets"]]
            query["paginationToken"] = page.get("nextPaginationToken")
        assert found == wanted


def delete(caller: Client, *ids: str) -> Any:
    return caller.call("DELETE", "/assets", json={"assetIds": list(ids)})


def test_what_is_deleted_is_gone_with_its_picture(house: House) -> None:
    caller = client(house)
    first, second, third = (caller.upload() for _ in range(3))
    refused = delete(caller, first["id"], "asset_none")
    assert_refused(refused, 404, "there is no asset 'asset_none'; nothing was deleted")
    answer = delete(caller, first["id"], second["id"], first["id"])
    assert (answer.status_code, answer.json()) == (200, {})
    assert listed(caller) == [third["id"]]
    assert_refused(caller.call("GET", f"/assets/{first['id']}"), 404, "there is no asset")
    assert house.http.get(first["url"]).status_code == 404
    for body, text in (
        ({}, "assetIds: is required"),
        ({"assetIds": []}, "assetIds: must have at least 1 items"),
        ({"assetIds": "x"}, "assetIds: must be a list"),
        ({"assetIds": ["x"] * 101}, "assetIds: must have at most 100 items, got 101"),
    ):
        assert_refused(caller.call("DELETE", "/assets", json=body), 400, text)
    job = caller.begin(UPSCALE, image=third["id"])["jobId"]
    delete(caller, third["id"])
    caller.finish(job)
    assert caller.job(job)["status"] == "success", "a job has its own copy of the picture"


def test_several_at_once(house: House) -> None:
    caller = client(house)
    first, second = caller.upload()["id"], caller.upload()["id"]
    ids = [second, "asset_none", first, "a b\n", second]
    answer = caller.call("POST", "/assets/get-bulk", json={"assetIds": ids})
    assert [asset["id"] for asset in answer.json()["assets"]] == [second, first]
    for body, text in (
        ({}, "assetIds: is required"),
        ({"assetIds": ["x"] * 201}, "at most 200 items"),
        ({"assetIds": [1]}, "must be a list of text"),
    ):
        assert_refused(caller.call("POST", "/assets/get-bulk", json=body), 400, text)
    assert caller.call("POST", "/assets/get-bulk", json={"assetIds": []}).json() == {"assets": []}
    large = caller.call("POST", "/assets/get-bulk", json={"assetIds": ["x" * 300_000]})
    assert_refused(large, 413, "larger than")


def test_an_asset_is_renamed_described_tagged_and_copied(house: House) -> None:
    caller = client(house)
    asset = caller.upload()
    path = f"/assets/{asset['id']}"
    changed = caller.call("PUT", path, json={"name": "mug.png", "description": "warm"}).json()["asset"]
    assert (changed["metadata"]["name"], changed["description"]) == ("mug.png", "warm")
    assert changed["updatedAt"] >= asset["updatedAt"]
    unchanged = caller.call("PUT", path, json={"canvas": "x"}).json()["asset"]
    assert (unchanged["metadata"]["name"], unchanged["description"]) == ("mug.png", "warm")
    for body, text in (
        ({"name": 5}, "name: must be text"),
        ({"name": "x" * 501}, "name: must have at most 500"),
        ({"description": "x" * 10_001}, "description: must have at most 10000"),
    ):
        assert_refused(caller.call("PUT", path, json=body), 400, text)

    def tag(**body: Any) -> Any:
        return caller.call("PUT", f"{path}/tags", json=body)

    assert tag(add=["a", "b", "a"]).json() == {"added": ["a", "b"], "deleted": []}
    assert tag(add=["b", "c"], delete=["a", "x"]).json() == {"added": ["c"], "deleted": ["a"]}
    assert_refused(tag(add=["b"], strict=True), 400, "add: the asset has the tag 'b' already")
    assert_refused(tag(delete=["a"], strict=True), 400, "delete: the asset has no tag 'a'")
    assert tag(add=["d"], delete=["b"], strict=True).json() == {"added": ["d"], "deleted": ["b"]}
    assert tag().json() == {"added": [], "deleted": []}
    assert_refused(tag(add="x"), 400, "add: must be a list")
    assert_refused(tag(add=["x" * 101]), 400, "tags")
    assert_refused(tag(strict="x"), 400, "strict: must be true or false")
    assert caller.call("GET", path).json()["asset"]["tags"] == ["c", "d"]
    copied = caller.call("POST", f"{path}/copy").json()["asset"]
    assert copied["id"] != asset["id"]
    assert copied["metadata"]["parentId"] == asset["id"]
    delete(caller, asset["id"])
    assert house.http.get(copied["url"]).content == SMALL


def test_changes_at_once_lose_nothing(house: House) -> None:
    caller = client(house)
    asset = caller.upload()
    path = f"/assets/{asset['id']}"
    tags = [f"tag {number}" for number in range(24)]

    def change(tag: str) -> list[int]:
        added = caller.call("PUT", f"{path}/tags", json={"add": [tag]})
        return [added.status_code, caller.call("PUT", path, json={"name": tag}).status_code]

    with ThreadPoolExecutor(8) as pool:
        described = pool.submit(caller.call, "PUT", path, json={"description": "warm"})
        assert list(pool.map(change, tags)) == [[200, 200]] * len(tags)
    assert described.result().status_code == 200
    changed = caller.call("GET", path).json()["asset"]
    assert (sorted(changed["tags"]), changed["description"]) == (sorted(tags), "warm")


def test_a_copy_has_all_that_is_said_of_its_asset(house: House) -> None:
    caller = client(house)
    job = caller.begin(UPSCALE, image=caller.upload()["id"], style="comic", hideResults=True)["jobId"]
    caller.finish(job)
    [made] = caller.job(job)["metadata"]["assetIds"]
    caller.call("PUT", f"/assets/{made}", json={"description": "warm"})
    caller.call("PUT", f"/assets/{made}/tags", json={"add": ["a", "b"]})
    asset = caller.call("GET", f"/assets/{made}").json()["asset"]
    copied = caller.call("POST", f"/assets/{made}/copy").json()["asset"]
    assert copied == caller.call("GET", f"/assets/{copied['id']}").json()["asset"] | {"url": copied["url"]}
    for name in ("tags", "description", "isHidden", "source", "mimeType"):
        assert copied[name] == asset[name], name
    size = {"width": 48, "height": 40}
    assert copied["metadata"] == asset["metadata"] | {"parentId": made} | size, "the picture's own size"
    assert copied["metadata"]["style"] == "comic"


def test_assets_of_others(house: House) -> None:
    caller = client(house)
    asset = caller.upload()["id"]
    assert client(house).call("GET", f"/assets/{asset}").status_code == 200, "another key may read"
    house.desk.accounts.workspaces.create("other", None)
    stranger = client(house, "other")
    for method, path, body in (
        ("GET", f"/assets/{asset}", None),
        ("PUT", f"/assets/{asset}", {"name": "x"}),
        ("PUT", f"/assets/{asset}/tags", {"add": ["x"]}),
        ("POST", f"/assets/{asset}/copy", {}),
        ("DELETE", "/assets", {"assetIds": [asset]}),
        ("POST", UPSCALE, {"image": asset}),
        ("POST", CUSTOM, {"image": asset}),
        ("POST", "/assets", {"name": "x", "image": PLAIN, "parentId": asset}),
    ):
        assert_refused(stranger.call(method, path, json=body), 404, asset)
    bulk = stranger.call("POST", "/assets/get-bulk", json={"assetIds": [asset]})
    assert bulk.json() == {"assets": []}
    assert listed(stranger) == []
    for odd in ("%00", "x" * 400, "\u00e9"):
        assert_refused(caller.call("GET", f"/assets/{odd}"), 404, "there is no asset")
    assert caller.call("GET", f"/assets/{asset}").json()["asset"]["tags"] == []
