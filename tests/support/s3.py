"""An S3 server, moto's, that fails and hangs when it is told to."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUCKET = "pictures"
HANG_S = 60.0


class S3:
    """What it does with each request: `well`, or one of a share of them is answered 503 or hangs."""

    def __init__(self, order: random.Random) -> None:
        """
        order  decides which requests it fails.
        """
        self._order = order
        self._app = DomainDispatcherApplication(create_backend_app)
        self._way = "well"
        self._share = 0.0
        self._healed = threading.Event()
        self.failed = 0
        """How many requests it has failed."""
        self.url = ""

    @classmethod
    @contextlib.contextmanager
    def start(cls, order: random.Random) -> Iterator[S3]:
        """Start it with one bucket."""
        # A line a request otherwise.
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        s3 = cls(order)
        server = make_server("127.0.0.1", 0, s3, threaded=True)
        s3.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            httpx.put(f"{s3.url}/{BUCKET}").raise_for_status()
            yield s3
        finally:
            s3.heal()
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def variables(self) -> dict[str, str]:
        """What a process sees of it in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "of-a-test",
            "AWS_SECRET_ACCESS_KEY": "of-a-test",
            "AWS_REGION": "eu-central-1",
        }

    def fail(self, way: str, share: float) -> None:
        """From now on that share of the requests is answered `503`, or `hang`s until it is healed."""
        self._healed.clear()
        self._way, self._share = way, share

    def heal(self) -> None:
        """Answer everything again; what hangs is cut off."""
        self._way, self._share = "well", 0.0
        self._healed.set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self._way != "well" and self._order.random() < self._share:
            self.failed += 1
            if self._way == "hang":
                self._healed.wait(HANG_S)
            start_response("503 Slow Down", [("content-length", "0")])
            return [b""]
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer
