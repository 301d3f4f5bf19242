"""Pictures by URL: off by default, and never a connection to what is not the public internet."""

from __future__ import annotations

import contextlib
import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from enlarger.errors import BadParameter, BusyError, PictureTooLarge
from enlarger.fetching import Fetcher, fetch
from enlarger.fetching.addresses import is_public

INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "168.63.129.16",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "100::1",
]
OUTER = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "2606:4700:4700::1111",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", INNER)
def test_what_is_not_the_public_internet(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTER)
def test_what_is_the_public_internet(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


NOT_THERE = "the URL cannot be fetched from pictures.example"


class Watch:
    """Counts connections; the tests' own resolver says where names lead."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: list[tuple[str, int]] = []
        real = socket.socket.connect

        def connect(connected: socket.socket, address: tuple[str, int]) -> None:
            self.tried.append(address[:2])
            real(connected, address)

        monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


HOSTILE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://127.0.0.1:80/",
    "http://127.0.0.1:22/",
    "http://127.0.0.1:8000/readyz",
    "http://localhost/",
    "http://localhost./",
    "http://LOCALHOST/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1%25lo]/",
    "http://[fd00::1]/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://0251.0376.0251.0376/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "https://127.0.0.1/",
    "https://example.org:8443/",
    "http://user@example.org/",
    "http://user:password@127.0.0.1/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1\\@example.org/",
    "http:///etc/passwd",
    "http://",
    "//127.0.0.1/",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/stat",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "unix:/var/run/docker.sock",
    "http://exam ple.org/",
    "http://exa\r\nmple.org/",
    "http://127.0.0.1\u3002/",
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://[::1/",
    "http://example.org:99999/",
    "http://" + "a" * 5000,
]


def test_the_table_is_long_enough() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused_and_nothing_is_connected_to(url: str, watch: Watch) -> None:
    with pytest.raises(BadParameter) as refused:
        Fetcher(is_allowed=True).fetch(url, max_bytes=10, param="imageUrl")
    assert refused.value.param == "imageUrl"
    assert watch.tried == []


@pytest.mark.parametrize("address", INNER)
def test_a_name_that_leads_inside_is_refused(address: str, watch: Watch) -> None:
    for found in ([address], ["93.184.216.34", address]):
        fetcher = Fetcher(is_allowed=True, resolve=lambda host, port, found=found: found)
        with pytest.raises(BadParameter) as refused:
            fetcher.fetch("https://pictures.example/", max_bytes=10)
        assert refused.value.message == NOT_THERE, "which names are ours is not for strangers"
    with pytest.raises(BadParameter, match="does not lead to the public internet"):
        fetcher.fetch(f"https://{f'[{address}]' if ':' in address else address}/", max_bytes=10)
    assert watch.tried == []


def test_a_name_that_is_not_there_is_told_in_the_same_words() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(BadParameter) as refused:
        Fetcher(is_allowed=True, resolve=resolve).fetch("https://pictures.example/", max_bytes=10)
    assert refused.value.message == NOT_THERE


def test_nothing_is_fetched_unless_it_is_switched_on(watch: Watch) -> None:
    with pytest.raises(BadParameter, match="this server fetches none"):
        Fetcher(is_allowed=False).fetch("https://example.org/a.png", max_bytes=10)
    assert watch.tried == []


Serve = Callable[[bytes], None]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[int], bytes]], int]]:
    """A web server of the test's own on loopback; its port stands for 80."""
    with contextlib.ExitStack() as stack:

        def start(answer: Callable[[int], bytes]) -> int:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port: int = listener.getsockname()[1]

            def serve() -> None:
                number = 0
                with contextlib.suppress(OSError):
                    while True:
                        connected, _ = listener.accept()
                        with connected:
                            connected.recv(65_536)
                            for piece in answer(number).split(b"|PAUSE|"):
                                connected.sendall(piece)
                                time.sleep(0.2 if b"|PAUSE|" in answer(number) else 0)
                        number += 1

            threading.Thread(target=serve, daemon=True).start()
            monkeypatch.setitem(fetch.PORTS, "http", port)
            return port

        yield start


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


ALLOWED = Fetcher(
    is_allowed=True, resolve=lambda host, port: ["127.0.0.1"], is_permitted=lambda address: True
)


def test_a_picture_is_fetched(site: Callable[..., int]) -> None:
    site(lambda number: answer(b"picture"))
    assert ALLOWED.fetch("http://pictures.example/a.png?b=c", max_bytes=7) == b"picture"


def test_a_picture_that_is_too_large_is_refused_while_it_comes(site: Callable[..., int]) -> None:
    site(lambda number: answer(b"p" * 1_000_000))
    with pytest.raises(PictureTooLarge, match="more than 1000 bytes"):
        ALLOWED.fetch("http://pictures.example/", max_bytes=1000)


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"gone", "404 Not Found"),
        answer(b"", "500 Oops"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"nonsense",
        b"",
    ],
)
def test_what_is_no_whole_answer_is_an_error_of_the_callers(reply: bytes, site: Callable[..., int]) -> None:
    site(lambda number: reply)
    with pytest.raises(BadParameter, match="the URL"):
        ALLOWED.fetch("http://pictures.example/", max_bytes=1000)


def test_three_redirects_are_followed_and_no_more(site: Callable[..., int]) -> None:
    def hop(number: int) -> bytes:
        return answer(b"", "302 Found", "Location: /next") if number < 3 else answer(b"picture")

    site(hop)
    assert ALLOWED.fetch("http://pictures.example/", max_bytes=7) == b"picture"
    site(lambda number: answer(b"", "302 Found", "Location: /next"))
    with pytest.raises(BadParameter, match="more than 3 times"):
        ALLOWED.fetch("http://pictures.example/", max_bytes=7)


@pytest.mark.parametrize(
    "location",
    [
        "http://inside.example/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "//inside.example/",
        "http://[",
    ],
)
def test_a_redirect_to_the_inside_is_refused(location: str, site: Callable[..., int], watch: Watch) -> None:
    port = site(lambda number: answer(b"", "302 Found", f"Location: {location}"))
    fetcher = Fetcher(
        is_allowed=True,
        resolve=lambda host, port: ["127.0.0.9" if host == "inside.example" else "127.0.0.1"],
        is_permitted=lambda address: str(address) == "127.0.0.1",
    )
    with pytest.raises(BadParameter):
        fetcher.fetch("http://pictures.example/", max_bytes=7)
    assert watch.tried == [("127.0.0.1", port)]


def test_a_name_is_asked_once_a_connection(site: Callable[..., int], watch: Watch) -> None:
    """A resolver that gives another answer the second time cannot lead a connection elsewhere."""
    asked: list[str] = []
    port = site(lambda number: answer(b"picture"))

    def rebind(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.66"]

    fetcher = Fetcher(is_allowed=True, resolve=rebind, is_permitted=lambda address: True)
    assert fetcher.fetch("http://pictures.example/", max_bytes=7) == b"picture"
    assert (asked, watch.tried) == (["pictures.example"], [("127.0.0.1", port)])


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_trickle_cannot_outlast_the_time_limit(part: str, site: Callable[..., int]) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n"
    site(lambda number: head + {"body": b"\r\n" + b"x|PAUSE|" * 50, "head": b"a: b\r\n|PAUSE|" * 50}[part])
    fetcher = Fetcher(
        is_allowed=True,
        resolve=lambda host, port: ["127.0.0.1"],
        is_permitted=lambda address: True,
        timeout_s=0.5,
    )
    started = time.monotonic()
    with pytest.raises(BadParameter, match="cannot be fetched"):
        fetcher.fetch("http://pictures.example/", max_bytes=1000)
    assert time.monotonic() - started < 3


def test_neither_a_slow_handshake_nor_a_slow_resolver_can(
    site: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = site(lambda number: b"\x16\x03\x03\x40\x00" + b"x|PAUSE|" * 50)
    monkeypatch.setitem(fetch.PORTS, "https", port)
    go = threading.Event()

    def never(host: str, port: int) -> list[str]:
        go.wait(10)
        return ["127.0.0.1"]

    for resolve in (lambda host, port: ["127.0.0.1"], never):
        fetcher = Fetcher(
            is_allowed=True, resolve=resolve, is_permitted=lambda address: True, timeout_s=0.5
        )
        started = time.monotonic()
        with pytest.raises(BadParameter, match="cannot be fetched"):
            fetcher.fetch("https://pictures.example/", max_bytes=1000)
        assert time.monotonic() - started < 3
    go.set()


def test_every_address_of_a_name_is_tried(site: Callable[..., int], watch: Watch) -> None:
    port = site(lambda number: answer(b"picture"))
    fetcher = Fetcher(
        is_allowed=True,
        resolve=lambda host, port: ["127.0.0.66", "127.0.0.66", "127.0.0.1"],
        is_permitted=lambda address: True,
    )
    assert fetcher.fetch("http://pictures.example/", max_bytes=7) == b"picture"
    assert watch.tried == [("127.0.0.66", port), ("127.0.0.1", port)]
    with pytest.raises(BadParameter, match="cannot be fetched"):
        replace(fetcher, resolve=lambda host, port: ["127.0.0.66", "127.0.0.67"]).fetch(
            "http://pictures.example/", max_bytes=7
        )


def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    site: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    site(lambda number: answer(b"picture"))
    connect = socket.create_connection

    def silent(address: tuple[str, int], timeout: float) -> socket.socket:
        if address[0] == "127.0.0.66":
            time.sleep(timeout)
            raise TimeoutError
        return connect(address, timeout)

    monkeypatch.setattr(socket, "create_connection", silent)
    fetcher = Fetcher(
        is_allowed=True,
        resolve=lambda host, port: ["127.0.0.66", "127.0.0.1"],
        is_permitted=lambda address: True,
        timeout_s=2,
    )
    assert fetcher.fetch("http://pictures.example/", max_bytes=7) == b"picture"


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of `pictures.example` with its key, in one file; this process trusts it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    both = tmp_path / "both"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


def test_over_tls_the_host_is_named_without_its_port(
    identity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity)
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setitem(fetch.PORTS, "https", listener.getsockname()[1])

        def serve() -> None:
            for _ in range(2):
                # The second comes for another name, and goes at the sight of the certificate.
                with (
                    contextlib.suppress(OSError),
                    listener.accept()[0] as connected,
                    context.wrap_socket(connected, server_side=True) as safe,
                ):
                    heads.append(safe.recv(65_536))
                    safe.sendall(answer(b"picture"))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert ALLOWED.fetch("https://pictures.example/a.png", max_bytes=7) == b"picture"
        with pytest.raises(BadParameter, match="cannot be fetched"):
            ALLOWED.fetch("https://other.example/a.png", max_bytes=7)
        thread.join(10)
    [head] = heads
    assert b"\r\nHost: pictures.example\r\n" in head


def test_whoever_fetches_has_one_turn_at_a_time_and_there_are_few() -> None:
    fetcher = Fetcher(is_allowed=True)
    for _ in range(2):
        # And once more: whoever has ended has left, well or badly.
        with contextlib.ExitStack() as stack, contextlib.suppress(BadParameter):
            for number in range(fetch.AT_ONCE):
                stack.enter_context(fetcher.turn(f"workspace {number}"))
                with pytest.raises(BusyError, match="for you already"):
                    stack.enter_context(fetcher.turn(f"workspace {number}"))
            with pytest.raises(BusyError, match="As many"):
                stack.enter_context(fetcher.turn("one more"))
            raise BadParameter
    with pytest.raises(BadParameter, match="this server fetches none"):
        Fetcher(is_allowed=False).turn("any").__enter__()
