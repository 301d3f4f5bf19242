"""The limits over HTTP: who is refused, in whose words, before what, and that nobody else is."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from starlette.requests import Request
from starlette.types import Message

from enlarger.dialects.stability import render_error
from enlarger.errors import RateLimited, SlowBody
from enlarger.limits.limiter import describe
from enlarger.limits.rule import Rule
from enlarger.models import ModelStore
from enlarger.server.gate import paced
from tests.conftest import MODELS
from tests.support.desk import Desk
from tests.support.house import House
from tests.support.omixa import data_url
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
CREATIVE = "/v2beta/stable-image/upscale/creative"
BALANCE = "/v1/user/balance"
SMALL = encoded(crop("coffee", 48, 40))
SQUARE = encoded(crop("coffee", 64, 64))
MEBIBYTE = 2**20
MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


@pytest.fixture(scope="module")
def strict(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server behind a proxy, so that a test says from which address it comes."""
    variables = {
        # The vendor's count; in a minute, so that no machine is too slow to exceed it.
        "ENLARGER_RATE_LIMIT": "150/60s",
        "ENLARGER_ADDRESS_RATE_LIMIT": "20/5m",
        "ENLARGER_TRUSTED_PROXIES": "127.0.0.1",
        "ENLARGER_MAX_BODY_BYTES_IN_FLIGHT": str(12 * MEBIBYTE),
    }
    with RunningServer.start(tmp_path_factory.mktemp("strict"), MODELS, **variables) as running:
        yield running


def coming_from(address: str, **headers: str) -> dict[str, str]:
    return {"x-forwarded-for": address, **headers}


def make_key(server: RunningServer) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "enlarger", "keys", "create"],
        env={**os.environ, "ENLARGER_DATA_DIR": str(server.data_dir)},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout.strip()


def test_request_151_of_a_key_is_refused_and_other_keys_are_not(strict: RunningServer) -> None:
    mine, other = (f"Bearer {make_key(strict)}" for _ in range(2))
    with strict.client() as client:
        for number in range(150):
            # Nobody's limit but the key's: from ten addresses.
            headers = coming_from(f"192.0.2.{number % 10}", authorization=mine)
            assert client.get(BALANCE, headers=headers).status_code == 200
        refused = client.post(
            PATH, files={"image": SMALL}, headers=coming_from("198.51.100.1", authorization=mine)
        )
        v1 = client.get(BALANCE, headers=coming_from("198.51.100.1", authorization=mine))
        others = client.get(BALANCE, headers=coming_from("198.51.100.1", authorization=other))
    text = (
        "You have exceeded the rate limit of 150 requests within a 60 second period,"
        " and have been timed out for 60 seconds."
    )
    assert refused.status_code == 429
    assert refused.json() == {
        "id": "rate_limit_exceeded",
        "name": "rate_limit_exceeded",
        "errors": [text],
        "message": text,
    }
    assert 50 <= int(refused.headers["retry-after"]) <= 60
    assert v1.status_code == 429
    assert v1.json() == {"id": "rate_limit_exceeded", "name": "rate_limit_exceeded", "message": text}
    assert others.status_code == 200


def test_looking_after_jobs_shuts_nobody_out_and_is_served_to_who_is(desk: Desk, tmp_path: Path) -> None:
    """A key with many generations asks for each once a second; what is new is counted to the last one."""
    with House.open(desk, tmp_path / "counting", rate_limit="4/1h") as house:
        key = house.key()
        files, data = {"image": SQUARE}, {"prompt": "a cup"}
        creative = house.http.post(CREATIVE, headers=key, files=files, data=data).json()["id"]
        body = {"image": data_url(SQUARE), "scalingFactor": 2}
        scenario = house.http.post("/v1/generate/upscale", headers=key, json=body).json()["job"]["jobId"]
        own = house.post(key).json()["id"]
        house.finish(own)
        polls = {
            f"/v2beta/results/{creative}": 202,
            f"{CREATIVE}/result/{creative}": 202,
            f"/v1/jobs/{scenario}": 200,
            f"/enlarger/v1/jobs/{own}": 200,
            f"/enlarger/v1/jobs/{own}/result": 200,
        }

        def assert_polls() -> None:
            for path, status in polls.items():
                for _ in range(2):
                    assert house.http.get(path, headers=key).status_code == status, path

        assert_polls()
        counted = (BALANCE, "/v1/jobs", "/enlarger/v1/jobs", f"/enlarger/v1/jobs/{own}/cancel")
        assert house.http.get(BALANCE, headers=key).status_code == 200
        for path in counted:
            method = "POST" if path.endswith("cancel") else "GET"
            assert house.http.request(method, path, headers=key).status_code == 429, path
        assert_polls()
        stranger = {"authorization": "Bearer nobody's"}
        assert [house.http.get(path, headers=stranger).status_code for path in polls] == [401] * 5


def test_polls_count_for_the_address(desk: Desk, tmp_path: Path) -> None:
    with House.open(desk, tmp_path / "counting", address_rate_limit="2/1h") as house:
        paths = ["/v2beta/results/x"] * 3
        assert [house.http.get(path, headers=house.key()).status_code for path in paths] == [404, 404, 429]


def test_an_address_is_refused_before_its_key_is_looked_at(strict: RunningServer) -> None:
    busy = coming_from("2001:db8::1", authorization="nobody's")
    neighbour = coming_from("2001:db8::2", authorization="nobody's")
    elsewhere = coming_from("2001:db8:0:1::1", authorization="nobody's")
    with strict.client() as client:
        assert [client.get(BALANCE, headers=busy).status_code for _ in range(20)] == [401] * 20
        key = client.get(BALANCE, headers=coming_from("2001:db8::1"))
        answers = {
            path: client.request(method, path, headers=neighbour, content=bytes(size))
            for method, path, size in (
                ("POST", PATH, 3 * MEBIBYTE),
                ("GET", f"/stability{PATH}", 0),
                ("GET", "/stability/v1/user/balance", 0),
                ("GET", "/nobody/was/here", 0),
            )
        }
        assert client.get(BALANCE, headers=elsewhere).status_code == 401
        probes = [
            client.get(path, headers=busy).status_code for path in ("/healthz", "/readyz", "/metrics")
        ]
    assert probes == [200, 200, 404]
    assert key.status_code == 429
    for response in answers.values():
        assert response.status_code == 429
        assert 60 <= int(response.headers["retry-after"]) <= 300
        assert len(response.headers["x-request-id"]) == 32
    v2beta, prefixed, v1, ours = (response.json() for response in answers.values())
    assert v2beta.keys() == prefixed.keys() == {"id", "name", "errors", "message"}
    assert v1.keys() == {"id", "name", "message"}
    assert ours["error"]["code"] == "rate_limited"
    assert ours["error"]["type"] == "access"


def test_nobody_chooses_the_address_that_is_counted(store: ModelStore, tmp_path: Path) -> None:
    with RunningServer.start(tmp_path, MODELS, ENLARGER_ADDRESS_RATE_LIMIT="3/5m") as server:
        with server.client() as client:
            claimed = [coming_from(f"192.0.2.{number}") for number in range(4)]
            statuses = [client.get(BALANCE, headers=headers).status_code for headers in claimed]
        assert statuses == [200, 200, 200, 429]
        # The count outlives the process that counted.
        api = server.pid_of("api")
        os.kill(api, signal.SIGKILL)
        wait_for(lambda: not psutil.pid_exists(api), 10, "the process is gone")
        with server.client() as client:
            assert client.get(BALANCE).status_code == 429


def test_the_vendors_sentence_with_the_vendors_numbers() -> None:
    request = Request({"type": "http", "path": PATH, "headers": []})
    error = RateLimited(describe(Rule(150, 10, 60), 60), retry_after_s=60)
    response = render_error(request, error)
    assert response.headers["retry-after"] == "60"
    sentence = (
        b"You have exceeded the rate limit of 150 requests within a 10 second period,"
        b" and have been timed out for 60 seconds."
    )
    assert sentence in response.body


def test_bodies_wait_for_room_and_are_sent_away_in_time(strict: RunningServer) -> None:
    host, port = strict.url.removeprefix("http://").split(":")
    large = {"image": ("a.png", SMALL + bytes(3 * MEBIBYTE))}
    headers = coming_from("203.0.113.1")
    with strict.client() as client:
        with socket.create_connection((host, int(port)), timeout=10) as holder:
            holder.sendall(
                f"POST {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: {SECRET}\r\n"
                f"x-forwarded-for: 203.0.113.2\r\ncontent-length: {10 * MEBIBYTE}\r\n"
                "content-type: multipart/form-data; boundary=b\r\n\r\n--b\r\n".encode()
            )
            time.sleep(0.5)
            started = time.monotonic()
            refused = client.post(PATH, files=large, headers=headers)
            waited_s = time.monotonic() - started
            fits = client.post(PATH, files={"image": SMALL}, headers=headers)
        wait_for(lambda: "stability.hang_up" in strict.log(), 10, "the hang-up is seen")
        again = client.post(PATH, files=large, headers=headers)
    assert refused.status_code == 503
    assert refused.json()["name"] == "service_unavailable"
    assert refused.headers["retry-after"] == "5"
    assert 9 < waited_s < 20
    assert (fits.status_code, again.status_code) == (200, 200)


def test_a_body_of_unknown_length_is_taken_too(strict: RunningServer) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="image"; filename="image"\r\n\r\n'
        yield SMALL
        yield b"\r\n--b--\r\n"

    with strict.client() as client:
        response = client.post(PATH, content=chunks(), headers=coming_from("203.0.113.3", **MULTIPART))
    assert response.status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "GZIP"])
def test_a_compressed_body_is_refused_in_the_vendors_shape(server: RunningServer, encoding: str) -> None:
    headers = {"content-encoding": encoding}
    with server.client() as client:
        response = client.post(PATH, files={"image": SMALL}, headers=headers)
        ours = client.post("/nobody/was/here", content=b"x", headers=headers)
    assert response.status_code == 400
    assert response.json()["message"].startswith("content-encoding: ")
    assert ours.status_code == 415
    assert ours.json()["error"]["code"] == "encoded_body"


def test_a_body_that_says_it_is_not_compressed_is_taken(server: RunningServer) -> None:
    with server.client() as client:
        response = client.post(PATH, files={"image": SMALL}, headers={"content-encoding": "identity"})
    assert response.status_code == 200


class Upload:
    """A body in pieces, each after a silence."""

    def __init__(self, pieces: list[tuple[float, int]]) -> None:
        self.pieces = pieces

    async def receive(self) -> Message:
        if not self.pieces:
            return {"type": "http.disconnect"}
        silence_s, size = self.pieces.pop(0)
        await asyncio.sleep(silence_s)
        return {"type": "http.request", "body": bytes(size), "more_body": bool(self.pieces)}


async def read(pieces: list[tuple[float, int]], *, idle_s: float, pace_bytes_s: float) -> int:
    receive = paced(Upload(pieces).receive, idle_s=idle_s, pace_bytes_s=pace_bytes_s)
    received = 0
    while True:
        message = await receive()
        received += len(message.get("body", b""))
        if not message.get("more_body"):
            await receive()
            return received


def test_a_body_at_a_good_pace_takes_as_long_as_it_needs() -> None:
    pieces = [(0.03, 1000)] * 10
    assert asyncio.run(read(pieces, idle_s=0.2, pace_bytes_s=20_000)) == 10_000


@pytest.mark.parametrize("pieces", [[(5.0, 1000)], [(0.02, 1)] * 500], ids=["silent", "trickling"])
def test_a_body_that_comes_too_slowly_is_given_up(pieces: list[tuple[float, int]]) -> None:
    started = time.monotonic()
    with pytest.raises(SlowBody):
        asyncio.run(read(pieces, idle_s=0.2, pace_bytes_s=20_000))
    assert time.monotonic() - started < 3


def test_waiting_for_a_hang_up_has_no_end() -> None:
    async def listen() -> Message:
        receive = paced(Upload([(0, 1), (0.3, 0)]).receive, idle_s=10, pace_bytes_s=1)
        await receive()
        return await receive()

    assert asyncio.run(listen())["type"] == "http.request"
