"""`/enlarger/v1/jobs`: the fields, the answers, and that a request is done once."""

from __future__ import annotations

import base64
import http.client
import json
import threading
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from enlarger.database import write
from enlarger.errors import Collapsed
from enlarger.jobs import idempotency
from enlarger.jobs.idempotency import KeptAnswer
from enlarger.jobs.refusals import OWED_MAX, OWED_S, Refusals
from enlarger.ledger import ledger
from tests.support.house import JOBS, SMALL, House
from tests.support.photos import crop, encoded
from tests.support.running import wait_for


def assert_error(answer: httpx.Response, status: int, code: str, param: str | None, text: str) -> None:
    """The one shape of our own errors."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.keys() == {"error"}
    assert body["error"].keys() == {"message", "type", "code", "param"}
    assert (body["error"]["code"], body["error"]["param"]) == (code, param)
    assert text in body["error"]["message"]
    assert len(answer.headers["x-request-id"]) == 32


def test_a_job_from_its_acceptance_to_its_picture(house: House) -> None:
    key = house.key()
    made = house.post(key, target="3x", output_format="png", seed="7", prompt="golden hour")
    assert made.status_code == 202
    job = made.json()
    assert made.headers["x-enlarger-job"] == job["id"]
    assert (job["object"], job["state"], job["price"], job["billed"]) == ("job", "queued", "0.020000", None)
    assert (job["request"]["target"], job["request"]["seed"]) == ("3x", 7)
    assert job["result"] is job["receipt"] is job["error"] is None
    early = house.get(f"/jobs/{job['id']}/result", key)
    assert_error(early, 409, "not_done", None, "is queued")
    assert early.headers["retry-after"] == "1"
    house.finish(job["id"])
    done = house.get(f"/jobs/{job['id']}", key).json()
    assert (done["state"], done["progress"], done["billed"]) == ("succeeded", 1.0, "0.020000")
    assert done["receipt"] == {"verdict": "pass"}
    assert house.get(f"/jobs/{job['id']}/result", key).content == SMALL
    link = done["result"]["url"]
    assert link.startswith(f"{house.url}/files/ws/")
    opened = house.http.get(link)
    assert opened.content == SMALL
    assert job["id"] in opened.headers["content-disposition"]
    assert house.desk.faults() == []


def test_every_way_to_send_a_key(house: House) -> None:
    secret = house.key()["authorization"].removeprefix("Bearer ")
    key_id = house.desk.accounts.keys.authenticate(secret).key_id

    def basic(user: str, password: str) -> dict[str, str]:
        return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}

    for headers in (
        {"authorization": f"Bearer {secret}"},
        {"authorization": f"bearer {secret}"},
        {"authorization": secret},
        {"x-api-key": secret},
        basic(key_id, secret),
        basic(secret, secret),
        basic("", secret),
    ):
        assert house.get("/me", headers).json()["key"] == key_id, headers
    for headers in (
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Basic ???"},
        {"x-api-key": "nobody's"},
        basic("key_other", secret),
        basic(secret, ""),
    ):
        answer = house.get("/me", headers)
        assert_error(answer, 401, "bad_key", None, "opens nothing")
        assert secret not in answer.text


WRONG: list[tuple[dict[str, str], str, str]] = [
    ({"mode": "best"}, "mode", "'best'"),
    ({"target": "0x"}, "scale", "1 to 64"),
    ({"target": "big"}, "target", "'big'"),
    ({"target": "10w"}, "target", "never smaller"),
    ({"output_format": "gif"}, "output_format", "'gif'"),
    ({"creativity": "2"}, "creativity", "creativity is 2; it must be 0 to 1"),
    ({"creativity": "nan"}, "creativity", "0 to 1"),
    ({"creativity": "much"}, "creativity", "'much'"),
    ({"seed": "-1"}, "seed", "0 to"),
    ({"seed": "1.5"}, "seed", "1.5"),
    ({"refinement": "5"}, "refinement", "0 to 4"),
    ({"prompt": "x" * 10_001}, "prompt", "10001 characters"),
    ({"style_preset": "nothing"}, "style_preset", "'nothing'"),
    ({"seamless": "all"}, "seamless", "'all'"),
    ({"wait": "perhaps"}, "wait", "'perhaps'"),
    ({"deadline_s": "0.5"}, "deadline_s", "1 to 3600"),
    ({"deadline_s": "nan"}, "deadline_s", "1 to 3600"),
    ({"deadline_s": "3601"}, "deadline_s", "1 to 3600"),
    ({"scale": "4"}, "scale", "no parameter scale"),
    ({"target": "64x", "mode": "fast"}, "", ""),
]


def test_what_is_wrong_is_named_before_anything_is_held(house: House) -> None:
    key = house.key()
    for fields, param, text in WRONG:
        answer = house.post(key, **fields)
        if param:
            assert_error(answer, 400, "bad_parameter", param, text)
    for files, param, text in (
        ({"other": SMALL}, "image", "is required"),
        ({"image": (None, "text")}, "image", "must be a file"),
        ({"image": ("a.png", b"")}, "image", "is empty"),
        ([("image", SMALL), ("image", SMALL)], "image", "twice"),
        ({"image": SMALL, "prompt": ("a.txt", b"x")}, "prompt", "must be text"),
    ):
        assert_error(house.post(key, files), 400, "bad_parameter", param, text)
    broken = house.post(key, {"image": b"no picture"})
    assert_error(broken, 400, "unsupported_picture", "image", "")
    for content_type, text in (("text/plain", "multipart/form-data"), ("", "required")):
        answer = house.http.post(JOBS, headers={**key, "content-type": content_type}, content=b"x")
        assert_error(answer, 400, "bad_parameter", "content-type", text)
    [(count,)] = house.desk.rows("SELECT count(*) FROM jobs")
    assert count == 1, "the one that was right"


def test_a_body_that_is_too_large_is_refused_before_it_comes(house: House) -> None:
    line = http.client.HTTPConnection(house.url.removeprefix("http://"), timeout=30)
    line.putrequest("POST", JOBS)
    headers = {
        **house.key(),
        "content-type": "multipart/form-data; boundary=b",
        "content-length": str(64 * 2**20 + 1),
        "expect": "100-continue",
    }
    for name, value in headers.items():
        line.putheader(name, value)
    line.endheaders()
    answer = line.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["error"]["param"] == "body"
    line.close()


def test_the_router_speaks_the_same(house: House) -> None:
    key = house.key()
    assert_error(house.get("/nothing", key), 404, "not_found", None, "/enlarger/v1/nothing")
    assert_error(house.http.put(JOBS, headers=key), 405, "method_not_allowed", None, "PUT")
    assert_error(house.get("/jobs", key, limit=0), 400, "bad_parameter", "limit", "1 to 100")
    assert_error(house.get("/jobs", key, limit="x"), 400, "bad_parameter", "limit", "'x'")
    assert_error(house.get("/jobs", key, state="x"), 400, "bad_parameter", "state", "'x'")
    assert_error(house.get("/jobs", key, page=2), 400, "bad_parameter", "page", "no parameter page")
    assert_error(house.get("/jobs", {}, page=2), 401, "bad_key", None, "")
    document = house.http.get("/enlarger/openapi.json").json()
    assert document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"].keys() == {"multipart/form-data"}
    assert document["servers"] == [{"url": "/enlarger"}]


def test_a_nul_is_no_fault_of_ours(house: House) -> None:
    house.member("ann@example.com", "owner")
    key, session = house.key(), house.session("ann@example.com")
    for path, query in (
        ("/jobs/a%00b", {}),
        ("/jobs/%00/result", {}),
        ("/jobs", {"starting_after": "\0"}),
        ("/usage/requests", {"starting_after": "\0"}),
        ("/usage/requests", {"model": "a\0"}),
        ("/usage/rollups", {"key": "\0"}),
        ("/usage/requests.csv", {"key": "\0"}),
    ):
        answer = house.get(path, key, **query)
        assert answer.status_code in (200, 400, 404), (path, answer.text)
    for path, body in (
        ("/session", {"email": "a\0@b.c", "password": "x\0"}),
        ("/session", {"email": "ann@example.com", "password": "correct horse battery", "workspace": "\0"}),
        ("/keys", {"name": "a\0"}),
        ("/members", {"email": "a\0@b.c", "role": "viewer"}),
    ):
        answer = house.http.post(f"/enlarger/v1{path}", headers=session, json=body)
        assert answer.status_code in (201, 400, 401), (path, answer.text)
    assert house.post(key, prompt="a\0b").status_code in (202, 400)


def test_jobs_are_listed_page_by_page(house: House) -> None:
    key = house.key()
    ids = [house.post(key).json()["id"] for _ in range(5)]
    house.finish(ids[0])
    seen: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = house.get("/jobs", key, limit=2, **after).json()
        assert page.keys() == {"object", "data", "has_more"}
        seen += [job["id"] for job in page["data"]]
        if not page["has_more"]:
            break
        after = {"starting_after": seen[-1]}
    assert sorted(seen) == sorted(ids)
    assert [job["id"] for job in house.get("/jobs", key, state="succeeded").json()["data"]] == ids[:1]
    assert house.get("/jobs", key, state="failed").json() == {
        "object": "list",
        "data": [],
        "has_more": False,
    }


def test_a_job_is_cancelled_and_costs_nothing(house: House) -> None:
    key = house.key()
    for way in ("post", "delete"):
        job = house.post(key).json()["id"]
        path = f"{JOBS}/{job}"
        answer = (
            house.http.post(f"{path}/cancel", headers=key)
            if way == "post"
            else house.http.delete(path, headers=key)
        )
        shown = answer.json()
        assert (answer.status_code, shown["state"], shown["billed"]) == (200, "cancelled", "0.000000")
        assert shown["error"]["code"] == "cancelled"
        assert house.get(f"/jobs/{job}/result", key).status_code == 404
    assert house.get("/balance", key).json()["held"] == "0.000000"


def test_a_deadline_is_kept(house: House) -> None:
    job = house.post(house.key(), deadline_s="60").json()
    row = house.desk.jobs.get(job["id"])
    assert row.deadline_ms is not None
    # It counts from the request's arrival, and the row is written when its picture is kept.
    assert 30_000 < row.deadline_ms - row.created_ms <= 60_000


class Waiting:
    """A request that waits, in a thread."""

    def __init__(self, house: House, headers: dict[str, str], **fields: str) -> None:
        self._answers: list[httpx.Response] = []
        before = {row.id for row in house.desk.rows("SELECT id FROM jobs")}
        self._thread = threading.Thread(
            target=lambda: self._answers.append(house.post(headers, wait="true", **fields))
        )
        self._thread.start()

        def new() -> set[str]:
            return {row.id for row in house.desk.rows("SELECT id FROM jobs")} - before

        wait_for(new, 10, "the job")
        [self.job_id] = new()

    def answer(self) -> httpx.Response:
        self._thread.join(10)
        return self._answers[0]


def test_a_repetition_gets_the_same_answer(house: House) -> None:
    key = {**house.key(), "idempotency-key": "one"}
    first = house.post(key)
    again = house.post(key)
    assert (again.status_code, again.content) == (202, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    house.finish(first.json()["id"])
    assert house.post(key).content == first.content, "the answer, and not what became of the job"
    assert_error(house.post(key, target="2x"), 409, "idempotency_conflict", "idempotency-key", "")
    house.desk.accounts.workspaces.create("other", 1_000_000)
    elsewhere = house.post({**house.key("other"), "idempotency-key": "one"})
    assert elsewhere.json()["id"] != first.json()["id"], "another workspace's key is another key"
    assert house.desk.faults() == []


FORGET = "UPDATE idempotency SET status = NULL, headers = NULL, body = NULL"


def test_an_answer_that_a_crash_took_along_is_given_at_once_where_it_is_the_jobs_id(house: House) -> None:
    """By every door that answers before the job has ended."""
    own = {**house.key(), "idempotency-key": "crash"}
    picture = {"image": encoded(crop("coffee", 80, 64))}
    stability = ("/v2beta/stable-image/upscale/creative", picture, {"prompt": "a mug"})
    for path, files, data in ((JOBS, picture, {}), stability):
        first = house.http.post(path, headers=own, files=files, data=data)
        change(house, FORGET)
        second = house.http.post(path, headers=own, files=files, data=data)
        assert first.status_code == second.status_code < 300
        assert second.json()["id"] == first.json()["id"]


def test_two_answers_at_once_to_one_request_are_the_one_that_was_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {**house.key(), "idempotency-key": "both"}
    first = house.post(key)
    keep, saved = idempotency.keep_answer, house.desk.rows("SELECT * FROM idempotency")[0]
    change(house, FORGET)
    house.desk.jobs.begin_attempt(first.json()["id"])

    def keep_first(connection: sa.Connection, *rest: Any) -> bool:
        """The other request's answer is kept just before this one's."""
        kept = KeptAnswer(saved.status, tuple(json.loads(saved.headers)), saved.body, None)
        assert keep(connection, *rest[:3], kept)
        return keep(connection, *rest)

    monkeypatch.setattr(idempotency, "keep_answer", keep_first)
    second = house.post(key)
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.json()["state"] == "queued", "what was said first, though it runs by now"
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-request-id"] != first.headers["x-request-id"]


def change(house: House, sql: str) -> None:
    """Change the database beside the server."""
    with house.desk.engine.begin() as connection:
        connection.execute(sa.text(sql))


def test_a_repetition_of_what_was_waited_for_gets_the_same_bytes(house: House) -> None:
    key = {**house.key(), "idempotency-key": "two"}
    waiting = Waiting(house, key)
    busy = house.post(key, wait="true")
    assert_error(busy, 409, "still_running", "idempotency-key", "")
    assert (busy.headers["x-should-retry"], busy.headers["retry-after"]) == ("true", "5")
    house.finish(waiting.job_id)
    first = waiting.answer()
    assert (first.status_code, first.json()["state"]) == (200, "succeeded")
    assert house.post(key, wait="true").content == first.content


def test_a_failed_jobs_error_is_repeated(house: House) -> None:
    key = {**house.key(), "idempotency-key": "three"}
    waiting = Waiting(house, key)
    house.desk.jobs.fail(waiting.job_id, Collapsed())
    first = waiting.answer()
    assert_error(first, 500, "collapsed", None, "")
    assert first.headers["x-enlarger-job"] == waiting.job_id
    again = house.post(key, wait="true")
    assert (again.status_code, again.content) == (500, first.content)
    assert again.headers["x-enlarger-job"] == waiting.job_id
    assert house.get("/balance", key).json()["available"] == "1000.000000"


def test_a_refusal_before_acceptance_is_not_kept(house: House) -> None:
    house.desk.accounts.workspaces.create("poor", 0)
    key = {**house.key("poor"), "idempotency-key": "four"}
    assert_error(house.post(key, target="0x"), 400, "bad_parameter", "scale", "")
    assert_error(house.post(key), 402, "insufficient_balance", None, "0.020000")
    with write(house.desk.engine) as connection:
        ledger.top_up(connection, house.desk.accounts.workspaces.get("poor").id, 20_000, "at last")
    assert house.post(key).status_code == 202


@pytest.mark.parametrize("bad", ["", "x" * 256, "tab\there"])
def test_an_idempotency_key_that_is_none_is_refused(house: House, bad: str) -> None:
    answer = house.post({**house.key(), "idempotency-key": bad})
    assert_error(answer, 400, "bad_parameter", "idempotency-key", "1 to 255")


def test_a_client_that_says_that_it_retries_joins_its_first_job(house: House) -> None:
    key = house.key()
    first = house.post(key).json()["id"]
    assert house.post({**key, "x-stainless-retry-count": "1"}).json()["id"] == first
    assert house.post({**key, "x-stainless-retry-count": "0"}).json()["id"] != first
    assert house.post(key).json()["id"] != first
    other = house.key()
    assert house.post({**other, "x-stainless-retry-count": "1"}).json()["id"] != first, "another key"
    assert house.post({**key, "x-stainless-retry-count": "1"}, target="2x").json()["id"] != first


def test_the_retry_of_a_request_that_was_refused_is_not_given_another_ones_job(house: House) -> None:
    workspaces = house.desk.accounts.workspaces
    few = workspaces.create("few", None)
    workspaces.limit_jobs(few.id, 2)
    key = house.key("few")
    again = {**key, "x-stainless-retry-count": "1"}
    first, second = (house.post(key).json()["id"] for _ in range(2))
    for headers in (key, again, again):
        assert house.post(headers).status_code == 429, "its own try, and no job of the two before"
    house.finish(first)
    own = house.post(again).json()["id"]
    assert own not in (first, second)
    assert house.post(again).json()["id"] in (second, own), "owed once; this one's answer was lost"
    assert house.jobs() == 3


def test_what_a_refusal_owes_is_owed_once_and_not_for_ever() -> None:
    now = [0.0]
    refusals = Refusals(lambda: now[0])
    one, other = ("key", "upscale", "a"), ("key", "upscale", "b")
    refusals.add(one)
    now[0] = OWED_S - 1
    refusals.add(one)
    assert not refusals.take(other)
    now[0] = OWED_S
    assert [refusals.take(one) for _ in range(2)] == [True, False], "the first is too long ago"
    for number in range(OWED_MAX + 1):
        refusals.add(("key", "upscale", str(number)))
    assert not refusals.take(("key", "upscale", "0"))
    assert refusals.take(("key", "upscale", "1"))


def test_a_retry_joins_a_job_under_way_whatever_its_age_and_one_that_has_ended_for_ten_minutes(
    house: House,
) -> None:
    def age(column: str) -> None:
        with house.desk.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE jobs SET {column} = {column} - 600001"))

    key = house.key()
    again = {**key, "x-stainless-retry-count": "2"}
    first = house.post(key).json()["id"]
    age("created_ms")
    assert house.post(again).json()["id"] == first, "it is under way still, and paid once"
    house.finish(first)
    assert house.post(again).json()["id"] == first, "it took long, and has only just ended"
    age("finished_ms")
    assert house.post(again).json()["id"] != first, "ten minutes have passed"
