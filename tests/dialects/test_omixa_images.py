"""Omixa's upscales: what is answered, what it costs, who may, what is repeated, and every way to fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from starlette.requests import Request

from enlarger.database import write
from enlarger.dialects.omixa import render_error
from enlarger.errors import (
    Collapsed,
    DeadlineExceeded,
    EnlargerError,
    InferenceCrashed,
    NotReady,
    QueueFull,
    RateLimited,
    SlowBody,
    StorageFull,
    StorageUnavailable,
    UnsupportedPicture,
)
from enlarger.ledger import prices
from enlarger.ledger.prices import Price
from enlarger.service import Service
from tests.support.desk import Desk
from tests.support.house import House
from tests.support.omixa import (
    CONSERVATIVE,
    CREATIVE,
    FAST,
    GENERATIONS,
    SMALL,
    assert_error,
    body_of,
    data_url,
    inline,
    send,
)
from tests.support.working import working

BILLED = {CONSERVATIVE: "0.400000", CREATIVE: "0.600000", FAST: "0.020000"}
AUTHENTICATION, BILLING, PERMISSION = "authentication_error", "billing_error", "permission_error"


def test_the_answer_has_the_picture_and_what_it_cost(house: House) -> None:
    key, test_key = house.key(), house.key(is_test=True)
    before = house.desk.balance(house.desk.caller()).available_micros
    with working(house):
        for model, billed in BILLED.items():
            for headers, amount in ((key, billed), (test_key, "0.000000")):
                for path in (GENERATIONS, "/omixa" + GENERATIONS):
                    answer = house.http.post(path, headers=headers, json=body_of(model, seed=5))
                    assert answer.status_code == 200, answer.text
                    assert answer.headers["content-type"] == "application/json"
                    assert answer.headers["x-enlarger-seed"] == "5"
                    assert len(answer.headers["x-request-id"]) == 32
                    body = answer.json()
                    assert body.keys() == {"created", "data", "usage"}
                    assert abs(body["created"] - time.time()) < 60
                    assert body["data"] == [{"b64_json": base64.b64encode(SMALL).decode(), "url": None}]
                    usage = body["usage"]
                    assert usage.pop("billed_amount") == amount
                    assert usage.pop("input_tokens_details") == {"text_tokens": 0, "image_tokens": 0}
                    assert usage == {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    spent = before - house.desk.balance(house.desk.caller()).available_micros
    assert spent == 2 * (400_000 + 600_000 + 20_000)
    rows = house.desk.rows("SELECT DISTINCT door, operation, model FROM usage ORDER BY model")
    assert [tuple(row) for row in rows] == [
        ("omixa", "images/generations", model) for model in ("conservative", "creative", "fast")
    ]
    assert house.desk.faults() == []


def test_a_price_of_the_operators_is_what_is_billed(house: House) -> None:
    with write(house.desk.engine) as connection:
        prices.publish(connection, [Price("creative", 39_000, up_to_pixels=2**23)], "dearer")
    with working(house):
        assert send(house, house.key()).json()["usage"]["billed_amount"] == "0.039000"
    unpriced = send(house, house.key(), CONSERVATIVE)
    text = "model 'stability-upscale-conservative' is not on offer here"
    assert_error(unpriced, 422, "validation_error", "model_not_offered", "model", text)


def test_a_seed_is_drawn_where_none_is_said(house: House) -> None:
    key = house.key()
    with working(house):
        drawn = {
            send(house, key, **said).headers["x-enlarger-seed"]
            for said in ({}, {"seed": 0}, {"seed": None})
        }
    assert len(drawn) == 3
    assert all(0 < int(seed) <= 4_294_967_294 for seed in drawn)


def test_a_repeated_request_gets_the_first_answer_and_another_one_none(house: House) -> None:
    key = house.key() | {"idempotency-key": "order 7"}
    with working(house):
        first = send(house, key)
        second = send(house, key, seed=0, creativity=0.3, n=1, style_preset=None)
    assert first.status_code == second.status_code == 200
    assert (second.content, second.headers["idempotent-replayed"]) == (first.content, "true")
    for header in ("x-enlarger-seed", "x-enlarger-job", "content-type"):
        assert second.headers[header] == first.headers[header]
    for changes in ({"prompt": "a mug"}, {"model": CONSERVATIVE}, {"seed": 1}):
        conflict = send(house, key, **changes)
        assert_error(conflict, 409, "conflict_error", "idempotency_conflict", "idempotency-key")
        assert conflict.headers["x-should-retry"] == "false"
    assert len(house.desk.rows("SELECT id FROM jobs")) == 1
    house.desk.accounts.workspaces.create("other", 10_000_000)
    with working(house):
        theirs = send(house, house.key("other") | {"idempotency-key": "order 7"}, prompt="theirs")
    assert theirs.status_code == 200, "a key counts in its workspace alone"
    refused = send(house, key | {"idempotency-key": "x" * 256})
    assert_error(refused, 422, "validation_error", "invalid_value", "idempotency-key", "1 to 255")


def test_a_failed_request_is_told_again_and_costs_nothing(house: House) -> None:
    key = house.key() | {"idempotency-key": "once"}
    with working(house, lambda job: house.desk.jobs.fail(job, Collapsed())):
        first, second = send(house, key), send(house, key)
    assert_error(first, 500, "server_error", "internal_error", None, "nothing was charged")
    assert second.content == first.content
    assert second.headers["idempotent-replayed"] == "true"
    assert first.headers["x-enlarger-job"] == second.headers["x-enlarger-job"]
    assert house.desk.balance(house.desk.caller()).held_micros == 0


@pytest.fixture
def hurried(desk: Desk, tmp_path: Path) -> Any:
    """A house in which nobody waits for a result."""
    with House.open(desk, tmp_path / "hurried", wait_timeout_s=0.05, max_jobs=3) as house:
        yield house


def test_what_takes_too_long_is_joined_by_its_retry(hurried: House) -> None:
    keyless = hurried.key()
    late = send(hurried, keyless, seed=1)
    assert_error(late, 504, "timeout_error", "wait_timeout", None, "the job goes on")
    job = late.headers["x-enlarger-job"]
    again = send(hurried, keyless | {"x-stainless-retry-count": "1"}, seed=1)
    assert again.headers["x-enlarger-job"] == job
    keyed = keyless | {"idempotency-key": "k"}
    send(hurried, keyed, seed=2)
    running = send(hurried, keyed, seed=2)
    assert_error(running, 409, "conflict_error", "still_running", "idempotency-key")
    assert (running.headers["x-should-retry"], running.headers["retry-after"]) == ("true", "5")
    hurried.finish(job)
    done = send(hurried, keyless | {"x-stainless-retry-count": "2"}, seed=1)
    assert (done.status_code, done.headers["x-enlarger-job"]) == (200, job)
    for seed in (3, 4):
        send(hurried, keyless, seed=seed)
    full = send(hurried, keyless, seed=5)
    assert_error(full, 503, "server_error", "queue_full")
    assert int(full.headers["retry-after"]) > 0


def test_who_may_not_is_told_before_anything_is_held(house: House) -> None:
    for headers in (
        {},
        {"authorization": "Bearer omx_live_xxx"},
        {"authorization": "Bearer"},
        {"x-api-key": house.key()["authorization"]},
    ):
        answer = send(house, headers)
        assert_error(answer, 401, AUTHENTICATION, "invalid_api_key")
        assert "omx_live" not in answer.text
    limited = house.key(models=("fast", "conservative"))
    answer = send(house, limited)
    assert_error(answer, 403, PERMISSION, "model_not_allowed", "model", f"{FAST}, {CONSERVATIVE}")
    assert_error(send(house, house.key(models=())), 403, PERMISSION, "model_not_allowed", "model", "none")
    house.desk.accounts.workspaces.create("poor", 599_999)
    poor = send(house, house.key("poor"))
    assert_error(poor, 402, BILLING, "insufficient_balance", None, "Insufficient wallet balance.")
    capped = send(house, house.key(cap_micros=599_999))
    assert_error(capped, 402, BILLING, "spend_cap_reached", None, "0.600000")
    assert house.desk.rows("SELECT id FROM jobs") == []
    assert house.desk.rows("SELECT job_id FROM holds") == []
    revoked = house.desk.accounts.keys.list()[-1]
    house.desk.accounts.keys.revoke(revoked.id)
    with working(house):
        assert send(house, limited, FAST).status_code == 200


FAILURES: list[tuple[EnlargerError, int, str, str, str | None]] = [
    (InferenceCrashed(), 500, "server_error", "internal_error", None),
    (EnlargerError("a secret of ours"), 500, "server_error", "internal_error", None),
    (DeadlineExceeded(), 504, "timeout_error", "deadline_exceeded", None),
    (
        UnsupportedPicture("the png is cut off", param="image"),
        422,
        "validation_error",
        "invalid_value",
        "input_images",
    ),
]


def test_a_job_that_fails_is_an_error_of_its_kind(house: House) -> None:
    key = house.key()
    for error, status, kind, code, param in FAILURES:
        with working(house, lambda job, error=error: house.desk.jobs.fail(job, error)):
            answer = send(house, key)
        assert_error(answer, status, kind, code, param)
        assert "a secret of ours" not in answer.text
    workspace = house.desk.accounts.workspaces.get("default").id
    with working(house, lambda job: house.desk.jobs.cancel(job, workspace)):
        cancelled = send(house, key)
    assert_error(cancelled, 409, "conflict_error", "cancelled")
    assert cancelled.headers["x-should-retry"] == "false"
    assert house.desk.balance(house.desk.caller()).held_micros == 0


def test_what_the_server_cannot_do_now(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(error: Exception) -> Callable[..., Any]:
        async def fail(*_: object, **__: object) -> None:
            raise error

        return fail

    for error, code in (
        (StorageUnavailable(), "storage_unavailable"),
        (StorageFull(), "storage_full"),
        (QueueFull(), "queue_full"),
    ):
        monkeypatch.setattr(Service, "submit", failing(error))
        answer = send(house, house.key())
        assert_error(answer, 503, "server_error", code)
        assert answer.headers["retry-after"] == "5"
    monkeypatch.setattr(Service, "submit", failing(RuntimeError("a part of ours")))
    answer = send(house, house.key())
    assert_error(answer, 500, "server_error", "internal_error", None, "nothing was charged")
    assert "a part of ours" not in answer.text


def test_a_body_of_more_than_twenty_mebibytes(house: House) -> None:
    key = house.key() | {"content-type": "application/json"}
    large = house.http.post(GENERATIONS, headers=key, content=bytes(20 * 2**20 + 1))
    assert_error(large, 413, "invalid_request_error", "payload_too_large", "body", "20971520 bytes")

    def chunks() -> Any:
        for _ in range(21):
            yield bytes(2**20)

    assert_error(
        house.http.post(GENERATIONS, headers=key, content=chunks()),
        413, "invalid_request_error", "payload_too_large", "body",
    )  # fmt: skip
    stranger = house.http.post(
        GENERATIONS, headers={"authorization": "Bearer x"}, content=bytes(21 * 2**20)
    )
    assert_error(stranger, 401, AUTHENTICATION, "invalid_api_key")
    padded = SMALL + bytes(10 * 2**20 - len(SMALL))
    with working(house):
        taken = send(house, key, FAST, input_images=inline(data_url(padded)))
    assert taken.status_code == 200, "a picture of 10 MiB has room"
    compressed = house.http.post(GENERATIONS, headers=key | {"content-encoding": "gzip"}, content=b"x")
    assert_error(compressed, 415, "invalid_request_error", "encoded_body", "content-encoding")


def test_unknown_paths_and_methods(house: House) -> None:
    for path in (
        "/api/v1",
        "/api/v1/nothing",
        GENERATIONS + "/",
        "/omixa/api/v1/x",
        "/omixa/x",
        "/api/v1/<b>",
    ):
        for method in ("GET", "POST", "DELETE"):
            answer = house.http.request(method, path, headers={"accept": "text/html"})
            assert_error(answer, 404, "not_found_error", "not_found", None, path)
    answer = house.http.get(GENERATIONS)
    assert_error(answer, 405, "invalid_request_error", "method_not_allowed")
    assert answer.headers["allow"] == "POST"
    assert house.http.delete("/api/v1/models").headers["allow"] == "GET"


def test_too_many_requests(desk: Desk, tmp_path: Path) -> None:
    with House.open(desk, tmp_path / "limited", max_workspace_jobs=1, wait_timeout_s=0.01) as house:
        key = house.key()
        send(house, key)
        answer = send(house, key)
        assert_error(answer, 429, "rate_limit_error", "too_many_jobs")
        assert answer.headers["retry-after"] == "5"


def test_what_is_refused_before_a_route_is_asked() -> None:
    """By the address's limit, the pace, the drain: in this vendor's shape all the same."""
    for error, status, kind, code in (
        (RateLimited(retry_after_s=7), 429, "rate_limit_error", "rate_limited"),
        (SlowBody(), 408, "invalid_request_error", "slow_body"),
        (NotReady(), 503, "server_error", "not_ready"),
    ):
        answer = render_error(Request({"type": "http", "headers": []}), error)
        assert answer.status_code == status
        told = json.loads(bytes(answer.body))["error"]
        assert (told["type"], told["code"]) == (kind, code)
        assert answer.headers.get("retry-after") == (
            None if error.retry_after_s is None else str(error.retry_after_s)
        )


def sign(
    secret: str, body: bytes, method: str = "POST", path: str = GENERATIONS, age_s: int = 0
) -> dict[str, str]:
    """The headers of a signed request."""
    sent = str(int(time.time()) - age_s)
    signed = f"{sent}.{method}.{path}.".encode() + body
    return {
        "x-omixa-timestamp": sent,
        "x-omixa-signature": "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest(),
    }


def test_signatures_where_they_are_required(desk: Desk, tmp_path: Path) -> None:
    with House.open(desk, tmp_path / "signing", require_signature=True) as house, working(house):
        key = house.key()
        secret = key["authorization"].removeprefix("Bearer ")
        typed = {"content-type": "application/json"}
        # White space of the caller's own: what is signed is the body as it was sent.
        body = msgspec.json.format(msgspec.json.encode(body_of(FAST)), indent=3)

        def post(headers: dict[str, str], path: str = GENERATIONS, content: bytes = body) -> httpx.Response:
            return house.http.post(path, headers=key | typed | headers, content=content)

        for path in (GENERATIONS, "/omixa" + GENERATIONS):
            assert post(sign(secret, body), path).status_code == 200, "the vendor's path is signed"
        for age_s in (-290, 290):
            assert post(sign(secret, body, age_s=age_s)).status_code == 200
        stamp, mark = "x-omixa-timestamp", "x-omixa-signature"
        good = sign(secret, body)
        for headers, param in (
            ({}, stamp),
            ({mark: good[mark]}, stamp),
            ({stamp: good[stamp]}, mark),
            (good | {stamp: "soon"}, stamp),
            (good | {stamp: str(int(good[stamp]) + 1)}, mark),
            (good | {mark: good[mark].removeprefix("sha256=")}, mark),
            (good | {mark: "sha256=" + "0" * 64}, mark),
            (good | {mark: "sha256=é".encode()}, mark),
            (sign(secret, body, age_s=310), stamp),
            (sign(secret, body, age_s=-310), stamp),
            (sign("another secret", body), mark),
            (sign(secret, body + b" "), mark),
            (sign(secret, body, method="PUT"), mark),
            (sign(secret, body, path="/api/v1/models"), mark),
        ):
            answer = post(headers)
            assert_error(answer, 401, AUTHENTICATION, "invalid_signature", param)
            assert good[mark][7:] not in answer.text
        assert_error(post(good, content=body + b" "), 401, AUTHENTICATION, "invalid_signature", mark)
        models = "/api/v1/models"
        signed = sign(secret, b"", "GET", models)
        assert house.http.get(models, headers=key | signed, params={"any": 1}).status_code == 200
        assert_error(house.http.get(models, headers=key), 401, AUTHENTICATION, "invalid_signature", stamp)
        wrong = house.http.get(models, headers=signed | {"authorization": "Bearer x"})
        assert_error(wrong, 401, AUTHENTICATION, "invalid_api_key")
        assert house.http.get("/v1/user/balance", headers=key).status_code == 200, "this door alone"


def test_signatures_are_not_looked_at_where_they_are_not_required(house: House) -> None:
    with working(house):
        odd = {"x-omixa-timestamp": "never", "x-omixa-signature": "sha256=nothing"}
        assert send(house, house.key() | odd, FAST).status_code == 200
