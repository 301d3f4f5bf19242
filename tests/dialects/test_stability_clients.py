"""What single clients of Stability's API do that others do not: each has its request here."""

from __future__ import annotations

import base64
import threading
from typing import Any

import httpx
import pytest

from tests.support.house import House
from tests.support.photos import crop, encoded
from tests.support.running import wait_for

UPSCALE = "/v2beta/stable-image/upscale"
PROXY = "/proxy/stability"
SMALL = encoded(crop("coffee", 64, 64))


def answered(house: House, path: str, headers: dict[str, str], **form: Any) -> httpx.Response:
    """The answer of a route that waits, whose job goes well."""
    answers: list[httpx.Response] = []

    def post() -> None:
        answers.append(house.http.post(path, headers=headers, **{"files": {"image": SMALL}} | form))

    thread = threading.Thread(target=post)
    thread.start()
    wait_for(house.desk.jobs.unfinished, 10, "the job")
    [job] = house.desk.jobs.unfinished()
    house.finish(job)
    thread.join(10)
    return answers[0]


def test_bytes_have_what_clients_look_for_in_headers(house: House) -> None:
    """One refuses a 200 without `finish-reason`; one sends neither creativity nor seed."""
    answer = answered(
        house,
        f"{UPSCALE}/conservative",
        house.key() | {"accept": "image/*", "stability-client-id": "x" * 256, "organization": "org-1"},
        data={"prompt": "a cup"},
    )
    assert (answer.status_code, answer.content) == (200, SMALL)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["finish-reason"] == "SUCCESS"
    assert int(answer.headers["seed"]) > 0
    again = house.http.get(f"/v2beta/results/{answer.headers['x-generation-id']}", headers=house.key())
    assert again.content == SMALL


@pytest.mark.parametrize("mode", ["fast", "conservative"])
def test_comfyuis_own_nodes_get_json_of_a_route_that_waits(house: House, mode: str) -> None:
    """They accept anything, expect JSON, name the part `image`, and send the key in a header of theirs."""
    key = {"x-api-key": house.key()["authorization"].removeprefix("Bearer "), "accept": "*/*"}
    files = {"image": ("image", SMALL, "application/octet-stream")}
    answer = answered(house, f"{PROXY}{UPSCALE}/{mode}", key, files=files, data={"prompt": "a cup"})
    body = answer.json()
    assert answer.headers["content-type"] == "application/json; type=image/png"
    assert (base64.b64decode(body["image"]), body["finish_reason"]) == (SMALL, "SUCCESS")
    assert not body.keys() & {"name", "errors"}, "by which they know a failure"
    large = {"image": ("image", encoded(crop("coffee", 31, 64)), "application/octet-stream")}
    refused = house.http.post(
        f"{PROXY}{UPSCALE}/{mode}", headers=key, files=large, data={"prompt": "a cup"}
    )
    assert (refused.status_code, refused.json()["name"]) == (400, "bad_request")
    assert refused.json()["errors"][0].startswith("image: ")


def test_numbers_may_have_trailing_zeros(house: House) -> None:
    """As a client in Go writes them."""
    data = {"prompt": "a cup", "creativity": "0.30", "seed": "0"}
    answer = house.http.post(f"{UPSCALE}/creative", headers=house.key(), files={"image": SMALL}, data=data)
    assert answer.status_code == 200
    [job] = house.desk.jobs.unfinished()
    assert house.desk.jobs.get(job).request.creativity == 0.3


def test_too_little_credit_has_the_name_that_clients_match(house: House) -> None:
    house.desk.accounts.workspaces.create("poor", 0)
    key = house.key("poor")
    answer = house.http.post(f"{UPSCALE}/fast", headers=key, files={"image": SMALL})
    assert (answer.status_code, answer.json()["name"]) == (402, "payment_required")
    assert answer.json()["errors"] == [answer.json()["message"]]
    assert answer.json()["message"].startswith("You lack sufficient credits to make this request.")
    path = "/v1/generation/esrgan-v1-x2plus/image-to-image/upscale"
    former = house.http.post(path, headers=key, files={"image": SMALL})
    assert (former.status_code, former.json().keys()) == (402, {"id", "name", "message"})
    assert house.http.get("/v1/user/balance", headers=key).json() == {"credits": 0}
