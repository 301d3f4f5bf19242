"""The server under its own limits, with several callers, and on its first start."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from enlarger.models import ModelStore
from tests.conftest import MODELS
from tests.support.photos import crop, encoded, scaled
from tests.support.running import SECRET, RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"


def test_many_callers_at_once_all_get_their_own_picture(server: RunningServer) -> None:
    sizes = [(40 + 4 * number, 36) for number in range(16)]

    def ask(size: tuple[int, int]) -> tuple[int, int, int]:
        with server.client() as client:
            response = client.post(PATH, files={"image": encoded(crop("coffee", *size))})
        width, height = (int.from_bytes(response.content[at : at + 4]) for at in (16, 20))
        return response.status_code, width, height

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, sizes))
    assert answers == [(200, 4 * width, 4 * height) for width, height in sizes]


def test_the_job_goes_on_when_the_caller_hangs_up(server: RunningServer) -> None:
    before = server.query("SELECT COUNT(*) FROM jobs")[0][0]
    picture = encoded(scaled("coffee", 800, 600), "JPEG")
    with server.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post(PATH, files={"image": picture}, timeout=httpx.Timeout(30, read=0.3))
    newest = "SELECT state FROM jobs ORDER BY created_ms DESC LIMIT 1"
    wait_for(
        lambda: server.query("SELECT COUNT(*) FROM jobs")[0][0] == before + 1, 30, "the job is accepted"
    )
    wait_for(lambda: server.query(newest) == [("succeeded",)], 30, "the job is done")


def test_the_operators_limits_and_an_impatient_wait(store: ModelStore, tmp_path: Path) -> None:
    variables = {
        "ENLARGER_MAX_INPUT_PIXELS": "200000",
        "ENLARGER_MAX_OUTPUT_PIXELS": "1600000",
        "ENLARGER_WAIT_TIMEOUT_S": "0.05",
        "ENLARGER_BOOTSTRAP_CREDIT": "12.34",
        "ENLARGER_LOG_FORMAT": "json",
    }
    with RunningServer.start(tmp_path, MODELS, **variables) as server, server.client() as client:
        balance = client.get("/v1/user/balance").json()
        too_large = client.post(PATH, files={"image": encoded(scaled("coffee", 600, 400))})
        result_too_large = client.post(PATH, files={"image": encoded(scaled("coffee", 400, 300))})
        late = client.post(PATH, files={"image": encoded(scaled("coffee", 320, 300))})
        wait_for(
            lambda: server.query("SELECT state FROM jobs") == [("succeeded",)], 30, "the late job is done"
        )
    assert (too_large.status_code, result_too_large.status_code, late.status_code) == (400, 400, 504)
    assert "600x400 = 240000 pixels; at most 200000" in too_large.json()["message"]
    assert "1600x1200 = 1920000 pixels; at most 1600000" in result_too_large.json()["message"]
    assert late.json()["name"] == "timeout"
    assert balance == {"credits": 1234.0}
    assert '"event": "worker.ready"' in server.log()


def test_a_drawn_key_is_shown_once_and_more_can_be_made(store: ModelStore, tmp_path: Path) -> None:
    tmp_path = tmp_path / "an odd?name %41#x"
    tmp_path.mkdir()
    environment = {**os.environ, "ENLARGER_DATA_DIR": str(tmp_path)}
    with RunningServer.start(tmp_path, MODELS, ENLARGER_BOOTSTRAP_KEY="") as server:
        [drawn] = [
            line.strip() for line in server.output.splitlines() if line.strip().startswith("enl_live_")
        ]
        balance = f"{server.url}/v1/user/balance"
        assert httpx.get(balance, headers={"authorization": drawn}).status_code == 200
        command = [sys.executable, "-m", "enlarger", "keys", "create"]
        made = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        assert httpx.get(balance, headers={"authorization": made}).status_code == 200
        command = [sys.executable, "-m", "enlarger", "keys", "list"]
        listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        assert made[-4:] in listed
        assert made not in listed
        key_id = listed.splitlines()[-1].split()[0]
        command = [sys.executable, "-m", "enlarger", "keys", "revoke", key_id]
        subprocess.run(command, env=environment, capture_output=True, check=True)
        assert httpx.get(balance, headers={"authorization": made}).status_code == 401
    with RunningServer.start(tmp_path, MODELS, ENLARGER_BOOTSTRAP_KEY="") as server:
        assert drawn not in server.output
        assert "enlarger keys create" in server.output
        headers = {"authorization": drawn}
        assert httpx.get(f"{server.url}/v1/user/balance", headers=headers).status_code == 200
    assert drawn not in server.log()


def test_the_first_key_is_shown_even_if_the_first_start_is_cut_short(
    store: ModelStore, tmp_path: Path
) -> None:
    environment = {**os.environ, "ENLARGER_DATA_DIR": str(tmp_path), "ENLARGER_PORT": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "enlarger", "serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as first:
        assert first.stdout is not None
        secret = next(line.strip() for line in first.stdout if "enl_live_" in line)
        first.terminate()
        first.wait(60)
    with RunningServer.start(tmp_path, MODELS, ENLARGER_BOOTSTRAP_KEY="") as server:
        headers = {"authorization": secret}
        assert httpx.get(f"{server.url}/v1/user/balance", headers=headers).status_code == 200


def test_what_the_server_writes_is_its_owners_alone(server: RunningServer) -> None:
    for name in ("enlarger.db", "objects", "secrets", "slots"):
        assert (server.data_dir / name).stat().st_mode & 0o077 == 0, name


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "enlarger", "serve", "--data-dir", "/proc/nothing"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert "cannot write to the data folder /proc/nothing" in run.stderr
    assert "Traceback" not in run.stderr


def test_without_weights_and_offline_the_start_says_what_to_do(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ENLARGER_DATA_DIR": str(tmp_path),
        "ENLARGER_MODELS_DIR": str(tmp_path / "none"),
        "ENLARGER_OFFLINE": "true",
        "ENLARGER_PORT": "0",
        "ENLARGER_BOOTSTRAP_KEY": SECRET,
    }
    command = [sys.executable, "-m", "enlarger", "serve"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 3
    assert "span-x4-ch48 not fetched: ENLARGER_OFFLINE is on" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_port_that_is_taken_is_named(server: RunningServer, tmp_path: Path) -> None:
    port = server.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "enlarger", "serve", "--port", port, "--data-dir", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in run.stderr
