"""Idempotency through Stability's door: the picture itself comes again, and its errors too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from enlarger.errors import InferenceCrashed, StorageFull
from enlarger.service import Service
from tests.support.desk import Desk
from tests.support.house import SMALL, House
from tests.support.omixa import CREATIVE, data_url, send
from tests.support.running import wait_for
from tests.support.working import working

V1 = "/v1/generation/esrgan-v1-x2plus/image-to-image/upscale"
PATH = "/v2beta/stable-image/upscale/fast"


def post(house: House, headers: dict[str, str], **data: str) -> httpx.Response:
    return house.http.post(PATH, headers=headers, files={"image": SMALL}, data=data)


def answered(house: House, headers: dict[str, str], end: Callable[[str], object]) -> httpx.Response:
    """The answer to a request whose job is ended as `end` does it."""
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(post(house, headers)))
    thread.start()
    wait_for(house.desk.jobs.unfinished, 10, "the job")
    [job] = house.desk.jobs.unfinished()
    assert post(house, headers).status_code == 409, "the first is under way"
    end(job)
    thread.join(10)
    return answers[0]


def count(house: House) -> int:
    return int(house.desk.rows("SELECT count(*) AS n FROM jobs")[0].n)


def test_the_same_picture_comes_again_and_is_paid_once(house: House) -> None:
    key = {**house.key(), "idempotency-key": "one"}
    first = answered(house, key, house.finish)
    assert (first.status_code, first.content) == (200, SMALL)
    again = post(house, key)
    assert (again.status_code, again.content) == (200, SMALL)
    for name in ("content-type", "finish-reason", "seed"):
        assert again.headers[name] == first.headers[name], name
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    other = post(house, key, output_format="jpeg")
    assert (other.status_code, other.json()["name"]) == (409, "conflict")
    assert count(house) == 1
    assert other.headers["x-should-retry"] == "false"
    elsewhere = house.post(key)
    assert elsewhere.status_code == 202, "another route's key is another key"
    assert house.get("/balance", key).json()["available"] == "999.960000"
    assert house.desk.faults() == []


def test_a_long_answer_comes_again_byte_for_byte(house: House) -> None:
    """Longer than what a row holds, so that it lies in the object store."""
    key = {**house.key(), "idempotency-key": "long"}
    long = SMALL + bytes(100_000)

    def end(job_id: str) -> None:
        input_key = house.desk.jobs.get(job_id).input_key
        house.store.delete([input_key])
        house.store.create(input_key, long)
        house.finish(job_id)

    assert answered(house, key, end).content == long
    assert post(house, key).content == long


def test_the_error_that_a_job_ended_with_comes_again(house: House) -> None:
    key = {**house.key(), "idempotency-key": "two"}
    first = answered(house, key, lambda job: house.desk.jobs.fail(job, InferenceCrashed()))
    assert first.status_code == 500
    again = post(house, key)
    assert (again.status_code, again.content) == (500, first.content), "its id too"
    assert count(house) == 1
    assert house.get("/balance", key).json()["available"] == "1000.000000"


def test_a_refusal_is_not_kept(house: House) -> None:
    key = {**house.key(), "idempotency-key": "three"}
    assert post(house, key, output_format="gif").status_code == 400
    assert answered(house, key, house.finish).status_code == 200


@pytest.mark.parametrize("path", [PATH, V1])
def test_what_was_not_waited_for_is_had_by_the_id_in_its_error(
    desk: Desk, tmp_path: Path, path: str
) -> None:
    with House.open(desk, tmp_path / "hurried", wait_timeout_s=0.05) as house:
        key = house.key()
        late = house.http.post(path, headers=key, files={"image": SMALL})
        assert (late.status_code, late.json()["name"]) == (504, "timeout")
        generation = late.headers["x-generation-id"]
        assert f"its id is {generation}." in late.json()["message"]
        result = f"/v2beta/results/{generation}"
        assert house.http.get(result, headers=key).json() == {"id": generation, "status": "in-progress"}
        house.finish(late.headers["x-enlarger-job"])
        assert house.http.get(result, headers=key).content == SMALL
        # Whoever joins a job by its retry learns the same id.
        again = {**key, "idempotency-key": "late"}
        for headers in (again, {**again, "x-stainless-retry-count": "1"}):
            joined = house.http.post(path, headers=headers, files={"image": SMALL})
        [first, second] = house.desk.rows("SELECT alias FROM jobs ORDER BY created_ms")
        assert (first.alias, second.alias) == (generation, joined.headers["x-generation-id"])


def test_only_a_job_that_has_not_ended_is_said_not_to_be_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours after acceptance, in each vendor's words; and a job that ended for want of room."""
    key = house.key()
    with working(house, lambda job: house.desk.jobs.fail(job, StorageFull())):
        ended = post(house, key)
        theirs = send(house, key, CREATIVE)
    assert (ended.status_code, theirs.status_code) == (503, 503)
    assert len(ended.headers["x-generation-id"]) == 64
    assert "not lost" not in ended.text + theirs.text

    async def broken(*_: object) -> bytes:
        raise RuntimeError("a part of ours")

    for part in ("result", "standings"):
        monkeypatch.setattr(Service, part, broken)
    scenario = {"image": data_url(SMALL), "scalingFactor": 2}
    with working(house):
        faults = [
            ("x-generation-id", post(house, key)),
            ("x-enlarger-job", send(house, key, CREATIVE)),
            ("x-generation-id", house.http.post("/v1/generate/upscale", headers=key, json=scenario)),
            ("x-enlarger-job", house.post(key)),
        ]
    for header, fault in faults:
        assert fault.status_code == 500
        assert f"is not lost; its id is {fault.headers[header]}." in fault.text
        assert "nothing was charged" not in fault.text
    assert faults[2][1].headers["x-generation-id"].startswith("job_")
