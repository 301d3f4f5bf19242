"""One guarded GET: resolved once, connected to the address that was checked, bounded in bytes and time."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

import structlog

from enlarger.errors import BadParameter, BusyError, PictureTooLarge
from enlarger.fetching.addresses import IPAddress, is_public

LOG = structlog.get_logger()
PORTS = {"http": 80, "https": 443}
"""Schemes, and the one port of each: others reach services that are no web servers."""
URL_MAX = 4096
REDIRECTS_MAX = 3
REDIRECTS = (301, 302, 303, 307, 308)
TIMEOUT_S = 10.0
"""For everything together: name, connections, redirects, bytes."""
AT_ONCE = 3
"""Fetches under way. Each keeps a thread, of those that the database is waited for in too, of which a
small machine has five. One caller has one at a time, so that none keeps the others from theirs."""
CHUNK_BYTES = 65_536

Resolve = Callable[[str, int], list[str]]
"""From a host's name and a port to its addresses, as text."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver gives for a name. Raises OSError."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Turns:
    """Who is fetching."""

    _busy: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def take(self, who: str, param: str) -> Iterator[None]:
        """Hold a turn while the block runs. Raises BusyError instead of waiting for one."""
        with self._lock:
            if who in self._busy:
                raise BusyError("A picture is being fetched for you already; try again later.", param=param)
            if len(self._busy) >= AT_ONCE:
                raise BusyError(
                    "As many pictures as may be are being fetched; try again later.", param=param
                )
            self._busy.add(who)
        try:
            yield
        finally:
            with self._lock:
                self._busy.remove(who)


@dataclass(frozen=True)
class Fetcher:
    """Fetches pictures for callers, if it may at all."""

    is_allowed: bool
    """Whether ENLARGER_FETCH_URLS is `public`, and ENLARGER_OFFLINE not set."""
    resolve: Resolve = resolve
    is_permitted: Callable[[IPAddress], bool] = is_public
    """Which addresses may be connected to; anything but the default is for tests."""
    timeout_s: float = TIMEOUT_S
    turns: Turns = field(default_factory=Turns, repr=False, compare=False)

    @contextlib.contextmanager
    def turn(self, who: str, *, param: str = "url") -> Iterator[None]:
        """A turn to fetch for `who`, to be held around `fetch` and taken before room for the bytes is.

        Raises BadParameter where nothing may be fetched, BusyError instead of waiting.
        """
        self._check_allowed(param)
        with self.turns.take(who, param):
            yield

    def fetch(self, url: str, *, max_bytes: int, param: str = "url") -> bytes:
        """The bytes at a URL; call it within a `turn`.

        max_bytes  a longer answer is refused as soon as that is known.
        param      the caller's field, for errors. No message names it: doors do, each in its way.

        Raises BadParameter, which says what is wrong with the URL and nothing of what is behind it;
        PictureTooLarge.
        """
        self._check_allowed(param)
        return self._follow(url, max_bytes, param)

    def _check_allowed(self, param: str) -> None:
        if not self.is_allowed:
            raise BadParameter(
                "this is a URL, and this server fetches none (ENLARGER_FETCH_URLS, ENLARGER_OFFLINE);"
                " send the picture",
                param=param,
            )

    def _follow(self, url: str, max_bytes: int, param: str) -> bytes:
        deadline = time.monotonic() + self.timeout_s
        for _ in range(REDIRECTS_MAX + 1):
            # At each step from the beginning: where it points may be anywhere.
            elsewhere, body = self._get(_checked(url, param), deadline, max_bytes, param)
            if elsewhere is None:
                return body
            url = elsewhere
        raise BadParameter(f"the URL is redirected more than {REDIRECTS_MAX} times", param=param)

    def _get(
        self, parts: SplitResult, deadline: float, max_bytes: int, param: str
    ) -> tuple[str | None, bytes]:
        """Where to go on, or the bytes."""
        host = str(parts.hostname)
        port = PORTS[parts.scheme]
        try:
            addresses = self._addresses(host, port, deadline, param)
            connection = http.client.HTTPConnection(host, port)
            connected = self._connect(addresses, host, port, parts.scheme, deadline)
            connection.sock = connected
            with connected, _ended_at(deadline, connected):
                if isinstance(connected, ssl.SSLSocket):
                    connected.do_handshake()
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                headers = {
                    # Said here: the library would name the port of HTTPS, for its own default is 80.
                    "Host": f"[{host}]" if ":" in host else host,
                    "User-Agent": "enlarger",
                    "Accept": "image/*",
                    "Accept-Encoding": "identity",
                }
                connection.request("GET", target, headers=headers)
                response = connection.getresponse()
                if response.status in REDIRECTS and (location := response.getheader("Location")):
                    return urljoin(parts.geturl(), location), b""
                if response.status != http.HTTPStatus.OK:
                    raise BadParameter(
                        f"the URL answers {response.status} instead of a picture", param=param
                    )
                body = _read(response, max_bytes, param)
                # A body of no said length that was cut looks like a whole one.
                _left(deadline)
                return None, body
        except (OSError, http.client.HTTPException, ValueError) as error:
            LOG.info("fetch.failed", error=type(error).__name__)
            raise BadParameter(f"the URL cannot be fetched from {host}", param=param) from error

    def _addresses(self, host: str, port: int, deadline: float, param: str) -> list[IPAddress]:
        """What may be connected to. Every address that the name has must be public, not only the first.

        Raises OSError for a name that leads elsewhere, as for one that is not there: whoever may ask for
        any name is not to learn which of them are those of our network.
        """
        texts = _by(deadline, lambda: self.resolve(host, port))
        found = list(dict.fromkeys(ipaddress.ip_address(text.partition("%")[0]) for text in texts))
        if found and all(map(self.is_permitted, found)):
            return found
        if _is_literal(host):
            raise BadParameter("the URL does not lead to the public internet", param=param)
        raise OSError("not the public internet")

    def _connect(
        self, addresses: list[IPAddress], host: str, port: int, scheme: str, deadline: float
    ) -> socket.socket:
        connected = _first(addresses, port, deadline)
        if scheme != "https":
            return connected
        try:
            # The certificate must be the name's, though the connection goes to a number.
            return ssl.create_default_context().wrap_socket(
                connected, server_hostname=host, do_handshake_on_connect=False
            )
        except BaseException:
            connected.close()
            raise


def _checked(url: str, param: str) -> SplitResult:
    if len(url) > URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise BadParameter(f"the URL must have at most {URL_MAX} plain characters", param=param)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadParameter("this is no URL", param=param) from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadParameter("the URL must begin with http:// or https://", param=param)
    if parts.username is not None or parts.password is not None:
        raise BadParameter("the URL must not hold a user's name or a password", param=param)
    if port not in (None, PORTS[parts.scheme]):
        raise BadParameter(f"the URL names port {port}; only 80 and 443 are fetched from", param=param)
    return parts


def _read(response: http.client.HTTPResponse, max_bytes: int, param: str) -> bytes:
    body = bytearray()
    while piece := response.read1(CHUNK_BYTES):
        body += piece
        if len(body) > max_bytes:
            raise PictureTooLarge(f"the URL leads to more than {max_bytes} bytes", param=param)
    if response.length:
        raise http.client.IncompleteRead(bytes(body), response.length)
    return bytes(body)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _first(addresses: list[IPAddress], port: int, deadline: float) -> socket.socket:
    """A connection to the first that takes one; each has its share of the time that is left."""
    waiting = list(addresses)
    while True:
        share_s = _left(deadline) / len(waiting)
        try:
            connected = socket.create_connection((str(waiting.pop(0)), port), timeout=share_s)
        except OSError:
            if not waiting:
                raise
        else:
            connected.settimeout(_left(deadline))
            return connected


def _by(deadline: float, ask: Callable[[], list[str]]) -> list[str]:
    """What `ask` returns or raises, or TimeoutError. No time limit can be given to a resolver."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except Exception as error:
            answers.put(error)

    # It ends by itself, later; nothing waits for it.
    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=_left(deadline))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextlib.contextmanager
def _ended_at(deadline: float, connected: socket.socket) -> Iterator[None]:
    """Cut the connection at `deadline`, so that no trickle of headers or bytes outlasts it."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_left(deadline), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
