"""Every field of Omixa's upscales: bounds, what is beyond them, wrong, missing, empty, null, unknown."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from enlarger.dialects.omixa.schemas import EXAMPLES
from enlarger.dialects.presets import StylePreset
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

URL = "input_images[0].image_url.url"
MISSING, INVALID, UNSUPPORTED = "missing_field", "invalid_value", "unsupported_option"
GUIDED = (CONSERVATIVE, CREATIVE)
EVERY = (*GUIDED, FAST)


@pytest.fixture
def desk(sqlite_desk: Path, tmp_path: Path) -> Iterator[Desk]:
    """On SQLite alone: what a field may be is no matter of the database."""
    with Desk.at(f"sqlite:///{shutil.copy(sqlite_desk, tmp_path / 'test.db')}") as desk:
        yield desk


def blank(width: int, height: int, format_: str = "PNG") -> str:
    """A data URL of a grey picture."""
    data = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(data, format_)
    return data_url(data.getvalue())


def image(**changes: Any) -> list[dict[str, Any]]:
    """`input_images` with one entry that is changed."""
    entry = inline(data_url(SMALL))[0] | changes
    return [{name: value for name, value in entry.items() if value is not ...}]


WRONG: list[tuple[tuple[str, ...], dict[str, Any], str, str, str]] = [
    # models, what is sent, code, param, what the message has
    ((CREATIVE,), {"model": ...}, MISSING, "model", "is required"),
    ((CREATIVE,), {"model": None}, MISSING, "model", "is required"),
    ((CREATIVE,), {"model": ""}, INVALID, "model", "must be one of stability-upscale-conservative, "),
    ((CREATIVE,), {"model": "dall-e-3"}, INVALID, "model", "got 'dall-e-3'"),
    ((CREATIVE,), {"model": 3}, INVALID, "model", "must be one of"),
    ((CREATIVE,), {"model": "creative"}, INVALID, "model", "must be one of"),
    (GUIDED, {"prompt": ...}, MISSING, "prompt", "is required"),
    (GUIDED, {"prompt": None}, MISSING, "prompt", "is required"),
    (GUIDED, {"prompt": ""}, INVALID, "prompt", "must have at least 1 character, got 0"),
    (EVERY, {"prompt": "x" * 10_001}, INVALID, "prompt", "must have at most 10000 characters, got 10001"),
    (EVERY, {"prompt": 7}, INVALID, "prompt", "must be text"),
    (EVERY, {"prompt": ["a cup"]}, INVALID, "prompt", "must be text"),
    (GUIDED, {"negative_prompt": "x" * 10_001}, INVALID, "negative_prompt", "at most 10000 characters"),
    (GUIDED, {"negative_prompt": {}}, INVALID, "negative_prompt", "must be text"),
    ((FAST,), {"negative_prompt": "x"}, UNSUPPORTED, "negative_prompt", "only send options supported"),
    (EVERY, {"seed": -1}, INVALID, "seed", "must be at least 0, got -1"),
    (EVERY, {"seed": 4_294_967_295}, INVALID, "seed", "must be at most 4294967294, got 4294967295"),
    (EVERY, {"seed": 1.5}, INVALID, "seed", "must be a whole number, got 1.5"),
    (EVERY, {"seed": "7"}, INVALID, "seed", 'must be a whole number, got "7"'),
    (EVERY, {"seed": ""}, INVALID, "seed", "must be a whole number"),
    (EVERY, {"seed": True}, INVALID, "seed", "must be a whole number, got true"),
    (EVERY, {"seed": [7]}, INVALID, "seed", "must be a whole number"),
    (EVERY, {"seed": 10**30}, INVALID, "seed", "must be at most 4294967294"),
    ((CONSERVATIVE,), {"creativity": 0.19}, INVALID, "creativity", "must be at least 0.2, got 0.19"),
    ((CREATIVE,), {"creativity": 0.09}, INVALID, "creativity", "must be at least 0.1, got 0.09"),
    (GUIDED, {"creativity": 0.51}, INVALID, "creativity", "must be at most 0.5, got 0.51"),
    (GUIDED, {"creativity": "0.3"}, INVALID, "creativity", 'must be a number, got "0.3"'),
    (GUIDED, {"creativity": False}, INVALID, "creativity", "must be a number, got false"),
    (GUIDED, {"creativity": float("nan")}, INVALID, "creativity", "must be a finite number"),
    (GUIDED, {"creativity": float("inf")}, INVALID, "creativity", "must be a finite number"),
    ((FAST,), {"creativity": 0.3}, UNSUPPORTED, "creativity", "only send options supported"),
    ((CREATIVE,), {"style_preset": "baroque"}, INVALID, "style_preset", "'tile-texture', got \"baroque\""),
    ((CREATIVE,), {"style_preset": ""}, INVALID, "style_preset", "'enhance', 'anime', 'photographic'"),
    ((CREATIVE,), {"style_preset": 1}, INVALID, "style_preset", "must be"),
    ((CONSERVATIVE, FAST), {"style_preset": "anime"}, UNSUPPORTED, "style_preset", "only send options"),
    (EVERY, {"output_format": "gif"}, INVALID, "output_format", "'png', 'jpeg' or 'webp', got \"gif\""),
    (EVERY, {"output_format": "PNG"}, INVALID, "output_format", "must be 'png'"),
    (EVERY, {"output_format": ""}, INVALID, "output_format", "must be 'png'"),
    (EVERY, {"output_format": 1}, INVALID, "output_format", "must be 'png'"),
    (EVERY, {"n": 2}, INVALID, "n", "must be at most 1, got 2"),
    (EVERY, {"n": 0}, INVALID, "n", "must be at least 1, got 0"),
    (EVERY, {"n": "1"}, INVALID, "n", "must be a whole number"),
    (EVERY, {"response_format": "url"}, INVALID, "response_format", "must be 'b64_json', got \"url\""),
    *[
        (EVERY, {name: value}, UNSUPPORTED, name, "only send options supported by this model")
        for name, value in {
            "size": "auto",
            "quality": "high",
            "background": "auto",
            "moderation": "low",
            "input_fidelity": "high",
            "mask": data_url(SMALL),
            "user": "someone",
            "stream": False,
            "anything": None,
        }.items()
    ],
    (EVERY, {"input_images": ...}, MISSING, "input_images", "is required"),
    (EVERY, {"input_images": None}, MISSING, "input_images", "is required"),
    (EVERY, {"input_images": []}, INVALID, "input_images", "must have exactly one entry, got 0"),
    (EVERY, {"input_images": image() * 2}, INVALID, "input_images", "must have exactly one entry, got 2"),
    (EVERY, {"input_images": data_url(SMALL)}, INVALID, "input_images", "must be an array"),
    (EVERY, {"input_images": [data_url(SMALL)]}, INVALID, "input_images[0]", "must be an object"),
    (EVERY, {"input_images": image(type=...)}, MISSING, "input_images[0].type", "is required"),
    (EVERY, {"input_images": image(type="input_image")}, INVALID, "input_images[0].type", "'image_url'"),
    (EVERY, {"input_images": image(name="a")}, UNSUPPORTED, "input_images[0].name", "only send options"),
    (EVERY, {"input_images": image(image_url=...)}, MISSING, "input_images[0].image_url", "is required"),
    (EVERY, {"input_images": image(image_url="data:,")}, INVALID, "input_images[0].image_url", "an object"),
    (EVERY, {"input_images": image(image_url={})}, MISSING, URL, "is required"),
    (EVERY, {"input_images": image(image_url={"url": 5})}, INVALID, URL, "must be text"),
    (EVERY, {"input_images": inline("")}, INVALID, URL, "must be an inline data URL"),
    (EVERY, {"input_images": inline("https://a.example/b.png")}, INVALID, URL, "no URL is fetched"),
    (EVERY, {"input_images": inline("file:///etc/passwd")}, INVALID, URL, "no URL is fetched"),
    (EVERY, {"input_images": inline("data:image/png,abc")}, INVALID, URL, "must be a data URL in base64"),
    (
        EVERY,
        {"input_images": inline("data:image/png;base64")},
        INVALID,
        URL,
        "must be a data URL in base64",
    ),
    (EVERY, {"input_images": inline("data:image/png;base64,")}, INVALID, URL, "no picture after the comma"),
    (EVERY, {"input_images": inline("data:image/png;base64,A")}, INVALID, URL, "no base64"),
    (EVERY, {"input_images": inline("data:image/png;base64,ab_-")}, INVALID, URL, "no base64"),
    (EVERY, {"input_images": inline("data:image/png;base64,aGVsbG8=")}, INVALID, "input_images", "not a"),
    (EVERY, {"input_images": inline(blank(64, 64, "GIF"))}, INVALID, "input_images", "not a"),
    (EVERY, {"input_images": inline(blank(64, 64, "TIFF"))}, INVALID, "input_images", "not a"),
    (
        GUIDED,
        {"input_images": inline(blank(63, 100))},
        INVALID,
        "input_images",
        "at least 64 pixels, got 63",
    ),
    (GUIDED, {"input_images": inline(blank(100, 63))}, INVALID, "input_images", "height must be at least"),
    (
        (CONSERVATIVE,),
        {"input_images": inline(blank(64, 161))},
        INVALID,
        "input_images",
        "aspect ratio must be between 1:2.5 and 2.5:1, got 64:161",
    ),
    ((CONSERVATIVE,), {"input_images": inline(blank(3073, 3072))}, INVALID, "input_images", "and 9437184"),
    ((CREATIVE,), {"input_images": inline(blank(1025, 1024))}, INVALID, "input_images", "got 1049600"),
    ((FAST,), {"input_images": inline(blank(1025, 1024))}, INVALID, "input_images", "got 1049600"),
    ((FAST,), {"input_images": inline(blank(31, 64))}, INVALID, "input_images", "between 32 and 1536"),
    ((FAST,), {"input_images": inline(blank(1537, 64))}, INVALID, "input_images", "got 1537"),
]


def test_what_is_wrong_is_named_with_its_limit_and_nothing_is_kept(house: House) -> None:
    key = house.key()
    rows = 0
    for models, changes, code, param, text in WRONG:
        for model in models:
            body = json.dumps(body_of(**{"model": model} | changes))
            answer = house.http.post(
                GENERATIONS, headers=key | {"content-type": "application/json"}, content=body
            )
            assert_error(answer, 422, "validation_error", code, param, text)
            assert len(answer.text) < 600, "and the picture or the prompt is not told again"
            rows += 1
    assert rows > 150
    assert house.desk.rows("SELECT id FROM jobs") == []
    assert house.desk.rows("SELECT job_id FROM holds") == []


def jpeg() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), "grey").save(data, "JPEG")
    return data.getvalue()


RIGHT: list[tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]] = [
    # models, what is sent, what is asked of the engine
    (EVERY, {}, {"output_format": "png"}),
    *[
        (EVERY, {"output_format": format_}, {"output_format": format_})
        for format_ in ("png", "jpeg", "webp")
    ],
    (GUIDED, {"prompt": "x"}, {"prompt": "x"}),
    (EVERY, {"prompt": "ü" * 10_000}, {"prompt": "ü" * 10_000}),
    ((FAST,), {"prompt": ...}, {"prompt": ""}),
    ((FAST,), {"prompt": ""}, {"prompt": ""}),
    ((FAST,), {"prompt": None}, {"prompt": ""}),
    (GUIDED, {"negative_prompt": ""}, {"negative_prompt": ""}),
    (GUIDED, {"negative_prompt": None}, {"negative_prompt": ""}),
    (GUIDED, {"negative_prompt": "y" * 10_000}, {"negative_prompt": "y" * 10_000}),
    (EVERY, {"seed": 1}, {"seed": 1}),
    (EVERY, {"seed": 7.0}, {"seed": 7}),
    (EVERY, {"seed": 4_294_967_294}, {"seed": 4_294_967_294}),
    ((CONSERVATIVE,), {"creativity": 0.2}, {"creativity": 0.2}),
    ((CONSERVATIVE,), {}, {"creativity": 0.35, "target": "4194304px", "mode": "conservative"}),
    ((CONSERVATIVE,), {"creativity": None}, {"creativity": 0.35}),
    ((CREATIVE,), {"creativity": 0.1}, {"creativity": 0.1}),
    ((CREATIVE,), {}, {"creativity": 0.3, "style_preset": None, "target": "4194304px", "mode": "creative"}),
    ((CREATIVE,), {"style_preset": None}, {"style_preset": None}),
    (GUIDED, {"creativity": 0.5}, {"creativity": 0.5}),
    ((FAST,), {}, {"creativity": None, "target": "4x", "mode": "fast"}),
    *[((CREATIVE,), {"style_preset": str(one)}, {"style_preset": str(one)}) for one in StylePreset],
    (EVERY, {"n": 1, "response_format": "b64_json"}, {}),
    (EVERY, {"n": None, "response_format": None, "output_format": None}, {"output_format": "png"}),
    (EVERY, {"input_images": inline(data_url(SMALL, "image/jpg"))}, {}),
    (EVERY, {"input_images": inline(data_url(jpeg(), "image/png"))}, {}),
    (EVERY, {"input_images": inline(data_url(SMALL, "application/octet-stream;name=a"))}, {}),
    (EVERY, {"input_images": inline(data_url(SMALL, "").replace("data:", "DATA:"))}, {}),
    (EVERY, {"input_images": inline(data_url(SMALL).rstrip("="))}, {}),
    (EVERY, {"input_images": inline("data:image/png;base64," + base64.encodebytes(SMALL).decode())}, {}),
    (GUIDED, {"input_images": inline(blank(64, 160, "WEBP"))}, {}),
    ((CONSERVATIVE,), {"input_images": inline(blank(3072, 3072))}, {}),
    ((CREATIVE,), {"input_images": inline(blank(1024, 1024))}, {}),
    ((FAST,), {"input_images": inline(blank(32, 32))}, {}),
    ((FAST,), {"input_images": inline(blank(1536, 682))}, {}),
]


def test_the_limits_themselves_are_allowed_and_become_the_canonical_request(house: House) -> None:
    key = house.key()
    workspace = house.desk.accounts.workspaces.get("default").id
    with working(house):
        for models, changes, asked in RIGHT:
            for model in models:
                answer = send(house, key, model, **changes)
                assert answer.status_code == 200, (model, list(changes), answer.text[:300])
                [job] = house.desk.jobs.page(workspace, limit=1).jobs
                request = vars(job.request) | {"target": job.request.target.text}
                assert {name: request[name] for name in asked} == asked
                assert int(answer.headers["x-enlarger-seed"]) == request["seed"] > 0


def test_a_body_that_is_no_json_object(house: House) -> None:
    key = house.key() | {"content-type": "application/json"}
    for body in (b"", b"{", b"not json", b"\xff\xfe", b"[" * 10_000, b'{"model": "\\ud800"}'):
        answer = house.http.post(GENERATIONS, headers=key, content=body)
        assert_error(answer, 422, "validation_error", "invalid_json", "body", "must be JSON")
    for body in (b"[]", b"5", b'"text"'):
        answer = house.http.post(GENERATIONS, headers=key, content=body)
        assert_error(answer, 422, "validation_error", INVALID, "body", "must be an object")
    for kind in ("", "text/plain", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"):
        answer = house.http.post(GENERATIONS, headers=key | {"content-type": kind}, content=b"{}")
        assert_error(answer, 422, "validation_error", INVALID, "content-type")


def test_the_documents_own_examples_are_taken(house: House) -> None:
    with working(house):
        for example in EXAMPLES.values():
            answer = house.http.post(GENERATIONS, headers=house.key(), json=example["value"])
            assert answer.status_code == 200, answer.text[:300]
