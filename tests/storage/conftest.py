"""Both kinds of store, real: a folder, and a bucket of moto's S3 server."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from moto.server import ThreadedMotoServer

from enlarger.storage import Links, ObjectStore, open_store

NUMBERS = itertools.count()
# A line a request, thousands of them before the message of a test that failed.
logging.getLogger("werkzeug").setLevel(logging.WARNING)
NOW_S = 1_800_000_000


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """The endpoint of an S3 server with the bucket `pictures`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        httpx.put(f"http://{host}:{port}/pictures").raise_for_status()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def point_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set the AWS_* variables as somebody with an S3 server at that URL would."""

    def point(url: str) -> None:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-a-test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-test")
        monkeypatch.setenv("AWS_REGION", "eu-central-1")

    return point


@pytest.fixture
def links(tmp_path: Path) -> Links:
    """Whose clock stands still."""
    return Links(tmp_path / "link-keys", clock=lambda: NOW_S)


@pytest.fixture
def folder(tmp_path: Path, links: Links) -> ObjectStore:
    return open_store((tmp_path / "with space").as_uri(), links)


@pytest.fixture
def bucket(s3_url: str, point_at: Callable[[str], None]) -> ObjectStore:
    point_at(s3_url)
    return open_store(f"s3://pictures/with%20space/{next(NUMBERS)}")


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """Each kind in its turn."""
    kind: ObjectStore = request.getfixturevalue(request.param)
    return kind
