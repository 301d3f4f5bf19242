"""Storage that hangs, fails or is full: an error of ours, in time, and nothing half done."""

from __future__ import annotations

import contextlib
import os
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from enlarger.errors import StorageFull, StorageUnavailable
from enlarger.settings import Settings
from enlarger.storage import ObjectStore, open_store
from enlarger.storage.bucket import PATIENCE, Bucket, Patience

KEY = "ws/a/results/b.png"
HASTE = Patience(connect_s=0.3, request_s=0.3, attempts=2, retry_s=0.6, pause_s=0.05)
CALM = Patience(request_s=2.0, attempts=2, pause_s=0.05)
SLACK_S = 5.0
"""What a busy machine may add to a bound; the patience that libraries have is ten times that."""
HEAD = (
    b'HTTP/1.1 200 OK\r\ncontent-length: 5\r\netag: "x"\r\n'
    b"last-modified: Sat, 21 Nov 2026 15:04:54 GMT\r\nconnection: close\r\n\r\n"
)
ANSWERS = {
    "503": b"HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    "500": b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    "403": b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    "nonsense": b"SSH-2.0-OpenSSH\r\n\r\n",
    "cut off": HEAD + b"ha",
    "closed": b"",
}


@dataclass
class Villain:
    """An S3 server that misbehaves: `hang`, `drip`, or one of ANSWERS."""

    way: str = "hang"
    well_after: int | None = None
    """Requests after which it answers as it should."""
    requests: list[bytes] = field(default_factory=list)
    leave: threading.Event = field(default_factory=threading.Event)

    def answer(self, handler: socketserver.StreamRequestHandler) -> None:
        self.requests.append(handler.rfile.readline())
        length = 0
        for line in iter(handler.rfile.readline, b"\r\n"):
            if not line:
                return
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        handler.rfile.read(length)
        if self.well_after is not None and len(self.requests) > self.well_after:
            handler.wfile.write(
                HEAD + (b"" if self.requests[-1].startswith((b"PUT", b"HEAD")) else b"whole")
            )
        elif self.way == "hang":
            self.leave.wait(60)
        elif self.way == "drip":
            handler.wfile.write(HEAD)
            for letter in b"whole":
                self.leave.wait(1)
                handler.wfile.write(bytes([letter]))
        else:
            handler.wfile.write(ANSWERS[self.way])


@pytest.fixture
def villain(point_at: Callable[[str], None]) -> Iterator[Villain]:
    villain = Villain()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            # The client hangs up in the middle: that is what is tested.
            with contextlib.suppress(OSError):
                villain.answer(self)

        def finish(self) -> None:
            with contextlib.suppress(OSError):
                super().finish()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        point_at(f"http://127.0.0.1:{server.server_address[1]}")
        try:
            yield villain
        finally:
            villain.leave.set()
            server.shutdown()
            thread.join()


def calls(store: ObjectStore, folder: Path) -> dict[str, Callable[[], object]]:
    (folder / "source").write_bytes(b"x" * 3_000_000)
    return {
        "create from bytes": lambda: store.create(KEY, b"x"),
        "create from a file": lambda: store.create(KEY, folder / "source"),
        "read": lambda: store.read(KEY),
        "copy_to": lambda: store.copy_to(KEY, folder / "copy"),
        "head": lambda: store.head(KEY),
        "exists": lambda: store.exists(KEY),
        "list": lambda: list(store.list("ws")),
        "delete": lambda: store.delete([KEY]),
        "check": lambda: store.check(),
    }


ALL = [
    "create from bytes",
    "create from a file",
    "read",
    "copy_to",
    "head",
    "exists",
    "list",
    "delete",
    "check",
]
WITH_A_BODY = ["read", "copy_to", "list", "delete", "check"]
"""Calls that need the answer's body, so that a body that stops fails them."""


@pytest.mark.parametrize(
    ("call", "way"),
    [(call, way) for call in ALL for way in ("hang", "503", "500", "403", "nonsense", "closed")]
    + [(call, way) for call in WITH_A_BODY for way in ("drip", "cut off")],
)
def test_a_bucket_that_fails_ends_in_our_error_and_in_time(
    call: str, way: str, villain: Villain, tmp_path: Path
) -> None:
    villain.way = way
    store = Bucket("pictures", patience=HASTE, probing=HASTE)
    started = time.monotonic()
    with pytest.raises(StorageUnavailable):
        calls(store, tmp_path)[call]()
    assert time.monotonic() - started < HASTE.bound_s + SLACK_S
    assert len(villain.requests) <= HASTE.attempts
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("way", ["hang", "503", "closed", "cut off", "drip"])
def test_one_failure_is_got_over(way: str, villain: Villain, tmp_path: Path) -> None:
    villain.way, villain.well_after = way, 1
    store = Bucket("pictures", patience=CALM)
    store.copy_to(KEY, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"whole"
    assert len(villain.requests) == 2
    villain.well_after = 3
    store.create(KEY, b"x")
    assert len(villain.requests) == (3 if way in ("cut off", "drip") else 4)


def test_a_refusal_is_not_repeated(villain: Villain) -> None:
    villain.way = "403"
    with pytest.raises(StorageUnavailable):
        Bucket("pictures", patience=HASTE).read(KEY)
    assert len(villain.requests) == 1


def test_a_bucket_is_waited_for_less_long_than_a_request_is() -> None:
    assert PATIENCE.bound_s < Settings().wait_timeout_s


def test_nobody_is_there(point_at: Callable[[str], None]) -> None:
    point_at("http://127.0.0.1:1")
    with pytest.raises(StorageUnavailable):
        Bucket("pictures", patience=HASTE).read(KEY)


def test_a_bucket_that_is_not_there_is_no_missing_object(
    s3_url: str, point_at: Callable[[str], None]
) -> None:
    point_at(s3_url)
    store = Bucket("nowhere", patience=HASTE)
    for call in (
        lambda: store.create(KEY, b"x"),
        lambda: list(store.list("ws")),
        lambda: store.delete([KEY]),
        store.check,
    ):
        with pytest.raises(StorageUnavailable):
            call()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small disk that this fills")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip(f"no small disk can be mounted here: {mount.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("is_path", [False, True])
def test_a_full_disk_is_said_and_nothing_half_stays(
    small_disk: Path, tmp_path: Path, is_path: bool
) -> None:
    store = open_store((small_disk / "objects").as_uri())
    store.create("ws/a/small", b"x" * 100_000)
    large: bytes | Path = b"x" * 2_000_000
    if isinstance(large, bytes) and is_path:
        (tmp_path / "large").write_bytes(large)
        large = tmp_path / "large"
    with pytest.raises(StorageFull):
        store.create(KEY, large)
    assert not store.exists(KEY)
    assert [info.key for info in store.list("ws")] == ["ws/a/small"]
    assert not list((small_disk / "objects" / ".partial").iterdir())
    store.create(KEY, b"what fits")
    assert store.read(KEY) == b"what fits"


def test_a_full_disk_is_seen_by_the_check(small_disk: Path) -> None:
    store = open_store((small_disk / "objects").as_uri())
    store.check()
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(b"x" * 2_000_000)
    with pytest.raises(StorageFull):
        store.check()
    (small_disk / "filler").unlink()
    store.check()


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_a_full_disk_takes_no_half_of_a_copy(
    kind: str, small_disk: Path, request: pytest.FixtureRequest
) -> None:
    store: ObjectStore = request.getfixturevalue(kind)
    store.create(KEY, b"x" * 2_000_000)
    with pytest.raises(StorageFull):
        store.copy_to(KEY, small_disk / "copy")
    assert not (small_disk / "copy").exists()


def test_a_folder_that_refuses_us_is_unavailable(folder: ObjectStore, tmp_path: Path) -> None:
    root = tmp_path / "with space"
    (root / "ws").write_bytes(b"a file where a folder must be")
    with pytest.raises(StorageUnavailable):
        folder.create(KEY, b"x")
    assert not folder.exists(KEY)
    (root / ".partial").rmdir()
    with pytest.raises(StorageUnavailable):
        folder.check()
    with pytest.raises(StorageUnavailable):
        open_store("file:///proc/nothing")
