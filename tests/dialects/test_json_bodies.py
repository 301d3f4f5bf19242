"""JSON that is small on the wire and large in memory is refused by every door before it is decoded."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from tests.support.house import House
from tests.support.omixa import CREATIVE, GENERATIONS, assert_error, send
from tests.support.working import working

MEBIBYTE = 2**20
UNKNOWN, EMPTY = b'"x":0,', b"[],"
OMIXA = b'{"model":"%s","prompt":"a cup",' % CREATIVE.encode()
BODIES = {
    "members": (GENERATIONS, 20, OMIXA, UNKNOWN, b'"y":0}'),
    "nested": (GENERATIONS, 20, OMIXA + b'"input_images":[{"image_url":{', UNKNOWN, b'"y":0}}]}'),
    "items": (GENERATIONS, 20, OMIXA + b'"input_images":[', EMPTY, b"0]}"),
    "scenario": ("/v1/generate/upscale", 70, b'{"x":[', EMPTY, b"0]}"),
    "asset": ("/v1/assets", 70, b'{"x":[', b"[[[[[[[[]]]]]]]],", b"0]}"),
    "onemin": ("/api/features", 0.25, b'{"x":[', EMPTY, b"0]}"),
}
"""Path, the door's limit in MiB, how the body begins, what fills it, and how it ends."""


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_very_many_values_costs_little_more_than_its_bytes(house: House, name: str) -> None:
    path, mebibytes, head, filler, tail = BODIES[name]
    size = round(mebibytes * MEBIBYTE) - len(head) - len(tail)
    body = head + filler * (size // len(filler)) + tail
    headers = house.key() | {"content-type": "application/json"}
    tracemalloc.start()
    started = time.monotonic()
    try:
        answer = house.http.post(path, headers=headers, content=body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 5
    # The client's own copy and ours, in pieces and joined.
    assert peak < 6 * len(body) + 16 * MEBIBYTE
    text = "body: must have at most 32768 values"
    if path == GENERATIONS:
        assert_error(answer, 422, "validation_error", "invalid_value", "body", text)
    else:
        assert answer.status_code == 400, answer.text
        assert text in answer.json()["message"]


def test_two_prompts_of_nothing_but_commas_are_taken(house: House) -> None:
    with working(house):
        answer = send(house, house.key(), prompt="," * 10_000, negative_prompt="," * 10_000)
    assert answer.status_code == 200, answer.text
