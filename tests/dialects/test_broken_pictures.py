"""Every door refuses what is no picture in words, at once, and nobody behind it is harmed."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import httpx
import pytest

from tests.support.broken import BROKEN
from tests.support.running import RunningServer, wait_for

LIMIT_S = 2.0
TRIES = 3
"""Of which one must keep the limit: other tests have the processors too."""
UNDER_WAY = "SELECT id FROM jobs WHERE state IN ('queued', 'running')"


def stability(route: str) -> Callable[[httpx.Client, str, bytes], httpx.Response]:
    """A form with a prompt, which `fast` ignores."""

    def send(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
        files = {"image": (name, content, "image/png")}
        return client.post(f"/v2beta/stable-image/upscale/{route}", files=files, data={"prompt": "a cup"})

    return send


def own(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """Our own form."""
    return client.post("/enlarger/v1/jobs", files={"image": (name, content, "image/png")})


def omixa(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """A data URL that lies about the type."""
    url = "data:image/png;base64," + base64.b64encode(content).decode()
    picture = {"type": "image_url", "image_url": {"url": url}}
    body = {"model": "enlarger-fast", "input_images": [picture]}
    return client.post("/api/v1/images/generations", json=body)


def onemin(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """An upload, and what can be done with it if it is taken."""
    uploaded = client.post("/api/assets", files={"asset": (name, content, "image/png")})
    if uploaded.status_code != 200:
        return uploaded
    prompt = {"imageUrl": uploaded.json()["fileContent"]["path"]}
    body = {"type": "IMAGE_UPSCALER", "model": "stable-image", "promptObject": prompt}
    return client.post("/api/features", json=body)


def scenario(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """An upload in base64, and what can be done with it if it is taken."""
    encoded = base64.b64encode(content).decode()
    uploaded = client.post("/v1/assets", json={"name": name, "image": encoded})
    if uploaded.status_code != 200:
        return uploaded
    body = {"image": uploaded.json()["asset"]["id"]}
    return client.post("/v1/generate/custom/model_upscale-v3", json=body)


DOORS = {
    "stability fast": stability("fast"),
    "stability conservative": stability("conservative"),
    "stability creative": stability("creative"),
    "omixa": omixa,
    "onemin": onemin,
    "scenario": scenario,
    "own": own,
}
SYNCHRONOUS = ("stability fast", "stability conservative", "omixa", "onemin")
"""Doors whose answer is the result, or why there is none."""


@pytest.mark.parametrize("door", DOORS)
def test_broken_files_are_refused_in_time_and_the_worker_lives(server: RunningServer, door: str) -> None:
    worker, child = server.pid_of("worker"), server.pid_of("child")
    before = time.time_ns() // 1_000_000
    with server.client() as client:
        for name, content in BROKEN.items():
            took_s = []
            while not took_s or (took_s[-1] >= LIMIT_S and len(took_s) < TRIES):
                started = time.monotonic()
                response = DOORS[door](client, name, content)
                took_s.append(time.monotonic() - started)
                assert response.status_code < 500, (name, response.text)
                assert response.json(), name
                if door in SYNCHRONOUS:
                    assert response.status_code in (400, 413, 422), (name, response.text)
            assert min(took_s) < LIMIT_S, name
    wait_for(lambda: not server.query(UNDER_WAY), 30, "every job that was accepted ends")
    ended = server.query(f"SELECT state, error_code FROM jobs WHERE created_ms > {before}")
    # What only the decoder sees is found once the work begins; whoever does not wait reads it there.
    assert set(ended) <= {("failed", "unsupported_picture")}
    assert (server.pid_of("worker"), server.pid_of("child")) == (worker, child)
