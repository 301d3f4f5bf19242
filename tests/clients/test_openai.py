"""The OpenAI clients, unmodified, against our `/api/v1`: what their programs see of pictures and errors."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from enlarger.errors import InferenceCrashed, QueueFull
from enlarger.jobs.submission import Ticket
from enlarger.service import Service
from tests.support.clients import NodeClient, PythonClient
from tests.support.desk import Desk
from tests.support.house import House
from tests.support.omixa import CONSERVATIVE, CREATIVE, FAST, SMALL, body_of, data_url, inline
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer
from tests.support.working import working

PROGRAMS = Path(__file__).parent / "programs"
BASE = "/api/v1"
BILLED = {CONSERVATIVE: "0.400000", CREATIVE: "0.600000", FAST: "0.020000"}
Run = Callable[[str, Sequence[dict[str, Any]]], list[dict[str, Any]]]


def python(version: str) -> Run:
    """The Python library."""

    def run(base_url: str, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        client = PythonClient.get(f"openai-python-{version}", f"openai=={version}")
        shown: list[dict[str, Any]] = json.loads(
            client.run(PROGRAMS / "openai_sdk.py", base_url, json.dumps(requests))
        )
        return shown

    return run


def node(version: str) -> Run:
    """The Node package."""

    def run(base_url: str, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        client = NodeClient.get(f"openai-node-{version}", f"openai@{version}")
        shown: list[dict[str, Any]] = json.loads(
            client.run(PROGRAMS / "openai_sdk.mjs", base_url, json.dumps(requests))
        )
        return shown

    return run


CLIENTS = pytest.mark.parametrize(
    "run",
    [python("1.109.1"), python("3.52.0"), node("6.49.0")],
    ids=["python-1.109.1", "python-3.52.0", "node-6.49.0"],
)


def request(key: str, model: str = FAST, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    """An upscale for the programs."""
    return {"key": key, "headers": headers or {}, "params": body_of(model, **changes)}


def secret_of(house: House, workspace: str = "default", **terms: Any) -> str:
    """A new key's secret."""
    return house.key(workspace, **terms)["authorization"].removeprefix("Bearer ")


@CLIENTS
def test_every_model_is_really_made(server: RunningServer, run: Run) -> None:
    # The slow ones are made for the first client; to us the others' are the same request, sent again.
    larger = inline(data_url(encoded(crop("coffee", 128, 128))))
    keep, dream = {"Idempotency-Key": "conservative"}, {"Idempotency-Key": "creative"}
    asked = [
        request(SECRET, CONSERVATIVE, keep, input_images=larger, output_format="webp", seed=7),
        request(SECRET, CREATIVE, dream, output_format="jpeg", style_preset="anime", creativity=0.3),
        request(SECRET, FAST, output_format="png", n=1),
    ]
    made = run(f"{server.url}{BASE}/", asked)
    for one, ask in zip(made, asked, strict=True):
        params = ask["params"]
        assert "class" not in one, one
        with Image.open(io.BytesIO(base64.b64decode(one["b64_json"]))) as image:
            assert image.format == params["output_format"].upper()
            assert image.size == ((256, 256) if params["model"] == FAST else (2048, 2048))
        assert one["billed_amount"] == BILLED[params["model"]]
        assert (one["url"], one["total_tokens"], one["text_tokens"]) == (None, 0, 0)
        assert abs(one["created"] - time.time()) < 600
        assert len(one["request_id"]) == 32
        assert 0 < int(one["seed"]) < 2**32
    assert made[0]["seed"] == "7"


@CLIENTS
def test_models_and_errors_are_what_the_library_says_they_are(house: House, run: Run) -> None:
    house.desk.accounts.workspaces.create("poor", 0)
    good = secret_of(house)
    asked = [
        {"key": good, "headers": {}, "params": None},
        request("omx_live_xxx"),
        request(secret_of(house, "poor")),
        request(secret_of(house, models=("fast",)), CREATIVE),
        request(good, CREATIVE, creativity=0.9),
        request(good, size="1024x1024"),
    ]
    listed, *errors = run(house.url + BASE, asked)
    assert listed == {"models": [CONSERVATIVE, CREATIVE, FAST]}
    # 402 has no class of its own in either library.
    assert [(one["status"], one["class"], one["type"], one["code"], one["param"]) for one in errors] == [
        (401, "AuthenticationError", "authentication_error", "invalid_api_key", None),
        (402, errors[1]["class"], "billing_error", "insufficient_balance", None),
        (403, "PermissionDeniedError", "permission_error", "model_not_allowed", "model"),
        (422, "UnprocessableEntityError", "validation_error", "invalid_value", "creativity"),
        (422, "UnprocessableEntityError", "validation_error", "unsupported_option", "size"),
    ]
    assert errors[1]["class"] in ("APIStatusError", "APIError")
    assert "Insufficient wallet balance." in errors[1]["message"]
    assert all(len(one["request_id"]) == 32 for one in errors)
    assert house.desk.rows("SELECT id FROM jobs") == []


@CLIENTS
def test_the_library_tries_again_and_pays_once(
    desk: Desk, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = Service.submit
    tries = 0

    async def reluctant(*arguments: Any, **more: Any) -> Ticket:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise QueueFull(retry_after_s=1)
        return await submit(*arguments, **more)

    monkeypatch.setattr(Service, "submit", reluctant)
    # The first wait ends before the job, and the job before the last retry, on a busy machine too.
    with House.open(desk, tmp_path / "house", wait_timeout_s=1.0) as house:

        def slowly(job_id: str) -> None:
            time.sleep(1.2)
            house.finish(job_id)

        key = secret_of(house)
        keyed = {"Idempotency-Key": "order 7"}
        with working(house, slowly):
            # Refused once; then not done in time, with a key and without: the retries join the job.
            [first] = run(house.url + BASE, [request(key, headers=keyed, prompt="a cup")])
            [keyless] = run(house.url + BASE, [request(key, prompt="a mug")])
            # What was answered, again; and another request with the key, which is not retried.
            tries = 1
            [again, conflict] = run(
                house.url + BASE,
                [request(key, headers=keyed, prompt="a cup"), request(key, headers=keyed, prompt="a jug")],
            )
            assert tries == 3
        for one in (first, keyless, again):
            assert base64.b64decode(one["b64_json"]) == SMALL, one
        assert again["seed"] == first["seed"]
        assert (conflict["status"], conflict["class"]) == (409, "ConflictError")
        assert conflict["code"] == "idempotency_conflict"
    assert len(desk.rows("SELECT id FROM jobs")) == 2
    assert desk.rows("SELECT sum(billed_micros) AS n FROM usage")[0].n == 40_000
    assert desk.faults() == []


@CLIENTS
def test_a_failure_is_an_internal_server_error_and_free(house: House, run: Run) -> None:
    with working(house, lambda job: house.desk.jobs.fail(job, InferenceCrashed())):
        [error] = run(
            house.url + BASE, [request(secret_of(house), headers={"Idempotency-Key": "one order"})]
        )
    assert (error["status"], error["class"], error["code"]) == (
        500,
        "InternalServerError",
        "internal_error",
    )
    assert len(house.desk.rows("SELECT id FROM jobs")) == 1
    assert house.desk.rows("SELECT sum(billed_micros) AS n FROM usage")[0].n == 0
