"""Uploads in parts, by signed links to this server."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from enlarger.accounts import Caller
from enlarger.assets import Upload, UploadState
from enlarger.errors import AssetExists, BadParameter, NotFound, TooManyUploads, UnsupportedPicture
from enlarger.server import parts
from enlarger.server.app import make_limiter, make_service
from enlarger.service import NewAsset, NewUpload, Service
from enlarger.service.uploads import MAX_PENDING
from enlarger.settings import Settings
from enlarger.storage import Links
from tests.support.house import House
from tests.support.photos import crop, encoded

PICTURE = encoded(crop("coffee", 64, 48))
T = TypeVar("T")


@dataclass
class Wharf:
    """The doors of a house, and the service as a dialect calls it."""

    house: House
    service: Service
    caller: Caller
    folder: Path

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def begin(self, size: int = len(PICTURE), parts: int = 3, **changes: Any) -> tuple[Upload, list[str]]:
        """An upload and where its parts go to."""
        new = NewUpload(
            **{
                "id": "upload_1",
                "asset": NewAsset(id="asset_1", door="test", name="a cup", tags=("a",), memo={"x": 1}),
                "file_name": "cup.png",
                "media_type": "image/png",
                "size_bytes": size,
                "part_count": parts,
            }
            | changes
        )
        begun = self.run(self.service.uploads.begin(self.caller, new))
        links = self.run(self.service.uploads.links(begun, self.house.url))
        return begun, [link.url for link in links]

    def complete(self) -> Upload:
        return self.run(self.service.uploads.complete(self.caller, "upload_1"))

    def objects(self) -> list[str]:
        return sorted(one.key.split("/")[2] for one in self.house.store.list("ws"))


@pytest.fixture
def wharf(house: House, tmp_path: Path) -> Iterator[Wharf]:
    folder = tmp_path / "house"
    settings = Settings(
        data_dir=folder, database_url=house.desk.engine.url.render_as_string(hide_password=False)
    )
    service = make_service(
        settings, house.desk.engine, house.desk.client, house.store, make_limiter(settings)
    )
    yield Wharf(house, service, house.desk.caller(), folder)
    assert list((folder / "scratch" / "arrivals").iterdir()) == []


def pieces(count: int = 3) -> list[bytes]:
    step = len(PICTURE) // count + 1
    return [PICTURE[start : start + step] for start in range(0, len(PICTURE), step)]


def test_parts_become_an_asset(wharf: Wharf) -> None:
    begun, urls = wharf.begin()
    assert begun.state == UploadState.PENDING
    # In no order, without a key, and whatever type they are said to have.
    for number in (2, 0, 1):
        answer = httpx.put(urls[number], content=pieces()[number], headers={"content-type": "image/png"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    # Without a length, and once more.
    assert httpx.put(urls[1], content=iter([b"wrong", b"bytes"])).status_code == 200
    assert httpx.put(urls[1], content=iter([pieces()[1]])).status_code == 200
    assert wharf.objects() == ["uploads"] * 3
    done = wharf.complete()
    assert (done.state, done.asset_id, done.parts) == (UploadState.IMPORTED, "asset_1", ())
    assert wharf.complete() == done, "a second time changes nothing"
    asset = wharf.run(wharf.service.assets.get(wharf.caller, "asset_1"))
    assert (asset.width, asset.height, asset.name, asset.tags, asset.memo) == (
        64,
        48,
        "a cup",
        ("a",),
        {"x": 1},
    )
    assert wharf.run(wharf.service.assets.read(asset)) == PICTURE
    assert wharf.objects() == ["assets"]
    late = httpx.put(urls[0], content=b"more")
    assert (late.status_code, late.json()["error"]["code"]) == (404, "not_found")
    assert wharf.run(wharf.service.uploads.links(done, "")) == []


def test_what_is_missing_or_of_the_wrong_size_can_be_sent_again(wharf: Wharf) -> None:
    _, urls = wharf.begin(parts=2)
    first, second = pieces(2)
    with pytest.raises(BadParameter, match="have not been sent: 1, 2"):
        wharf.complete()
    assert httpx.put(urls[0], content=first).status_code == 200
    assert httpx.put(urls[1], content=second[:-1]).status_code == 200
    with pytest.raises(BadParameter, match=f"have {len(PICTURE) - 1} bytes in all; {len(PICTURE)} were"):
        wharf.complete()
    for content in (second + b"x", iter([second, b"x"])):
        refused = httpx.put(urls[1], content=content)
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "picture_too_large")
    assert f"part 2 may have at most {len(second)} bytes" in refused.json()["error"]["message"]
    assert httpx.put(urls[1], content=b"").status_code == 400
    assert httpx.put(urls[1], content=second).status_code == 200
    assert wharf.complete().state == UploadState.IMPORTED


def test_what_is_no_picture_fails_with_a_reason_and_leaves_nothing(wharf: Wharf) -> None:
    _, urls = wharf.begin(size=9, parts=1)
    httpx.put(urls[0], content=b"no pixels")
    failed = wharf.complete()
    assert (failed.state, failed.error_code, failed.parts) == (
        UploadState.FAILED,
        "unsupported_picture",
        (),
    )
    assert failed.error_message
    assert wharf.complete() == failed
    assert wharf.objects() == []
    with pytest.raises(NotFound):
        wharf.run(wharf.service.assets.get(wharf.caller, "asset_1"))


def test_a_picture_that_comes_whole_is_an_upload_that_is_done(wharf: Wharf) -> None:
    new = NewUpload(
        id="upload_1",
        asset=NewAsset(id="asset_1", door="test", name="cup.png"),
        file_name="cup.png",
        media_type="",
        size_bytes=0,
        part_count=0,
    )
    for content in (b"no pixels", b""):
        with pytest.raises(UnsupportedPicture):
            wharf.run(wharf.service.uploads.take(wharf.caller, new, content))
    assert wharf.objects() == []
    done = wharf.run(wharf.service.uploads.take(wharf.caller, new, PICTURE))
    assert (done.state, done.size_bytes, done.media_type) == ("imported", len(PICTURE), "image/png")
    assert wharf.run(wharf.service.uploads.get(wharf.caller, "upload_1")) == done
    assert wharf.complete() == done
    with pytest.raises(AssetExists):
        wharf.run(wharf.service.uploads.take(wharf.caller, replace(new, id="upload_2"), PICTURE))
    assert wharf.objects() == ["assets"]


def test_a_link_takes_its_part_for_its_time_and_nothing_else(wharf: Wharf) -> None:
    _, urls = wharf.begin()
    parts = urlsplit(urls[0])
    said = dict(parse_qsl(parts.query))
    forged = [
        urlencode(said | {name: value}) for name, value in (("e", "9999999999"), ("t", "x/y"), ("s", ""))
    ]
    for url in (
        *(parts._replace(query=query).geturl() for query in forged),
        parts._replace(query="").geturl(),
        urls[0].replace("/1?", "/2?"),
        urls[0].replace("upload_1", "upload_2"),
    ):
        answer = httpx.put(url, content=b"x")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "link_refused"), url
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert httpx.request(method, urls[0]).status_code == 403
    links = Links(wharf.folder / "secrets" / "link-keys")
    values = {
        "expires_in_s": 60,
        "file_name": "1",
        "content_type": "image/png",
        "base_url": wharf.house.url,
    }
    for key, status in (
        ("uploads/upload_1/4", 404),
        ("uploads/upload_2/1", 404),
        ("uploads/upload_1/1/1", 403),
        ("ws/a/results/b.png", 403),
    ):
        url = links.make(key, method="PUT", **values)  # type: ignore[arg-type]
        assert httpx.put(url, content=b"x").status_code == status, key
    reading = links.make("uploads/upload_1/1", **values)  # type: ignore[arg-type]
    assert httpx.put(reading, content=b"x").status_code == 403
    early = Links(wharf.folder / "secrets" / "link-keys", clock=lambda: 1_000_000_000)
    expired = early.make("uploads/upload_1/1", method="PUT", **values)  # type: ignore[arg-type]
    assert httpx.put(expired, content=b"x").status_code == 403
    assert wharf.objects() == []


def test_an_upload_is_not_there_for_others_and_its_bounds_are_named(wharf: Wharf) -> None:
    wharf.begin()
    wharf.house.desk.accounts.workspaces.create("theirs")
    stranger = wharf.house.desk.caller("theirs")
    for use in (wharf.service.uploads.get, wharf.service.uploads.complete):
        with pytest.raises(NotFound):
            wharf.run(use(stranger, "upload_1"))
    for changes, message in (
        ({"size": 104_857_601}, "size_bytes is 104857601; it must be 1 to 104857600"),
        ({"size": 0}, "size_bytes is 0"),
        ({"parts": 0}, "parts is 0; it must be 1 to 100"),
        ({"parts": 101}, "parts is 101; it must be 1 to 100"),
        ({"size": 3, "parts": 4}, "parts is 4; it must be 1 to 3"),
        ({"file_name": "x" * 501}, "file_name has 501 characters"),
        ({"media_type": "image/png\n"}, "media_type must be like image/png"),
    ):
        with pytest.raises(BadParameter, match=message):
            wharf.begin(**changes)
    for number in range(2, MAX_PENDING + 1):
        wharf.begin(id=f"upload_{number}")
    with pytest.raises(TooManyUploads, match=f"has {MAX_PENDING} uploads under way"):
        wharf.begin(id="upload_0")


def test_many_at_once_leave_one_part_and_one_asset(wharf: Wharf) -> None:
    _, urls = wharf.begin(parts=1)
    with ThreadPoolExecutor(8) as pool:
        sent = list(pool.map(lambda _: httpx.put(urls[0], content=PICTURE).status_code, range(8)))
        assert sent == [200] * 8
        assert wharf.objects() == ["uploads"]
        ended = list(pool.map(lambda _: wharf.complete(), range(8)))
    assert {upload.state for upload in ended} == {UploadState.IMPORTED}
    assert wharf.objects() == ["assets"]


def test_a_disk_that_is_full_is_said(wharf: Wharf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    _, urls = wharf.begin()
    monkeypatch.setattr(parts, "_receive", full)
    answer = httpx.put(urls[0], content=pieces()[0])
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage_full")
    assert wharf.objects() == []
