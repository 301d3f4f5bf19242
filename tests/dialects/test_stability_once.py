"""Idempotency through Stability's door: the picture itself comes again, and its errors too."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from enlarger.errors import InferenceCrashed
from tests.support.house import SMALL, House
from tests.support.running import wait_for

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
