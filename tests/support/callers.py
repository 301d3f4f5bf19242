"""Programs that retry: each sends one request with an idempotency key until it has its answer."""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import httpx

from tests.support.photos import encoded, photo
from tests.support.running import SECRET

PATH = "/v2beta/stable-image/upscale/fast"
PATIENCE_S = 120.0
PAUSE_S = 0.2
PAUSE_MAX_S = 0.5
"""Servers ask for seconds; a test has less."""
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What httpx would make for every client, which takes longer than a request: it reads all certificates."""
PIECES = 6
"""Of a body that is sent slowly."""
AGAIN = (409, 429, 503, 507)
OF_ONE_TRANSMISSION = ("content-length", "date", "idempotent-replayed", "x-request-id")


class Caller(threading.Thread):
    """Sends its request again whenever the connection broke or the server said to try again later."""

    def __init__(
        self, url: str, picture: bytes, key: str, secret: str = SECRET, *, is_slow: bool = False
    ) -> None:
        """
        is_slow  sends the body in pieces with pauses between them.
        """
        super().__init__(name=f"caller {key}", daemon=True)
        self._url = url
        self._picture = picture
        self._secret = secret
        self._is_slow = is_slow
        self.key = key
        self.answer: httpx.Response | None = None
        self.troubles: Counter[str] = Counter()
        """What went wrong on the way, and how often."""

    def run(self) -> None:
        """Until there is an answer that is the job's; `answer` stays None after PATIENCE_S."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                response = self.post()
            except httpx.TransportError as error:
                self.troubles[type(error).__name__] += 1
                time.sleep(PAUSE_S)
                continue
            is_kept = "idempotent-replayed" in response.headers
            if response.status_code in AGAIN and "retry-after" in response.headers and not is_kept:
                self.troubles[str(response.status_code)] += 1
                time.sleep(min(PAUSE_MAX_S, float(response.headers["retry-after"])))
                continue
            self.answer = response
            return

    def post(self) -> httpx.Response:
        """The request, once."""
        headers = {"authorization": f"Bearer {self._secret}", "idempotency-key": self.key}
        with httpx.Client(base_url=self._url, headers=headers, timeout=PATIENCE_S, verify=NO_TLS) as client:
            request = client.build_request("POST", PATH, files={"image": self._picture})
            if self._is_slow:
                body = request.read()
                request = client.build_request("POST", PATH, content=_pieces(body), headers=request.headers)
            return client.send(request)

    def complaint(self) -> str | None:
        """What is wrong with a second answer to the same request, if anything is."""
        if self.answer is None:
            return f"{self.key}: no answer; {dict(self.troubles)}"
        if is_same(again := self.post(), self.answer):
            return None
        return f"{self.key}: answered {said(self.answer)} and then {said(again)}; {dict(self.troubles)}"


def start(callers: Iterable[Caller]) -> list[Caller]:
    """Start them all."""
    started = list(callers)
    for caller in started:
        caller.start()
    return started


def join(callers: Sequence[Caller]) -> None:
    """Wait until each has its answer or has given up."""
    for caller in callers:
        if caller.ident is None:
            continue  # it was run in a thread of the test's
        caller.join(PATIENCE_S + 10)


def picture(order: random.Random, side_px: int = 40) -> bytes:
    """A piece of a photograph; noise would be no picture to the receipt."""
    pixels = photo(order.choice(("coffee", "astronaut", "chelsea")))
    top, left = (order.randrange(size - side_px) for size in pixels.shape[:2])
    return encoded(pixels[top : top + side_px, left : left + side_px])


def _pieces(body: bytes) -> Iterator[bytes]:
    size = -(-len(body) // PIECES)
    for start in range(0, len(body), size):
        yield body[start : start + size]
        time.sleep(PAUSE_S)


def said(response: httpx.Response) -> str:
    """An answer in a line."""
    text = response.text[:200] if response.status_code != 200 else f"{len(response.content)} bytes"
    return f"{response.status_code} {text}"


def is_same(one: httpx.Response, other: httpx.Response) -> bool:
    """Whether two transmissions are of the same answer, byte for byte."""
    kept = [
        {name: value for name, value in response.headers.items() if name not in OF_ONE_TRANSMISSION}
        for response in (one, other)
    ]
    return (one.status_code, one.content) == (other.status_code, other.content) and kept[0] == kept[1]
