"""The object store: written once, whole, by keys of ours; the same in a folder and in a bucket."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from enlarger.errors import BadParameter, NotFound, NotReady
from enlarger.files import NameTaken, creating, replacing
from enlarger.storage import ObjectStore, open_store

KEY = "ws/a/results/b.png"
WEEK_S = 604_800


@pytest.mark.parametrize("is_path", [False, True])
def test_an_object_is_written_once_and_never_changed(
    store: ObjectStore, tmp_path: Path, is_path: bool
) -> None:
    def source(content: bytes) -> bytes | Path:
        path = tmp_path / content.decode()
        path.write_bytes(content)
        return path if is_path else content

    store.create(KEY, source(b"first"))
    store.create(KEY, source(b"second"))
    assert store.read(KEY) == b"first"
    assert [info.key for info in store.list("ws")] == [KEY]


def test_an_object_outlives_the_file_that_it_came_from(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "scratch").write_bytes(b"pixels")
    store.create(KEY, tmp_path / "scratch")
    (tmp_path / "scratch").unlink()
    assert store.read(KEY) == b"pixels"


def test_a_file_on_another_disk_is_copied(
    folder: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def other_disk(source: Path, target: Path, **options: bool) -> None:
        if source == tmp_path / "scratch":
            raise OSError(18, "Invalid cross-device link")
        link(source, target, **options)

    monkeypatch.setattr(os, "link", other_disk)
    (tmp_path / "scratch").write_bytes(b"pixels")
    folder.create(KEY, tmp_path / "scratch")
    (tmp_path / "scratch").write_bytes(b"changed")
    assert folder.read(KEY) == b"pixels"
    assert files_below(tmp_path / "with space") == {KEY}


def test_many_writers_of_one_key_leave_one_whole_object(store: ObjectStore) -> None:
    contents = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda content: store.create(KEY, content), contents))
    assert store.read(KEY) in contents


def test_what_is_not_there_is_not_found(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        store.read(KEY)
    with pytest.raises(NotFound):
        store.copy_to(KEY, tmp_path / "copy")
    with pytest.raises(NotFound):
        store.head(KEY)
    assert not (tmp_path / "copy").exists()
    assert not store.exists(KEY)
    assert list(store.list("ws")) == []


def test_it_is_copied_out_in_full(store: ObjectStore, tmp_path: Path) -> None:
    content = os.urandom(12_000_000)
    store.create(KEY, content)
    store.copy_to(KEY, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


def test_size_and_time_are_told(store: ObjectStore) -> None:
    store.create(KEY, b"five!")
    info = store.head(KEY)
    assert (info.key, info.size_bytes) == (KEY, 5)
    assert abs(info.modified_ms - 1000 * time.time()) < 60_000
    assert list(store.list("ws/a/results")) == [info]
    assert store.exists(KEY)


def test_a_list_is_of_one_folder_and_all_below_it(store: ObjectStore) -> None:
    keys = {"ws/a/inputs/1", "ws/a/results/1.png", "ws/ab/inputs/2"}
    for key in keys:
        store.create(key, b"x")
    assert {info.key for info in store.list("ws")} == keys
    assert {info.key for info in store.list("ws/a")} == {"ws/a/inputs/1", "ws/a/results/1.png"}
    assert not list(store.list("ws/a/input"))


def test_what_strangers_put_beside_ours_is_not_listed(
    store: ObjectStore, bucket: ObjectStore, s3_url: str, tmp_path: Path
) -> None:
    store.create(KEY, b"x")
    if store is bucket:
        place = urlsplit(store.signed_url("ws/a/KEY", expires_in_s=60)).path.replace(
            "KEY", ".hidden%20file"
        )
        httpx.put(f"{s3_url}{place}", content=b"x").raise_for_status()
    else:
        (tmp_path / "with space" / "ws" / "a" / ".hidden file").write_bytes(b"x")
    assert [info.key for info in store.list("ws")] == [KEY]


def test_more_than_a_page_is_listed_and_deleted(store: ObjectStore) -> None:
    keys = {f"ws/a/{number:04}" for number in range(1003)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: store.create(key, b"x"), keys))
    assert {info.key for info in store.list("ws/a")} == keys
    store.delete(iter(keys))
    assert not list(store.list("ws"))


def test_deleting_twice_is_no_error_and_spares_the_rest(store: ObjectStore) -> None:
    store.create(KEY, b"x")
    store.create("ws/a/kept", b"x")
    store.delete([KEY, "ws/a/never"])
    store.delete([KEY])
    store.delete([])
    assert [info.key for info in store.list("ws")] == ["ws/a/kept"]
    store.create(KEY, b"again")
    assert store.read(KEY) == b"again"


def test_a_store_that_works_passes_its_check(store: ObjectStore) -> None:
    store.check()
    assert not list(store.list("ws"))


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".partial/x", "a\nb", "ä"]
)
def test_what_is_no_key_is_nowhere(store: ObjectStore, key: str) -> None:
    assert not store.exists(key)
    for act in (store.read, store.head, lambda key: store.create(key, b"x")):
        with pytest.raises(NotFound):
            act(key)
    with pytest.raises(NotFound):
        store.delete([key])
    with pytest.raises(NotFound):
        list(store.list(key))
    with pytest.raises(NotFound):
        store.signed_url(key, expires_in_s=60)


@pytest.mark.parametrize("lifetime_s", [0, -1, WEEK_S + 1])
def test_a_link_lives_a_week_at_most(store: ObjectStore, lifetime_s: int) -> None:
    assert store.signed_url(KEY, expires_in_s=WEEK_S)
    with pytest.raises(BadParameter, match="must live 1 to 604800 s"):
        store.signed_url(KEY, expires_in_s=lifetime_s)


def test_a_link_into_a_bucket_has_the_form_of_s3_and_opens(bucket: ObjectStore, s3_url: str) -> None:
    bucket.create(KEY, b"pixels")
    link = bucket.signed_url(KEY, expires_in_s=3600)
    said = parse_qs(urlsplit(link).query)
    assert link.startswith(f"{s3_url}/pictures/with%20space/")
    assert urlsplit(link).path.endswith("/" + KEY)
    assert said["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert said["X-Amz-Expires"] == ["3600"]
    assert said["X-Amz-Credential"][0].startswith("of-a-test/")
    assert "/eu-central-1/s3/" in said["X-Amz-Credential"][0]
    assert len(said["X-Amz-Signature"][0]) == 64
    answer = httpx.get(link)
    assert (answer.status_code, answer.content) == (200, b"pixels")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == 'attachment; filename="b.png"'


def test_no_link_of_ours_leads_into_a_bucket(bucket: ObjectStore) -> None:
    bucket.create(KEY, b"pixels")
    with pytest.raises(NotFound):
        bucket.follow("GET", KEY, b"e=1")


def test_a_process_without_secrets_signs_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    with pytest.raises(NotReady):
        store.signed_url(KEY, expires_in_s=60)
    with pytest.raises(NotReady):
        store.follow("GET", KEY, b"")


@pytest.mark.parametrize(
    "url", ["/plain/path", "https://example.org/bucket", "file://host/path", "s3:///key", "s3:bucket", ""]
)
def test_another_kind_of_store_is_refused_by_name(url: str) -> None:
    with pytest.raises(BadParameter, match=r"must be a file:/// or an s3://bucket URL"):
        open_store(url)


def test_variables_that_cannot_be_read_are_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ALLOW_HTTP", "perhaps")
    with pytest.raises(BadParameter, match='failed to parse "perhaps"'):
        open_store("s3://pictures")


def test_what_a_killed_writer_left_is_gone_after_the_next_start(
    folder: ObjectStore, tmp_path: Path
) -> None:
    left = tmp_path / "with space" / ".partial" / ".enlarger-0123456789abcdef.part"
    left.write_bytes(b"half")
    open_store((tmp_path / "with space").as_uri())
    assert not left.exists()


@pytest.mark.parametrize("way", [replacing, creating])
def test_a_file_appears_whole_or_not_at_all(way: type[replacing], tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file"

    def interrupted() -> None:
        with way(target) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(target.parent.iterdir())
    with way(target) as file:
        file.write(b"first")
        assert not target.exists()
    with contextlib.nullcontext() if way is replacing else pytest.raises(NameTaken), way(target) as file:
        file.write(b"second")
    assert target.read_bytes() == (b"second" if way is replacing else b"first")
    assert list(target.parent.iterdir()) == [target]


def files_below(folder: Path) -> set[str]:
    def walk() -> Iterator[str]:
        for path in folder.rglob("*"):
            if path.is_file():
                yield path.relative_to(folder).as_posix()

    return set(walk())
