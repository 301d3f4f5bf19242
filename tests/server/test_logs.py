"""The log says which request a line belongs to, and never what a caller sent."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image, PngImagePlugin

from enlarger.models import ModelStore
from enlarger.request import UpscaleRequest
from tests.conftest import MODELS
from tests.support.desk import Desk
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
MARK = "Zq7Secret"
"""In everything that a caller may send."""


def marked_picture() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", f"{MARK}comment")
    file = io.BytesIO()
    Image.frombytes("RGB", (40, 36), crop("coffee", 40, 36).tobytes()).save(file, "PNG", pnginfo=notes)
    return file.getvalue()


def send(client: httpx.Client, **changes: Any) -> httpx.Response:
    """One request with a mark in every place that has room for one."""
    values: dict[str, Any] = {
        "files": {"image": (f"{MARK}file.png", marked_picture(), "image/png")},
        "data": {"prompt": f"{MARK}prompt", "style_preset": f"{MARK}style"},
        "params": {"q": f"{MARK}query"},
        "headers": {
            "user-agent": f"{MARK}agent",
            "stability-client-id": f"{MARK}client",
            "x-request-id": f"{MARK}request",
            "cookie": f"a={MARK}cookie",
        },
    }
    values["headers"] |= changes.pop("headers", {})
    return client.post(PATH, **(values | changes))


@pytest.fixture(scope="module")
def logging_server(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("logging")
    with RunningServer.start(folder, MODELS, ENLARGER_LOG_FORMAT="json") as running:
        yield running


def lines(server: RunningServer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log().splitlines()]


def change(data_dir: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(data_dir / "enlarger.db", timeout=30)) as database:
        database.execute(statement)
        database.commit()


@contextlib.contextmanager
def refusing(server: RunningServer, when: str) -> Iterator[None]:
    """A database that refuses a change of the jobs, with an error that nobody expects."""
    change(
        server.data_dir,
        f"CREATE TRIGGER broken {when} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END",
    )
    try:
        yield
    finally:
        change(server.data_dir, "DROP TRIGGER broken")


def test_no_line_has_what_a_caller_sent(logging_server: RunningServer) -> None:
    server = logging_server
    basic = base64.b64encode(f"key_bootstrap:{MARK}password".encode()).decode()
    broken = marked_picture()
    with server.client() as client:
        statuses = [
            send(client).status_code,
            send(client, headers={"idempotency-key": f"{MARK}idempotency"}).status_code,
            send(client, headers={"authorization": f"Bearer {MARK}key"}).status_code,
            send(client, headers={"authorization": f"Bearer enl_live_{MARK}"}).status_code,
            send(client, headers={"authorization": f"Basic {basic}"}).status_code,
            send(client, headers={"authorization": MARK, "x-api-key": f"{MARK}key"}).status_code,
            send(client, files={"image": (f"{MARK}.png", f"{MARK}picture".encode())}).status_code,
            send(client, files={"image": (f"{MARK}.png", broken[: len(broken) * 2 // 3])}).status_code,
            send(client, files={"image": (f"{MARK}.png", b"")}).status_code,
            send(client, data={"output_format": f"{MARK}format"}).status_code,
            send(client, data={f"{MARK}field": MARK, "prompt": f"{MARK}\x00\ud7ff"}).status_code,
            send(client, headers={"idempotency-key": f"{MARK}é".encode("latin-1")}).status_code,
            send(client, headers={"content-encoding": MARK}).status_code,
            client.post(
                PATH,
                content=f"--{MARK}\r\nno part".encode(),
                headers={"content-type": f"multipart/form-data; boundary={MARK}"},
            ).status_code,
            client.get(f"/files/ws/a/b?s={MARK}").status_code,
            client.get("/nothing", params={"key": MARK}).status_code,
            client.get("/metrics", headers={"authorization": f"Bearer {MARK}"}).status_code,
        ]
        with refusing(server, "BEFORE INSERT ON jobs"):
            statuses.append(send(client, headers={"idempotency-key": f"{MARK}another"}).status_code)
        with refusing(server, "BEFORE UPDATE OF state ON jobs WHEN NEW.state = 'succeeded'"):
            statuses.append(send(client).status_code)
        statuses.append(send(client).status_code)
    assert statuses[:7] == [200, 200, 401, 401, 401, 401, 400], statuses
    assert statuses[-3:] == [500, 500, 200], statuses
    assert MARK not in server.log()
    assert SECRET not in server.log()
    events = {line["event"] for line in lines(server)}
    assert {"http.request", "stability.unexpected", "job.broken", "job.failed"} <= events
    assert "refused by the test" in server.log(), "what went wrong is told all the same"


def test_every_line_of_a_request_has_its_id_and_every_line_of_a_job_all_three(
    logging_server: RunningServer,
) -> None:
    server = logging_server
    with server.client() as client:
        good = client.post(PATH, files={"image": encoded(crop("coffee", 40, 36))})
        bad = client.post(PATH, files={"image": marked_picture()[:-60]})
    assert (good.status_code, bad.status_code) == (200, 400)
    mine = good.headers["x-request-id"]

    def of(event: str) -> list[dict[str, Any]]:
        return [line for line in lines(server) if line["event"] == event and line.get("request") == mine]

    wait_for(lambda: of("http.request"), 10, "the request is logged")
    [accepted], [succeeded], [answered] = of("job.accepted"), of("job.succeeded"), of("http.request")
    assert accepted["job"] == succeeded["job"]
    assert accepted["workspace"] == succeeded["workspace"]
    assert (answered["method"], answered["path"], answered["status"]) == ("POST", PATH, 200)
    for line in lines(server):
        assert line.keys() >= {"event", "level", "timestamp"}, line
        if line["event"] == "http.request":
            assert len(line["request"]) == 32, line
        if line["event"].startswith("job."):
            assert line.keys() >= {"request", "job", "workspace"}, line


def test_an_error_of_the_database_does_not_tell_what_was_to_be_written(desk: Desk) -> None:
    caller = desk.caller()
    submission = desk.submission(caller, request=UpscaleRequest(prompt=f"{MARK}prompt"))
    desk.acceptance().accept(submission)
    with pytest.raises(sa.exc.IntegrityError) as caught:
        desk.acceptance().accept(submission)
    assert MARK not in str(caught.value)
    assert caller.key_id not in str(caught.value)
