"""The object store: written once, whole, by keys of ours."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from enlarger.errors import BadParameter, NotFound
from enlarger.files import replacing
from enlarger.storage import ObjectStore

KEY = "ws/a/results/b.png"


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore((tmp_path / "with space").as_uri())


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
    assert [path.name for path in (tmp_path / "with space").rglob("*") if path.is_file()] == ["b.png"]


def test_an_object_outlives_the_file_that_it_came_from(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "scratch").write_bytes(b"pixels")
    store.create(KEY, tmp_path / "scratch")
    (tmp_path / "scratch").unlink()
    assert store.read(KEY) == b"pixels"


def test_a_file_on_another_disk_is_copied(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*args: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", other_disk)
    (tmp_path / "scratch").write_bytes(b"pixels")
    store.create(KEY, tmp_path / "scratch")
    (tmp_path / "scratch").write_bytes(b"changed")
    assert store.read(KEY) == b"pixels"


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
    assert not (tmp_path / "copy").exists()


def test_it_is_copied_out_in_full(store: ObjectStore, tmp_path: Path) -> None:
    content = os.urandom(12_000_000)
    store.create(KEY, content)
    store.copy_to(KEY, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


@pytest.mark.parametrize("url", ["/plain/path", "https://example.org/bucket", "file://host/path", ""])
def test_another_kind_of_store_is_refused_by_name(url: str) -> None:
    with pytest.raises(BadParameter, match="must be a file:/// URL"):
        ObjectStore(url)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "folder" / "file"
    with replacing(target) as file:
        file.write(b"old")

    def interrupted() -> None:
        with replacing(target) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_bytes() == b"old"
    assert list(target.parent.iterdir()) == [target]
