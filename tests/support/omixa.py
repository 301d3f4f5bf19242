"""Requests to Omixa's API as its clients write them."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from tests.support.house import House
from tests.support.photos import crop, encoded

GENERATIONS = "/api/v1/images/generations"
CONSERVATIVE, CREATIVE, FAST = (
    "stability-upscale-conservative",
    "stability-upscale-creative",
    "enlarger-fast",
)
SMALL = encoded(crop("coffee", 64, 64))


def data_url(picture: bytes, media_type: str = "image/png") -> str:
    """A picture in a URL."""
    return f"data:{media_type};base64,{base64.b64encode(picture).decode()}"


def inline(url: str) -> list[dict[str, Any]]:
    """`input_images` with one picture."""
    return [{"type": "image_url", "image_url": {"url": url}}]


def body_of(model: str = CREATIVE, **changes: Any) -> dict[str, Any]:
    """A request that is taken, with changes; `...` leaves a field out."""
    body: dict[str, Any] = {"model": model, "input_images": inline(data_url(SMALL)), "prompt": "a cup"}
    return {name: value for name, value in (body | changes).items() if value is not ...}


def send(house: House, headers: dict[str, str], model: str = CREATIVE, **changes: Any) -> httpx.Response:
    """Ask for an upscale."""
    return house.http.post(GENERATIONS, headers=headers, json=body_of(model, **changes))


def assert_error(
    answer: httpx.Response, status: int, kind: str, code: str, param: str | None = None, text: str = ""
) -> None:
    """The one shape of an error, whatever the cause."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.json().keys() == {"error"}
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "code", "param"}
    assert (error["type"], error["code"], error["param"]) == (kind, code, param), error
    assert text in error["message"], error
