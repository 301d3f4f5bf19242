"""Every field of 1min.ai's feature requests: what it becomes, and what is refused with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from enlarger.dialects.onemin.order import SEED_MAX, read_order
from enlarger.request import Mode, UpscaleRequest
from tests.support.desk import Desk
from tests.support.house import House
from tests.support.onemin import FEATURES, IDEOGRAM, STABLE, assert_refused, feature, key_of, upload
from tests.support.photos import crop, encoded

KEY = "images/2026_03_01_12_00_00_100_cat.png"


def requests_of(model: str, **prompt: Any) -> tuple[UpscaleRequest, ...]:
    body = {"type": "IMAGE_UPSCALER", "model": model, "promptObject": {"imageUrl": KEY, **prompt}}
    return read_order(json.dumps(body).encode()).requests


@pytest.mark.parametrize(
    ("prompt", "target", "output_format"),
    [
        ({}, "4x", "png"),
        ({"scale": 2}, "2x", "png"),
        ({"scale": 4, "output_format": "png"}, "4x", "png"),
        ({"scale": 4.0, "output_format": "jpeg"}, "4x", "jpeg"),
        ({"scale": None, "output_format": None}, "4x", "png"),
        ({"output_format": "webp", "unknown": [1]}, "4x", "webp"),
        ({"prompt": 7, "num_images": 99, "seed": "x"}, "4x", "png"),
    ],
)
def test_stable_image_is_the_fast_engine(prompt: dict[str, Any], target: str, output_format: str) -> None:
    [request] = requests_of(STABLE, **prompt)
    assert (request.mode, request.target.text, request.output_format) == (Mode.FAST, target, output_format)


@pytest.mark.parametrize(
    ("prompt", "field", "value"),
    [
        ({}, "prompt", ""),
        ({"prompt": "x" * 10_000}, "prompt", "x" * 10_000),
        ({"prompt": None}, "prompt", ""),
        ({}, "image_fidelity", 0.5),
        ({"resemblance": 0}, "image_fidelity", 0.0),
        ({"resemblance": 100}, "image_fidelity", 1.0),
        ({}, "detail", 0.0),
        ({"detail": 0}, "detail", -1.0),
        ({"detail": 50.0}, "detail", 0.0),
        ({"detail": 100}, "detail", 1.0),
        ({"seed": 0}, "seed", 0),
        ({"seed": SEED_MAX}, "seed", SEED_MAX),
        ({"magic_prompt_option": "AUTO"}, "mode", Mode.CREATIVE),
        ({"magic_prompt_option": "ON"}, "prompt", ""),
        ({"magic_prompt_option": "OFF"}, "output_format", "png"),
        ({"scale": 3, "output_format": "gif"}, "output_format", "png"),
    ],
)
def test_ideogram_is_the_creative_engine(prompt: dict[str, Any], field: str, value: object) -> None:
    [request] = requests_of(IDEOGRAM, num_images=1, **prompt)
    assert getattr(request, field) == value
    assert (request.mode, request.target.text) == (Mode.CREATIVE, "2x")


def test_every_picture_has_a_seed_of_its_own() -> None:
    assert [one.seed for one in requests_of(IDEOGRAM, num_images=8, seed=SEED_MAX)] == [
        SEED_MAX + number for number in range(8)
    ]
    drawn = [one.seed for one in requests_of(IDEOGRAM, num_images=3)]
    assert drawn[1:] == [drawn[0] + 1, drawn[0] + 2]
    assert drawn != [one.seed for one in requests_of(IDEOGRAM, num_images=3)]


@pytest.mark.parametrize(
    ("prompt", "field", "name"),
    [
        ({"imageUrl": KEY}, "imageUrl", KEY),
        ({"imageList": [KEY]}, "imageList", KEY),
        ({"imageUrl": None, "imageList": [KEY]}, "imageList", KEY),
        ({"imageUrl": KEY, "imageList": None}, "imageUrl", KEY),
        ({"imageUrl": "", "imageList": [KEY]}, "imageList", KEY),
        ({"imageUrl": KEY, "imageList": [""]}, "imageUrl", KEY),
        ({"imageUrl": KEY, "imageList": [KEY]}, "imageUrl", KEY),
        ({"imageUrl": "x" * 4096}, "imageUrl", "x" * 4096),
    ],
)
def test_a_picture_is_named_in_either_way(prompt: dict[str, Any], field: str, name: str) -> None:
    body = {"type": "IMAGE_UPSCALER", "model": STABLE, "promptObject": prompt, "conversationId": "x"}
    source = read_order(json.dumps(body).encode()).source
    assert (source.field, source.name, source.is_url) == (f"promptObject.{field}", name, False)


BASE: dict[str, dict[str, Any]] = {
    STABLE: {"imageUrl": KEY},
    IDEOGRAM: {"imageUrl": KEY, "num_images": 1},
}
NO_NUMBERS: list[Any] = ["", "5", True, [1], {"a": 1}, 1.5, -1, 101, 10**40]
NO_TEXTS: list[Any] = [1, True, ["x"], {"a": "b"}]
PERCENT = "must be a whole number from 0 to 100"
FORMATS = "must be one of 'png', 'jpeg', 'webp'"
LIST = "must be a list of one key or URL"
WRONG: list[tuple[str, str, list[Any], str]] = [
    # Model, member, values, and what each of them is told.
    (STABLE, "scale", [0, 1, 3, 5, 8, -2, *NO_NUMBERS], "must be 2 or 4"),
    (STABLE, "output_format", ["", "gif", "PNG", "png ", *NO_TEXTS], FORMATS),
    (IDEOGRAM, "resemblance", NO_NUMBERS, PERCENT),
    (IDEOGRAM, "detail", NO_NUMBERS, PERCENT),
    (IDEOGRAM, "num_images", [0, 9, *NO_NUMBERS], "must be a whole number from 1 to 8"),
    (IDEOGRAM, "num_images", [None], "is required"),
    (IDEOGRAM, "seed", ["", "5", True, [], 1.5, -1, SEED_MAX + 1], f"from 0 to {SEED_MAX}"),
    (
        IDEOGRAM,
        "magic_prompt_option",
        ["", "auto", "MAYBE", *NO_TEXTS],
        "must be one of 'AUTO', 'ON', 'OFF'",
    ),
    (IDEOGRAM, "prompt", NO_TEXTS, "must be text"),
    (IDEOGRAM, "prompt", ["x" * 10_001], "must have at most 10000 characters, got 10001"),
]
for model in BASE:
    WRONG += [
        (model, "imageUrl", ["", None], "is required"),
        (model, "imageUrl", NO_TEXTS, "must be text"),
        (model, "imageUrl", ["x" * 4097], "must have at most 4096 characters, got 4097"),
        (model, "imageList", [["other"], [1]], "names another picture than imageUrl"),
    ]
LISTS: list[tuple[Any, str]] = [
    *((value, LIST) for value in ("", KEY, 1, {}, [], [KEY, KEY])),
    ([""], "is required"),
    ([None], "is required"),
    ([1], "must be text"),
]


def test_what_is_wrong_in_the_prompt_object_is_a_422(house: House) -> None:
    headers = house.key()
    cases = [
        (model, {**BASE[model], member: value}, f"{member}: ", text)
        for model, member, values, text in WRONG
        for value in values
    ]
    cases += [(STABLE, {"imageList": value}, "imageList: ", text) for value, text in LISTS]
    cases += [
        (STABLE, {}, "imageUrl: ", "is required"),
        (IDEOGRAM, {"imageUrl": KEY}, "num_images: ", "is"),
    ]
    assert len(cases) > 90
    for model, prompt, member, text in cases:
        response = feature(house, headers, prompt, model)
        assert_refused(response, 422, "bad_parameter", f"promptObject.{member}", text)
        [detail] = response.json()["error"]["details"]
        assert f"{detail['field']}: " == f"promptObject.{member}"
    assert house.desk.jobs.unfinished() == []
    assert house.get("/balance", headers).json()["available"] == "1000.000000"


def test_what_is_wrong_around_it_is_a_400_that_says_what_to_use(house: House) -> None:
    headers = house.key()
    good = {"type": "IMAGE_UPSCALER", "model": STABLE, "promptObject": {"imageUrl": KEY}}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"type": None}, "type: is required; use 'IMAGE_UPSCALER'"),
        ({"type": ""}, "type: is required"),
        ({"type": "image_upscaler"}, "use 'IMAGE_UPSCALER'"),
        ({"type": "CHAT_WITH_AI"}, "type: 'CHAT_WITH_AI' is not served here"),
        ({"type": 7}, "type: 7 is not served here"),
        ({"type": ["IMAGE_UPSCALER"]}, "type: a list is not served here"),
        ({"model": None}, "model: is required; use 'stable-image' or 'ideogram-3'"),
        ({"model": "clarity"}, "model: 'clarity' is not served here"),
        ({"model": {"a": 1}}, "model: an object is not served here"),
        ({"promptObject": None}, "promptObject: is required"),
        ({"promptObject": []}, "promptObject: must be an object, got a list"),
        ({"promptObject": KEY}, "promptObject: must be an object, got text"),
        ({"conversationId": 5}, "conversationId: must be text"),
    ]
    for change, text in refused:
        body = {**good, **change}
        assert_refused(house.http.post(FEATURES, headers=headers, json=body), 400, "bad_parameter", text)
    typed = headers | {"content-type": "application/json"}
    for content in (b"", b"{", b"[1]", b'"x"', b"null", b"\xff", b'{"a": "\\ud800"}', b"[" * 100_000):
        response = house.http.post(FEATURES, headers=typed, content=content)
        assert_refused(response, 400, "bad_parameter", "body: ")
    for content_type in ("text/plain", "multipart/form-data; boundary=b"):
        response = house.http.post(
            FEATURES, headers=headers | {"content-type": content_type}, content=b"{}"
        )
        assert_refused(response, 400, "bad_parameter", "content-type: must be application/json")
    long = house.http.post(FEATURES, headers=typed, content=b" " * 300_000)
    assert_refused(long, 413, "payload_too_large", "body: ")
    assert house.desk.jobs.unfinished() == []


def test_what_the_picture_is_refused_for(house: House, desk: Desk, tmp_path: Any) -> None:
    headers = house.key()
    for name in ("images/none.png", "x" * 400, "a\0b", "/", "../../etc/passwd", "ws/x/assets/y.png", "é"):
        response = feature(house, headers, {"imageUrl": name})
        assert response.status_code in (400, 404), name
        assert_refused(response, response.status_code, response.json()["code"])
    large = key_of(upload(house, headers, encoded(crop("coffee", 48, 40)) + bytes(10 * 2**20)))
    for field, prompt in (("imageUrl", {"imageUrl": large}), ("imageList", {"imageList": [large]})):
        response = feature(house, headers, {"num_images": 1, **prompt}, IDEOGRAM)
        assert_refused(response, 413, "picture_too_large", f"promptObject.{field}: ", str(10 * 2**20))
    assert house.desk.jobs.unfinished() == []
    with House.open(desk, tmp_path / "small", max_output_pixels=30_000) as small:
        response = feature(small, headers := small.key(), {"imageUrl": key_of(upload(small, headers))})
        assert_refused(response, 413, "picture_too_large", "promptObject.imageUrl: ")
