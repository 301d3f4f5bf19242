"""A server that is told to stop: what is under way is answered, what is new is sent elsewhere."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from enlarger.models import ModelStore
from enlarger.server.supervisor import SAME_SIGNAL_S
from tests.conftest import MODELS
from tests.support.photos import crop, encoded
from tests.support.running import RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
PICTURE = encoded(crop("coffee", 320, 240), "JPEG")
AT_ONCE_S = 5.0
"""Far less than the drain time that these servers have."""


class Caller(threading.Thread):
    """Sends one job and keeps its answer, or that the connection was cut."""

    def __init__(self, server: RunningServer) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.status: int | None = None
        self.is_cut = False

    def run(self) -> None:
        try:
            with self.server.client() as client:
                self.status = client.post(PATH, files={"image": PICTURE}).status_code
        except httpx.TransportError:
            self.is_cut = True


@contextlib.contextmanager
def a_stuck_job(server: RunningServer) -> Iterator[Caller]:
    """A job that does not move on while the block runs: its process is stopped."""
    child = psutil.Process(server.pid_of("child"))
    child.suspend()
    caller = Caller(server)
    caller.start()
    try:
        wait_for(lambda: server.query("SELECT state FROM jobs") == [("running",)], 30, "the job runs")
        yield caller
    finally:
        with contextlib.suppress(psutil.Error):
            child.resume()


def test_what_is_under_way_is_answered_and_what_is_new_is_refused(
    store: ModelStore, tmp_path: Path
) -> None:
    with RunningServer.start(tmp_path, MODELS) as server:
        assert httpx.get(f"{server.url}/readyz").status_code == 200
        with a_stuck_job(server) as caller:
            server.process.send_signal(signal.SIGTERM)
            wait_for(
                lambda: httpx.get(f"{server.url}/readyz").status_code == 503,
                AT_ONCE_S,
                "not ready any more",
            )
            ready = httpx.get(f"{server.url}/readyz")
            assert ready.json() == {"server": "it is stopping"}
            assert ready.headers["retry-after"]
            assert httpx.get(f"{server.url}/healthz").status_code == 200
            with server.client() as client:
                refused = client.post(PATH, files={"image": encoded(crop("coffee", 40, 36))})
                assert client.get("/v1/user/balance").status_code == 200, "reading harms nobody"
            assert (refused.status_code, refused.json()["name"]) == (503, "service_unavailable")
            assert refused.headers["retry-after"]
            assert (caller.status, caller.is_cut) == (None, False), "it is still waited for"
        caller.join(60)
        assert (caller.status, caller.is_cut) == (200, False)
        assert server.process.wait(30) == 0
        assert server.query("SELECT state FROM jobs") == [("succeeded",)]
        assert "process.killed" not in server.log()


def test_a_job_that_takes_too_long_is_left_and_done_after_the_next_start(
    store: ModelStore, tmp_path: Path
) -> None:
    with RunningServer.start(tmp_path, MODELS, ENLARGER_DRAIN_TIMEOUT_S="1") as server:
        with a_stuck_job(server) as caller:
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) == 0
            assert time.monotonic() - started < 15
            caller.join(30)
            assert (caller.is_cut, caller.status) == (False, 503), "and is told to ask again"
        assert server.query("SELECT state, attempts FROM jobs") == [("running", 1)]
    with RunningServer.start(tmp_path, MODELS) as again:
        wait_for(
            lambda: again.query("SELECT state, attempts FROM jobs") == [("succeeded", 2)], 60, "it is done"
        )
        assert again.query("SELECT state FROM holds") == [("captured",)]


def test_a_second_signal_ends_at_once(store: ModelStore, tmp_path: Path) -> None:
    with RunningServer.start(tmp_path, MODELS, ENLARGER_DRAIN_TIMEOUT_S="60") as server:
        family = [psutil.Process(server.pid_of(role)) for role in ("api", "worker")]
        with a_stuck_job(server) as caller:
            server.process.send_signal(signal.SIGTERM)
            time.sleep(SAME_SIGNAL_S + 0.2)
            assert server.process.poll() is None
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(30)
            assert time.monotonic() - started < AT_ONCE_S
            caller.join(30)
            assert caller.is_cut
        _, alive = psutil.wait_procs(family, timeout=AT_ONCE_S)
        assert not alive
        assert server.query("SELECT state FROM jobs") == [("running",)]


def test_nobody_is_left_waiting_at_the_port_while_workers_end(store: ModelStore, tmp_path: Path) -> None:
    with RunningServer.start(tmp_path, MODELS, ENLARGER_DRAIN_TIMEOUT_S="20") as server:
        api, worker = server.pid_of("api"), server.pid_of("worker")
        os.kill(worker, signal.SIGSTOP)
        try:
            server.process.send_signal(signal.SIGTERM)
            wait_for(lambda: not psutil.pid_exists(api), AT_ONCE_S, "the API process is gone")
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{server.url}/readyz", timeout=2)
        finally:
            os.kill(worker, signal.SIGCONT)
        assert server.process.wait(30) == 0


def test_a_supervisor_that_was_killed_leaves_the_port_to_its_successor(
    store: ModelStore, tmp_path: Path
) -> None:
    with RunningServer.start(tmp_path, MODELS) as server:
        with a_stuck_job(server) as caller:
            server.process.kill()
            server.process.wait(30)
            port = int(server.url.rsplit(":", 1)[1])

            def is_free() -> bool:
                with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                    return True
                return False

            wait_for(is_free, AT_ONCE_S, "the port is free")
            assert (caller.status, caller.is_cut) == (None, False), "and the request is still waited for"
        caller.join(60)
        assert (caller.status, caller.is_cut) == (200, False)
