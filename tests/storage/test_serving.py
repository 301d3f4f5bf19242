"""The whole server with its pictures in a bucket, and without the bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from moto.server import ThreadedMotoServer

from enlarger.storage import open_store
from tests.conftest import MODELS
from tests.support.photos import crop, encoded
from tests.support.running import RunningServer

PATH = "/v2beta/stable-image/upscale/fast"


def test_a_server_works_from_a_bucket_and_says_so_when_it_is_gone(
    tmp_path: Path, point_at: Callable[[str], None]
) -> None:
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    picture = {"image": encoded(crop("coffee", 64, 48))}
    try:
        host, port = s3.get_host_and_port()
        point_at(f"http://{host}:{port}")
        httpx.put(f"http://{host}:{port}/pictures").raise_for_status()
        url = "s3://pictures/of/this/test"
        with RunningServer.start(tmp_path, MODELS, ENLARGER_OBJECT_STORE_URL=url) as server:
            with server.client() as client:
                result = client.post(PATH, files=picture)
                assert result.status_code == 200
                store = open_store(url)
                kinds = sorted(info.key.split("/")[2] for info in store.list("ws"))
                assert kinds == ["inputs", "results"]
                [key] = [info.key for info in store.list("ws") if "/results/" in info.key]
                assert httpx.get(store.signed_url(key, expires_in_s=60)).content == result.content
                assert not (tmp_path / "objects").exists()

                s3.stop()
                refused = client.post(PATH, files=picture)
                ready = client.get("/readyz")
            assert refused.status_code == 503
            assert refused.json()["name"] == "service_unavailable"
            assert (ready.status_code, ready.json()["objects"]) == (503, "cannot be reached")
    finally:
        s3.stop()
