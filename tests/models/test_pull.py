"""Fetching weights with pip itself, from a package index that the test makes in a folder."""

from __future__ import annotations

import base64
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from enlarger.errors import DigestMismatch, FetchFailed, ModelMissing
from enlarger.models import Entry, ModelStore, Package
from enlarger.models.pull import pull

MEMBER = "tiny_weights/net.bin"
CONTENT = bytes(range(256)) * 4096


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_wheel(folder: Path, content: bytes = CONTENT, tags: str = "py3-none-any") -> Path:
    """A real wheel with weights, code that must not run, and a dependency that must not be asked for."""
    wheel = folder / f"tiny_weights-1.0-{tags}.whl"
    info = "tiny_weights-1.0.dist-info"
    files = {
        MEMBER: content,
        "tiny_weights/__init__.py": b"raise SystemExit('code of a weights package was run')",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        b"Requires-Dist: no-such-package-anywhere==9\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: " + tags.encode(),
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(name, data)
    return wheel


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """A network whose wheel lies in a folder that pip is configured with, as a user would."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = make_wheel(index)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    package = Package("tiny-weights", "1.0", wheel.name, digest(wheel.read_bytes()))
    return Entry(
        name="tiny",
        purpose="a test",
        scale=4,
        halo_px=0,
        exact=True,
        licence="CC0-1.0",
        commercial=True,
        default=False,
        source="nowhere",
        package=package,
        files={MEMBER: digest(CONTENT)},
    )


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def test_fetches_verifies_and_keeps_only_the_weights(store: ModelStore, entry: Entry) -> None:
    heard: list[tuple[int, int]] = []
    assert pull(store, [entry], on_bytes=lambda package, done, total: heard.append((done, total))) == [
        entry
    ]
    assert store.path(entry, MEMBER).read_bytes() == CONTENT
    store.verify(entry)
    kept = {path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file()}
    assert kept == {"tiny/net.bin", ".tiny-weights.lock"}


def test_what_is_here_is_not_fetched_again(
    store: ModelStore, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(store, [entry])
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    assert pull(store, [entry], offline=True) == []


@pytest.mark.parametrize(
    "tags", ["cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64", "cp38-abi3-win_arm64"]
)
def test_a_wheel_for_another_machine_is_fetched_all_the_same(
    store: ModelStore, entry: Entry, tmp_path: Path, tags: str
) -> None:
    wheel = make_wheel(tmp_path / "index", tags=tags)
    (tmp_path / "index" / entry.package.wheel).unlink()
    package = Package("tiny-weights", "1.0", wheel.name, digest(wheel.read_bytes()))
    assert len(pull(store, [replace(entry, package=package)])) == 1
    store.verify(entry)


def test_a_damaged_file_is_replaced(store: ModelStore, entry: Entry) -> None:
    pull(store, [entry])
    store.path(entry, MEMBER).write_bytes(CONTENT[:-1])
    with pytest.raises(DigestMismatch, match=r"net\.bin is not the file of the catalogue"):
        store.verify(entry)
    assert pull(store, [entry]) == [entry]
    store.verify(entry)


def test_another_wheel_under_the_same_name_is_refused(
    store: ModelStore, entry: Entry, tmp_path: Path
) -> None:
    make_wheel(tmp_path / "index", content=CONTENT[::-1])
    with pytest.raises(FetchFailed, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        pull(store, [entry])
    with pytest.raises(ModelMissing, match="enlarger models pull tiny"):
        store.verify(entry)


def test_an_index_without_the_package_says_so(store: ModelStore, entry: Entry, tmp_path: Path) -> None:
    (tmp_path / "index" / entry.package.wheel).unlink()
    with pytest.raises(FetchFailed, match=r"could not fetch tiny-weights 1\.0"):
        pull(store, [entry])


def test_offline_fetches_nothing(store: ModelStore, entry: Entry) -> None:
    with pytest.raises(FetchFailed, match="ENLARGER_OFFLINE"):
        pull(store, [entry], offline=True)


def test_what_a_killed_pull_left_is_cleared(store: ModelStore, entry: Entry) -> None:
    left = store.root / ".fetch-tiny-weights" / "half-a-wheel"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    pull(store, [entry])
    assert not left.parent.exists()


def test_two_processes_at_once_fetch_once(store: ModelStore, entry: Entry, tmp_path: Path) -> None:
    program = (
        "import sys, msgspec; from pathlib import Path\n"
        "from enlarger.models import Entry, ModelStore; from enlarger.models.pull import pull\n"
        "entry = msgspec.json.decode(sys.argv[2], type=Entry)\n"
        "print(len(pull(ModelStore(Path(sys.argv[1])), [entry])))"
    )
    import msgspec

    command = [sys.executable, "-c", program, str(store.root), msgspec.json.encode(entry).decode()]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) for _ in range(2)
    ]
    fetched = [int(process.communicate(timeout=120)[0]) for process in running]
    assert sorted(fetched) == [0, 1]
    store.verify(entry)


class BreakingIndex(http.server.BaseHTTPRequestHandler):
    """A package index over HTTP whose first download breaks off in the middle."""

    wheel: bytes
    ranges: list[str | None]

    def do_GET(self) -> None:
        if not self.path.endswith(".whl"):
            self._answer(200, b'<a href="/tiny_weights-1.0-py3-none-any.whl">tiny</a>', "text/html")
            return
        wanted = self.headers["range"]
        self.ranges.append(wanted)
        if wanted is None:
            half = self.wheel[: len(self.wheel) // 2]
            self._answer(200, half, "application/octet-stream", announced=len(self.wheel))
            self.close_connection = True
            return
        start = int(wanted.removeprefix("bytes=").partition("-")[0])
        self._answer(206, self.wheel[start:], "application/octet-stream", start=start)

    def _answer(
        self, status: int, body: bytes, kind: str, announced: int | None = None, start: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(announced or len(body)))
        self.send_header("etag", '"tiny"')
        self.send_header("accept-ranges", "bytes")
        if start is not None:
            end = len(self.wheel)
            self.send_header("content-range", f"bytes {start}-{end - 1}/{end}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def test_a_download_that_breaks_off_is_resumed(
    store: ModelStore, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = (tmp_path / "index" / entry.package.wheel).read_bytes()
    ranges: list[str | None] = []
    handler = type("Index", (BreakingIndex,), {"wheel": wheel, "ranges": ranges})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index.server_port}/simple")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        try:
            pull(store, [entry])
        finally:
            index.shutdown()
    assert ranges[0] is None
    assert ranges[1] is not None
    assert int(ranges[1].removeprefix("bytes=").rstrip("-")) > 0
    store.verify(entry)
