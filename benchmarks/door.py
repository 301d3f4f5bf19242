"""What the server costs: one caller's request over HTTP against the same work bare.

A real server, started as a user starts it, and a process that only decodes, upscales and encodes the
same bytes. They take turns, and whichever does not have the turn is idle. What the request takes
beyond the engine is split by the job's own row: until the work begins, around the work, after it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.subjects import SETTLE_S, Subject
from benchmarks.workplace import MODELS, fetched
from enlarger.engine.engine import NETWORKS
from enlarger.imaging import probe
from enlarger.request import Mode
from tests.support.photos import encoded, photo
from tests.support.running import RunningServer

ROUTE = "/v2beta/stable-image/upscale/fast"
REQUESTS = 20
WARM_UP = 2
"""Requests before those that count: connections and pools are made."""
JOBS = (
    "SELECT created_ms, started_ms, finished_ms, engine_ms + encode_ms FROM jobs WHERE door = '{}'"
    " ORDER BY created_ms"
)


@dataclass(frozen=True)
class Door:
    """Medians over the requests, in seconds."""

    request_s: float
    bare_s: float
    ratio: float
    """`request_s` over `bare_s`."""
    overhead_s: float
    """The request less what its job says engine (decoding included) and encoder took."""
    queued_s: float
    """From the job's acceptance to its start."""
    handled_s: float
    """From start to finish, less engine and encoder."""
    delivered_s: float
    """The rest of the request: reading it, noticing the job's end, sending the result."""
    by_link_s: float
    """`overhead_s` by 1min.ai's door, whose answer is a link to the result."""


def measure_door() -> Door:
    """Start both, run them in turn, stop both."""
    fetched(NETWORKS[Mode.FAST][0])
    source = encoded(photo("astronaut"))
    requests, by_link, bare = [], [], []
    with TemporaryDirectory() as name:
        folder = Path(name)
        data_dir = folder / "data"
        data_dir.mkdir()
        (folder / "astronaut.png").write_bytes(source)
        with (
            RunningServer.start(data_dir, MODELS) as server,
            server.client() as client,
            Subject("pipeline", folder / "astronaut.png") as pipeline,
        ):
            asset = client.post("/api/assets", files={"asset": ("astronaut.png", source)}).json()
            key = asset["fileContent"]["path"]
            for _ in range(WARM_UP):
                post(client, source)
                feature(client, key)
            for _ in range(REQUESTS):
                requests.append(post(client, source))
                by_link.append(feature(client, key))
                bare.append(pipeline.run()["whole_s"])
            jobs = server.query(JOBS.format("stability"))[-REQUESTS:]
            linked = server.query(JOBS.format("onemin"))[-REQUESTS:]
    request_s, bare_s = statistics.median(requests), statistics.median(bare)
    # One caller at a time, so the jobs' order is the requests'.
    splits = [
        (request - worked / 1000, (started - created) / 1000, (finished - started - worked) / 1000)
        for request, (created, started, finished, worked) in zip(requests, jobs, strict=True)
    ]
    overhead, queued, handled = (statistics.median(values) for values in zip(*splits, strict=True))
    delivered = statistics.median(whole - before - around for whole, before, around in splits)
    by_link_s = statistics.median(
        request - worked / 1000 for request, (*_, worked) in zip(by_link, linked, strict=True)
    )
    return Door(request_s, bare_s, request_s / bare_s, overhead, queued, handled, delivered, by_link_s)


def feature(client: httpx.Client, key: str) -> float:
    """Seconds from naming an uploaded picture to having a link to the whole result."""
    time.sleep(SETTLE_S)
    body = {"type": "IMAGE_UPSCALER", "model": "stable-image", "promptObject": {"imageUrl": key}}
    started = time.perf_counter()
    response = client.post("/api/features", json=body)
    seconds = time.perf_counter() - started
    response.raise_for_status()
    assert response.json()["aiRecord"]["temporaryUrl"]
    return seconds


def post(client: httpx.Client, picture: bytes) -> float:
    """Seconds from sending the picture to having the whole result."""
    time.sleep(SETTLE_S)
    started = time.perf_counter()
    response = client.post(ROUTE, files={"image": ("astronaut.png", picture, "image/png")})
    seconds = time.perf_counter() - started
    response.raise_for_status()
    header = probe(response.content)
    assert (header.width, header.height) == (2048, 2048)
    return seconds
