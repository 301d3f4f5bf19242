"""What tests of 1min.ai's door share: uploads, requests, jobs that end while their callers wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.house import SMALL, House
from tests.support.running import wait_for

ASSETS, FEATURES = "/api/assets", "/api/features"
STABLE, IDEOGRAM = "stable-image", "ideogram-3"


def upload(
    house: House, headers: dict[str, str], picture: bytes = SMALL, name: str = "cat.png", path: str = ASSETS
) -> httpx.Response:
    """Upload a picture."""
    return house.http.post(path, headers=headers, files={"asset": (name, picture)}, data={"type": "IMAGE"})


def key_of(response: httpx.Response) -> str:
    """The key of an uploaded picture."""
    assert response.status_code == 200, response.text
    return str(response.json()["asset"]["key"])


def feature(
    house: House,
    headers: dict[str, str],
    prompt: Any,
    model: str = STABLE,
    path: str = FEATURES,
    **more: Any,
) -> httpx.Response:
    """Ask for a picture, and wait."""
    body = {"type": "IMAGE_UPSCALER", "model": model, "promptObject": prompt, **more}
    return house.http.post(path, headers=headers, json=body)


def answered(
    house: House,
    ask: Callable[[], httpx.Response],
    end: Callable[[str], object] | None = None,
    jobs: int = 1,
) -> httpx.Response:
    """The answer to a request whose jobs are ended as `end` does it; well, if None."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()
    wait_for(lambda: len(house.desk.jobs.unfinished()) == jobs or answers, 10, "the jobs")
    assert not answers, answers[0].text
    for job_id in house.desk.jobs.unfinished():
        (end or house.finish)(job_id)
    thread.join(10)
    return answers[0]


def assert_refused(response: httpx.Response, status: int, code: str, *texts: str) -> None:
    """The one shape of an error, in both forms that clients read."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert len(response.headers["x-request-id"]) == 32
    body = response.json()
    assert body.keys() == {"message", "code", "error"}
    assert body["error"].keys() == {"message", "code", "details"}
    assert (body["message"], body["code"]) == (body["error"]["message"], body["error"]["code"])
    assert body["code"] == code, body
    for text in texts:
        assert text in body["message"], body
    for detail in body["error"]["details"]:
        assert detail.keys() == {"field", "message"}
        assert body["message"] == f"{detail['field']}: {detail['message']}"
