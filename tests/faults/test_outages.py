"""What a server does when a part of it is gone, and how it starts and stops."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from enlarger.database import connect
from enlarger.database.connection import BUSY_TIMEOUT_MS
from enlarger.jobs.durable import make_client
from enlarger.models import ModelStore
from enlarger.settings import Settings
from enlarger.worker.process import BEATS_A_LEASE
from tests.conftest import MODELS
from tests.support.photos import encoded, scaled
from tests.support.running import RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
RECOVERY_S = 60.0
LONG = encoded(scaled("coffee", 1200, 870), "JPEG")
"""Six tiles: seconds of work, so that a kill can hit it."""


@pytest.fixture(scope="module")
def fragile(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that these tests may break."""
    with RunningServer.start(tmp_path_factory.mktemp("fragile"), MODELS) as running:
        yield running


class Client(threading.Thread):
    """Posts one picture, and again whenever the connection broke, as a program with retries does."""

    def __init__(self, server: RunningServer) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.broken = 0
        self.response: httpx.Response | None = None

    def run(self) -> None:
        deadline = time.monotonic() + RECOVERY_S
        while time.monotonic() < deadline:
            try:
                with self.server.client() as client:
                    self.response = client.post(PATH, files={"image": LONG})
                return
            except httpx.TransportError:
                self.broken += 1
                time.sleep(0.1)


def jobs(server: RunningServer) -> list[tuple[str, str, int]]:
    return server.query("SELECT id, state, attempts FROM jobs ORDER BY created_ms")


def wait_until_a_job_is_worked_on(server: RunningServer) -> str:
    """Return the id of the job that the inference child computes at this moment."""

    def running() -> list[tuple[str, str, int]]:
        return [job for job in jobs(server) if job[1] == "running"]

    wait_for(running, 30, "a job runs")
    child = psutil.Process(server.pid_of("child"))
    wait_for(lambda: child.cpu_percent(0.05) > 50, 30, "the child computes")
    [(job_id, _, _)] = running()
    return job_id


def assert_nothing_lost_or_doubled(server: RunningServer) -> None:
    """Every accepted job has ended well, with exactly one object of its own in the store."""
    wait_for(
        lambda: all(state == "succeeded" for _, state, _ in jobs(server)), RECOVERY_S, "all jobs ended"
    )
    accepted = {job_id for job_id, _, _ in jobs(server)}
    results = [path.stem.rpartition("-")[0] for path in server.data_dir.glob("objects/ws/*/results/*")]
    assert sorted(results) == sorted(accepted)
    inputs = [path.name for path in server.data_dir.glob("objects/ws/*/inputs/*")]
    assert sorted(inputs) == sorted(accepted)
    assert server.query("SELECT COUNT(*) FROM workflow_status WHERE status != 'SUCCESS'") == [(0,)]


def test_a_fault_of_ours_is_a_500_in_the_vendors_shape(fragile: RunningServer) -> None:
    def change(statement: str) -> None:
        with contextlib.closing(sqlite3.connect(fragile.data_dir / "enlarger.db", timeout=30)) as database:
            database.execute(statement)

    change("ALTER TABLE jobs RENAME TO aside")
    try:
        with fragile.client() as client:
            response = client.post(PATH, files={"image": LONG})
    finally:
        change("ALTER TABLE aside RENAME TO jobs")
    assert response.status_code == 500
    body = response.json()
    assert body.keys() == {"id", "name", "errors", "message"}
    assert body["name"] == "internal_error"
    assert "aside" not in response.text
    with fragile.client() as client:
        assert client.post(PATH, files={"image": LONG}).status_code == 200


def test_a_store_that_is_gone_is_a_503_in_the_vendors_shape(fragile: RunningServer) -> None:
    objects = fragile.data_dir / "objects"
    aside = objects.rename(fragile.data_dir / "aside")
    objects.write_text("a file where the folder should be")
    try:
        with fragile.client() as client:
            response = client.post(PATH, files={"image": LONG})
            ready = client.get("/readyz")
    finally:
        objects.unlink()
        aside.rename(objects)
    assert response.status_code == 503
    body = response.json()
    assert body.keys() == {"id", "name", "errors", "message"}
    assert body["name"] == "service_unavailable"
    assert str(fragile.data_dir) not in response.text
    assert (ready.status_code, ready.json()["objects"]) == (503, "cannot be reached")
    with fragile.client() as client:
        assert client.post(PATH, files={"image": LONG}).status_code == 200


def test_a_graceful_stop_answers_what_it_has_accepted(store: ModelStore, tmp_path: Path) -> None:
    with RunningServer.start(tmp_path, MODELS) as server:
        client = Client(server)
        client.start()
        wait_until_a_job_is_worked_on(server)
        for _ in range(2):  # as `make` passes on what its whole group was sent
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        client.join(RECOVERY_S)
        assert client.response is not None
        assert (client.response.status_code, client.broken) == (200, 0)
        assert server.process.wait(30) == 0
        assert "server.stopped" in server.log()


def test_a_job_that_was_cancelled_from_outside_ends_and_says_so(fragile: RunningServer) -> None:
    """Its body never runs again, so nothing but the reconciler can end it."""
    first, second = Client(fragile), Client(fragile)
    first.start()
    wait_until_a_job_is_worked_on(fragile)
    second.start()
    queued = "SELECT id FROM jobs WHERE state = 'queued'"
    wait_for(lambda: fragile.query(queued), 10, "a second job waits")
    [(job_id,)] = fragile.query(queued)
    engine = connect(f"sqlite:///{fragile.data_dir / 'enlarger.db'}", pool_size=2)
    client = make_client(engine)
    client.cancel_workflow(job_id)
    client.destroy()
    engine.dispose()
    for thread in (first, second):
        thread.join(RECOVERY_S)
    assert first.response is not None
    assert second.response is not None
    assert (first.response.status_code, second.response.status_code) == (200, 500)
    assert fragile.query(f"SELECT state FROM jobs WHERE id = '{job_id}'") == [("failed",)]


@pytest.mark.usefixtures("whole_only")
def test_a_job_outlasts_a_database_that_cannot_be_written_for_a_while(fragile: RunningServer) -> None:
    """Longer than a writer waits, so that the worker's heartbeat fails while its job goes on."""
    client = Client(fragile)
    client.start()
    job_id = wait_until_a_job_is_worked_on(fragile)
    child = fragile.pid_of("child")
    os.kill(child, signal.SIGSTOP)
    with contextlib.closing(sqlite3.connect(fragile.data_dir / "enlarger.db")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(BUSY_TIMEOUT_MS / 1000 + Settings().lease_s / BEATS_A_LEASE + 2)
        holder.rollback()
    os.kill(child, signal.SIGCONT)
    client.join(RECOVERY_S)
    assert client.response is not None
    assert client.response.status_code == 200
    assert "worker.heartbeat_failed" in fragile.log()
    assert {job[0]: job[2] for job in jobs(fragile)}[job_id] == 1
    wait_for(lambda: httpx.get(f"{fragile.url}/readyz").status_code == 200, RECOVERY_S, "ready again")


def test_a_worker_that_cannot_start_ends_and_says_why(store: ModelStore, tmp_path: Path) -> None:
    with RunningServer.start(tmp_path, MODELS) as server:
        data_dir = server.data_dir
    for lock in (data_dir / "slots").iterdir():
        lock.unlink()
    (data_dir / "slots").rmdir()
    (data_dir / "slots").write_text("a file where the folder should be")
    environment = {**os.environ, "ENLARGER_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", "enlarger", "worker"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert "FileExistsError" in run.stderr


def test_one_data_folder_has_one_server(fragile: RunningServer) -> None:
    command = [
        sys.executable,
        "-m",
        "enlarger",
        "serve",
        "--port",
        "0",
        "--data-dir",
        str(fragile.data_dir),
    ]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode != 0
    assert "another server already uses" in second.stderr
