"""`/files/`: what a signed link opens, what it does not, and what comes with the bytes."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from enlarger.server.files import make_route
from enlarger.storage import Links, ObjectStore, open_store
from tests.support.program import enlarger
from tests.support.running import RunningServer, wait_for

KEY = "ws/a/results/b.png"
CONTENT = bytes(range(256)) * 4096
SECRET_TEXT = b"never to be served"
NOW_S = 1_800_000_000


@dataclass
class Desk:
    """A running server of links alone, and the store behind it."""

    url: str
    store: ObjectStore
    links: Links
    root: Path
    now_s: float = NOW_S

    def link(self, key: str = KEY, **options: str) -> str:
        return self.store.signed_url(key, expires_in_s=60, base_url=self.url, **options)  # type: ignore[arg-type]

    def raw(self, target: str) -> tuple[int, bytes]:
        """Status and body of a GET whose target goes over the line as it is written here."""
        address = urlsplit(self.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=30) as line:
            head = f"GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
            line.sendall(head.encode("latin-1"))
            response = http.client.HTTPResponse(line)
            response.begin()
            return response.status, response.read()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("links")
    root = folder / "objects"
    links = Links(folder / "secrets" / "link-keys", clock=lambda: desk.now_s)
    store = open_store(root.as_uri(), links)
    store.create(KEY, CONTENT)
    for place in (folder / "outside", root / "in-the-root", root / ".partial" / "half"):
        place.write_bytes(SECRET_TEXT)
    (root / "ws" / "a" / "results" / "folder.png").mkdir()
    listener = socket.create_server(("127.0.0.1", 0))
    desk = Desk(f"http://127.0.0.1:{listener.getsockname()[1]}", store, links, root)
    app = Starlette(routes=[make_route(store)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_for(lambda: server.started, 30, "the server of links answers")
    yield desk
    server.should_exit = True
    thread.join()


@pytest.fixture
def desk(running: Desk) -> Desk:
    running.now_s = NOW_S
    return running


def test_a_link_gives_the_bytes_and_no_browser_shows_them_as_a_page(desk: Desk) -> None:
    answer = httpx.get(desk.link(file_name="Tür <1>.png"))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    headers = answer.headers
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(CONTENT))
    expected = "attachment; filename=\"T_r _1_.png\"; filename*=UTF-8''T%C3%BCr%20_1_.png"
    assert headers["content-disposition"] == expected
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, max-age=60"
    assert "sandbox" in headers["content-security-policy"]
    assert "set-cookie" not in headers


def test_the_head_of_it_has_no_body(desk: Desk) -> None:
    answer = httpx.head(desk.link())
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize(
    ("asked", "given", "span"),
    [
        ("bytes=0-9", slice(0, 10), "0-9"),
        ("bytes=1048570-", slice(1048570, None), "1048570-1048575"),
        ("bytes=-5", slice(-5, None), "1048571-1048575"),
    ],
)
def test_a_broken_download_goes_on(desk: Desk, asked: str, given: slice, span: str) -> None:
    answer = httpx.get(desk.link(), headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, CONTENT[given])
    assert answer.headers["content-range"] == f"bytes {span}/{len(CONTENT)}"
    beyond = httpx.get(desk.link(), headers={"range": "bytes=9999999-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(desk: Desk, method: str) -> None:
    answer = httpx.request(method, desk.link())
    assert answer.status_code == 403
    assert desk.store.read(KEY) == CONTENT


def test_a_refusal_has_our_shape_and_is_not_kept(desk: Desk) -> None:
    answer = httpx.get(desk.link() + "0")
    assert answer.status_code == 403
    assert answer.json() == {
        "error": {
            "message": "The link has expired or was changed; ask for a new one.",
            "type": "link",
            "code": "link_refused",
        }
    }
    assert answer.headers["cache-control"] == "no-store"


def test_a_link_ends_at_its_second(desk: Desk) -> None:
    link = desk.link()
    desk.now_s += 59
    last = httpx.get(link)
    assert (last.status_code, last.headers["cache-control"]) == (200, "private, max-age=1")
    desk.now_s += 1
    assert httpx.get(link).status_code == 403


def test_an_object_that_is_gone_is_not_found(desk: Desk) -> None:
    desk.store.create("ws/a/results/gone.png", b"x")
    link = desk.link("ws/a/results/gone.png")
    assert httpx.get(link).content == b"x"
    desk.store.delete(["ws/a/results/gone.png"])
    answer = httpx.get(link)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert httpx.get(desk.link("ws/a/results/folder.png")).status_code == 404
    assert httpx.get(desk.link("ws/a/results/b.png/below")).status_code == 404


HOSTILE = [
    "",
    "/",
    "//",
    ".",
    "..",
    "../outside",
    "../../outside",
    "../secrets/link-keys/1800000000",
    "..%2foutside",
    "%2e%2e/outside",
    "%2e%2e%2foutside",
    "%252e%252e%252foutside",
    "..%5coutside",
    "..\\outside",
    "....//outside",
    "..;/outside",
    "..%00/outside",
    "%00",
    "ws/a/results/b.png%00.txt",
    "ws/../../outside",
    "ws/a/../../../outside",
    "ws/%2e%2e/%2e%2e/outside",
    "ws/a/results/../../../in-the-root",
    "ws/a/results/./b.png",
    "ws//a/results/b.png",
    "ws/a/results/b.png/",
    "ws/a/results/b.png/../b.png",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:/windows/win.ini",
    "C:%5cwindows%5cwin.ini",
    "%5c%5chost%5cshare",
    "in-the-root",
    ".partial/half",
    "%2epartial/half",
    "ws/a/results",
    "ws/a/results/B.PNG",
    "ws/a/results/b.png%0a",
    "ws/a/results/b%2epng%20",
    "%c0%ae%c0%ae/outside",
    "%ef%bc%8e%ef%bc%8e/outside",
    "%uff0e%uff0e/outside",
    "~root/.profile",
    "proc/self/environ",
    "x" * 5000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_the_store(desk: Desk, name: str) -> None:
    query = urlsplit(desk.link()).query
    for target in (f"/files/{name}?{query}", f"/files/{name}"):
        status, body = desk.raw(target)
        assert status in (403, 404), target
        assert SECRET_TEXT not in body
        assert b"root:" not in body
        assert CONTENT not in body


@pytest.mark.parametrize(
    "name", ["../outside", "in-the-root/../../outside", ".partial/half", "/etc/passwd", ".."]
)
def test_not_even_a_signed_name_leads_out(desk: Desk, name: str) -> None:
    said = {"expires_in_s": 60, "file_name": "x", "content_type": "text/plain", "base_url": ""}
    link = desk.links.make(name, **said)  # type: ignore[arg-type]
    status, body = desk.raw(link)
    assert status in (403, 404)
    assert SECRET_TEXT not in body


def test_a_link_of_another_installation_is_refused(desk: Desk, tmp_path: Path) -> None:
    stranger = Links(tmp_path / "link-keys", clock=lambda: NOW_S)
    said = {"expires_in_s": 60, "file_name": "x", "content_type": "text/plain", "base_url": desk.url}
    assert httpx.get(stranger.make(KEY, **said)).status_code == 403  # type: ignore[arg-type]


def test_links_of_the_whole_server_live_through_a_rotation(server: RunningServer) -> None:
    folder = server.data_dir / "secrets" / "link-keys"
    store = open_store((server.data_dir / "objects").as_uri(), Links(folder))
    store.create("ws/a/results/linked.webp", b"pixels")
    before = store.signed_url("ws/a/results/linked.webp", expires_in_s=600, base_url=server.url)
    rotation = enlarger("files", "rotate-key", "--data-dir", server.data_dir, cwd=server.data_dir)
    assert rotation.returncode == 0, rotation.stderr
    after = store.signed_url("ws/a/results/linked.webp", expires_in_s=600, base_url=server.url)
    for link in (before, after):
        answer = httpx.get(link)
        assert (answer.content, answer.headers["content-type"]) == (b"pixels", "image/webp")
    again = enlarger("files", "rotate-key", "--data-dir", server.data_dir, cwd=server.data_dir)
    assert again.returncode == 2
    assert "links signed before the last rotation live until" in again.stderr
    command = ("files", "rotate-key", "--at-once", "--data-dir", server.data_dir)
    assert enlarger(*command, cwd=server.data_dir).returncode == 0
    assert [httpx.get(link).status_code for link in (before, after)] == [403, 403]
    assert httpx.get(f"{server.url}/files/{'../' * 9}etc/passwd").status_code in (403, 404)
    log = server.log()
    assert "/files/ws/a/results/linked.webp" in log
    assert urlsplit(before).query not in log


def test_a_rotation_needs_an_installation(tmp_path: Path) -> None:
    run = enlarger("files", "rotate-key", "--data-dir", tmp_path / "nothing", cwd=tmp_path)
    assert run.returncode == 1
    assert "there is no installation in" in run.stderr
    assert not (tmp_path / "nothing").exists()
