"""Stability's conservative and creative upscales, results, and what is left of v1."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from enlarger.dialects.presets import StylePreset
from enlarger.engine.look.presets import PRESETS
from enlarger.errors import InferenceCrashed
from enlarger.service import service
from tests.support.desk import Desk
from tests.support.house import House
from tests.support.photos import crop, encoded
from tests.support.running import RunningServer

UPSCALE = "/v2beta/stable-image/upscale"
CONSERVATIVE, CREATIVE = f"{UPSCALE}/conservative", f"{UPSCALE}/creative"
RESULTS = ("/v2beta/results/", f"{CREATIVE}/result/", "/v2alpha/generation/stable-image/upscale/result/")
SMALL = encoded(crop("coffee", 64, 64))
ID = re.compile(r"[0-9a-f]{64}")


def send(
    house: House, path: str, headers: dict[str, str], image: bytes = SMALL, **data: str
) -> httpx.Response:
    return house.http.post(path, headers=headers, files={"image": image}, data={"prompt": "a cup"} | data)


def request_of(house: House) -> dict[str, Any]:
    """What the last job was asked to do."""
    page = house.desk.jobs.page(house.desk.accounts.workspaces.get("default").id)
    job = page.jobs[0]
    return vars(job.request) | {"target": job.request.target.text}


def assert_refused(response: httpx.Response, text: str, status: int = 400) -> None:
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() == {"id", "name", "errors", "message"}
    assert text in body["message"], body


def test_the_presets_are_the_engines() -> None:
    assert {str(preset) for preset in StylePreset} == set(PRESETS)
    assert len(StylePreset) == 17


def test_a_creative_upscale_is_an_id_whatever_is_accepted(house: House) -> None:
    key = house.key()
    for accept in ("image/*", "*/*", "application/json"):
        response = send(
            house, CREATIVE, key | {"accept": accept}, style_preset="anime", creativity="0.1", seed="7"
        )
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/json"
        body = response.json()
        assert body.keys() == {"id", "status"}
        assert ID.fullmatch(body["id"])
        assert body["status"] == "in-progress"
    asked = request_of(house)
    assert (asked["mode"], asked["style_preset"], asked["creativity"], asked["seed"]) == (
        "creative",
        "anime",
        0.1,
        7,
    )
    assert asked["target"] == "4194304px"


@pytest.mark.parametrize("path", RESULTS)
def test_a_result_is_fetched_until_it_is_there_and_as_often_as_wanted(house: House, path: str) -> None:
    key = house.key()
    generation = send(house, CREATIVE, key, output_format="png").json()["id"]
    waiting = house.http.get(path + generation, headers=key)
    assert waiting.status_code == 202
    assert waiting.json() == {"id": generation, "status": "in-progress"}
    [row] = house.desk.rows("SELECT id FROM jobs")
    house.finish(row.id)
    for _ in range(2):
        done = house.http.get(path + generation, headers=key)
        assert (done.status_code, done.headers["content-type"]) == (200, "image/png")
        assert (done.content, done.headers["finish-reason"]) == (SMALL, "SUCCESS")
        assert int(done.headers["seed"]) > 0
    body = house.http.get(
        path + generation, headers=key | {"accept": "application/json; type=image/png"}
    ).json()
    assert body.keys() == {"image", "result", "finish_reason", "seed"}
    assert base64.b64decode(body["image"]) == base64.b64decode(body["result"]) == SMALL


def test_another_workspaces_result_is_not_there(house: House) -> None:
    house.desk.accounts.workspaces.create("other", None)
    generation = send(house, CREATIVE, house.key()).json()["id"]
    for id_ in (generation, "0" * 64, "x", "%00"):
        response = house.http.get(RESULTS[0] + id_, headers=house.key("other"))
        assert_refused(response, "id: the generation either does not exist or has expired.", 404)
        assert response.json()["name"] == "generation_not_found"


def test_a_generation_that_failed_is_an_error_and_costs_nothing(house: House) -> None:
    key = house.key()
    before = house.http.get("/v1/user/balance", headers=key).json()
    generation = send(house, CREATIVE, key).json()["id"]
    assert house.http.get("/v1/user/balance", headers=key).json()["credits"] == before["credits"] - 60
    [row] = house.desk.rows("SELECT id FROM jobs")
    house.desk.jobs.fail(row.id, InferenceCrashed())
    response = house.http.get(RESULTS[0] + generation, headers=key)
    assert_refused(response, "An unexpected server error", 500)
    assert house.http.get("/v1/user/balance", headers=key).json() == before


@pytest.mark.parametrize("end", ["fail", "cancel", "finish"])
def test_a_generation_is_gone_when_it_expires_however_it_ended(
    house: House, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    key = house.key()
    generation = send(house, CREATIVE, key).json()["id"]
    [row] = house.desk.rows("SELECT id, workspace_id FROM jobs")
    status = {"fail": 500, "cancel": 409, "finish": 200}[end]
    match end:
        case "fail":
            house.desk.jobs.fail(row.id, InferenceCrashed())
        case "cancel":
            house.desk.jobs.cancel(row.id, row.workspace_id)
        case "finish":
            house.finish(row.id)
    assert house.http.get(RESULTS[0] + generation, headers=key).status_code == status
    own = house.get(f"/jobs/{row.id}/result", key)
    assert own.status_code == {"fail": 500, "cancel": 404, "finish": 200}[end]
    [expires_ms] = house.desk.rows("SELECT expires_ms FROM jobs")[0]
    for moment_ms, wanted in ((expires_ms - 1, status), (expires_ms, 404)):
        monkeypatch.setattr(service, "now_ms", lambda moment_ms=moment_ms: moment_ms)
        for path in RESULTS:
            assert house.http.get(path + generation, headers=key).status_code == wanted
    assert house.get(f"/jobs/{row.id}/result", key).status_code == 404


def test_a_conservative_upscale_is_an_id_for_who_prefers_that(house: House) -> None:
    key = house.key()
    response = send(house, CONSERVATIVE, key | {"prefer": "return=minimal, respond-async"})
    assert (response.status_code, response.headers["preference-applied"]) == (200, "respond-async")
    assert response.json()["status"] == "in-progress"
    asked = request_of(house)
    assert (asked["mode"], asked["creativity"], asked["style_preset"]) == ("conservative", 0.35, None)
    assert asked["seed"] > 0
    [row] = house.desk.rows("SELECT id FROM jobs")
    house.finish(row.id)
    assert house.http.get(RESULTS[0] + response.json()["id"], headers=key).content == SMALL


WRONG = [
    ("seed", "-1", "seed: must be a whole number between 0 and 4294967294"),
    ("seed", "4294967295", "seed: must be a whole number"),
    ("seed", "1.5", "seed: must be a whole number"),
    ("seed", "one", "seed: must be a whole number"),
    ("seed", "", "seed: must be a whole number"),
    ("creativity", "0.51", "creativity: must be between"),
    ("creativity", "nan", "creativity: must be between"),
    ("creativity", "much", "creativity: must be a number"),
    ("creativity", "", "creativity: must be a number"),
    ("output_format", "gif", "output_format: invalid enum value. Expected 'jpeg' | 'png' | 'webp'"),
    ("prompt", "", "prompt: is required"),
    ("prompt", "x" * 10_001, "prompt: must have at most 10000 characters, got 10001"),
    ("negative_prompt", "x" * 10_001, "negative_prompt: must have at most 10000"),
]


@pytest.mark.parametrize("path", [CONSERVATIVE, CREATIVE])
@pytest.mark.parametrize(("field", "value", "text"), WRONG)
def test_a_wrong_field_is_named_and_nothing_is_kept(
    shared_house: House, path: str, field: str, value: str, text: str
) -> None:
    key = shared_house.key()
    before = shared_house.jobs()
    assert_refused(send(shared_house, path, key, **{field: value}), text)
    assert shared_house.jobs() == before


ASYNC = {"prefer": "respond-async"}


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (CONSERVATIVE, {"creativity": "0.2"}),
        (CONSERVATIVE, {"creativity": "0.5", "seed": "0", "negative_prompt": ""}),
        (CREATIVE, {"creativity": "0.1", "seed": "4294967294"}),
        (CREATIVE, {"creativity": "0.5", "prompt": "x" * 10_000, "negative_prompt": "y" * 10_000}),
        (CREATIVE, {"mode": "image-to-image", "style": "True", "api_key_override": "ignored"}),
        *[(CREATIVE, {"style_preset": str(preset)}) for preset in StylePreset],
    ],
)
def test_the_limits_themselves_and_unknown_fields_are_allowed(
    shared_house: House, path: str, data: dict[str, str]
) -> None:
    assert send(shared_house, path, shared_house.key() | ASYNC, **data).status_code == 200


def test_what_is_out_of_one_modes_range_alone(house: House) -> None:
    key = house.key()
    assert_refused(
        send(house, CONSERVATIVE, key, creativity="0.19"), "creativity: must be between 0.2 and 0.5"
    )
    assert_refused(send(house, CREATIVE, key, creativity="0.09"), "creativity: must be between 0.1 and 0.5")
    assert_refused(send(house, CREATIVE, key, style_preset="baroque"), "style_preset: invalid enum value")
    assert send(house, CONSERVATIVE, key | ASYNC, style_preset="baroque").status_code == 200
    missing = house.http.post(CREATIVE, headers=key, files={"image": SMALL})
    assert_refused(missing, "prompt: is required")
    a_file = house.http.post(CREATIVE, headers=key, files={"image": SMALL, "prompt": ("p.txt", b"a cup")})
    assert_refused(a_file, "prompt: must be text, sent without a filename")
    assert_refused(house.http.post(CREATIVE, headers=key, data={"prompt": "a cup"}), "content-type")


@pytest.mark.parametrize("path", [CREATIVE, "/enlarger/v1/jobs", "/api/assets"])
@pytest.mark.parametrize("field", ["prompt", "image"])
def test_a_text_beyond_what_is_read_of_one_is_named(house: House, path: str, field: str) -> None:
    """A picture without a filename is a text too."""
    files = {"image": SMALL, "asset": SMALL, field: (None, b"x" * (64 * 1024 + 1))}
    response = house.http.post(path, headers=house.key(), files=files)
    assert response.status_code == 400
    text = "is text of more than 65536 bytes; a prompt may have 10000 characters, and a picture"
    assert text in response.text
    assert f"{field}: {text}" in response.text or f"{field} {text}" in response.text


def blank(width: int, height: int) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    ("path", "size", "text"),
    [
        (CONSERVATIVE, (63, 100), "image: width must be at least 64 pixels, got 63"),
        (CONSERVATIVE, (64, 161), "image: aspect ratio must be between 1:2.5 and 2.5:1, got 64:161"),
        (CONSERVATIVE, (3073, 3072), "image: total pixel count must be between 4096 and 9437184"),
        (CREATIVE, (64, 63), "image: height must be at least 64"),
        (CREATIVE, (1025, 1024), "image: total pixel count must be between 4096 and 1048576"),
    ],
)
def test_a_picture_out_of_bounds_is_refused(
    shared_house: House, path: str, size: tuple[int, int], text: str
) -> None:
    assert_refused(send(shared_house, path, shared_house.key() | ASYNC, image=blank(*size)), text)


@pytest.mark.parametrize(
    ("path", "size"), [(CONSERVATIVE, (64, 160)), (CONSERVATIVE, (3072, 3072)), (CREATIVE, (64, 1000))]
)
def test_a_picture_at_the_bounds_is_taken(shared_house: House, path: str, size: tuple[int, int]) -> None:
    assert send(shared_house, path, shared_house.key() | ASYNC, image=blank(*size)).status_code == 200


def test_a_repeated_start_has_the_same_id(house: House) -> None:
    key = house.key() | {"idempotency-key": "once"}
    first, second = (send(house, CREATIVE, key) for _ in range(2))
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert len(house.desk.rows("SELECT id FROM jobs")) == 1
    assert send(house, CREATIVE, key, prompt="a mug").status_code == 409


def test_comfyui_calls_below_a_prefix_and_expects_json_of_anything(house: House) -> None:
    secret = house.key()["authorization"].removeprefix("Bearer ")
    key = {"x-api-key": secret, "accept": "*/*"}
    generation = send(house, "/proxy/stability" + CREATIVE, key).json()["id"]
    [row] = house.desk.rows("SELECT id FROM jobs")
    house.finish(row.id)
    body = house.http.get("/proxy/stability" + RESULTS[0] + generation, headers=key).json()
    assert base64.b64decode(body["result"]) == SMALL
    assert house.http.get(RESULTS[0] + generation, headers=key).content == SMALL
    missing = house.http.get("/proxy/stability/v2beta/results/nothing", headers=key)
    assert_refused(missing, "id: the generation", 404)


@pytest.mark.parametrize("size", [(1295, 810), (1145, 916), (1183, 887)])
def test_what_comfyui_shrinks_by_rounding_each_side_is_taken_below_its_prefix_alone(
    shared_house: House, size: tuple[int, int]
) -> None:
    key, picture = shared_house.key(), blank(*size)
    assert send(shared_house, "/proxy/stability" + CREATIVE, key, image=picture).status_code == 200
    for path in (CREATIVE, "/stability" + CREATIVE):
        text = f"total pixel count must be between 4096 and 1048576, got {size[0] * size[1]}"
        assert_refused(send(shared_house, path, key, image=picture), text)
    beyond = send(shared_house, "/proxy/stability" + CREATIVE, key, image=blank(size[0] + 1, size[1] + 1))
    assert_refused(beyond, "total pixel count")


def test_a_result_that_is_too_large_is_the_pictures_fault(desk: Desk, tmp_path: Path) -> None:
    """No form of the vendor's has a target."""
    with House.open(desk, tmp_path / "small", max_output_pixels=10_000) as house:
        response = send(house, CREATIVE, house.key())
        assert_refused(response, "image: 64x64 at 4194304px gives 2048x2048")


def test_the_engines_of_v1(house: House) -> None:
    key = house.key()
    [engine] = house.http.get("/v1/engines/list", headers=key).json()
    assert engine.keys() == {"id", "name", "description", "type"}
    assert house.http.get("/v1/engines/list").json()["name"] == "unauthorized"
    path = "/v1/generation/{}/image-to-image/upscale"
    response = house.http.post(path.format("stable-diffusion"), headers=key, files={"image": SMALL})
    assert (response.status_code, response.json().keys()) == (404, {"id", "name", "message"})
    for data in ({"width": "511"}, {"height": "x"}, {"width": "512", "height": "512"}, {"width": "99999"}):
        response = house.http.post(
            path.format(engine["id"]), headers=key, files={"image": SMALL}, data=data
        )
        assert (response.status_code, response.json()["name"]) == (400, "bad_request")
    assert house.desk.rows("SELECT id FROM jobs") == []


@pytest.mark.parametrize(
    ("source", "data", "size"),
    [
        ((64, 64), {}, (128, 128)),
        ((64, 64), {"width": "512"}, (512, 512)),
        ((64, 64), {"width": "1024"}, (1024, 1024)),
        # Never smaller than the input, and no refusal: old clients always send the same width.
        ((600, 40), {"width": "512"}, (600, 40)),
    ],
)
@pytest.mark.parametrize("accept", ["image/png", "application/json"])
def test_the_upscale_of_v1(
    server: RunningServer,
    source: tuple[int, int],
    data: dict[str, str],
    size: tuple[int, int],
    accept: str,
) -> None:
    with server.client() as client:
        path = "/v1/generation/esrgan-v1-x2plus/image-to-image/upscale"
        files = {"image": encoded(crop("coffee", *source))}
        response = client.post(path, files=files, data=data, headers={"accept": accept})
    assert response.status_code == 200, response.text
    picture = response.content
    if accept == "application/json":
        [artifact] = response.json()["artifacts"]
        assert artifact["finishReason"] == "SUCCESS"
        picture = base64.b64decode(artifact["base64"])
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == size


def test_a_conservative_upscale_has_four_megapixels_in_the_inputs_shape(server: RunningServer) -> None:
    """A creative one too: `test_doors_agree.py`."""
    wide = encoded(crop("coffee", 160, 128))
    fields = {"prompt": "a cup of coffee", "output_format": "jpeg", "seed": "11"}
    with server.client() as client:
        headers = {"accept": "application/json"}
        conservative = client.post(CONSERVATIVE, files={"image": wide}, data=fields, headers=headers)
        assert conservative.status_code == 200, conservative.text
        body = conservative.json()
        assert body.keys() == {"image", "finish_reason", "seed", "id", "status"}
        assert (body["status"], body["seed"]) == ("complete", 11)
        again = client.get(RESULTS[0] + body["id"])
    assert again.content == base64.b64decode(body["image"])
    with Image.open(io.BytesIO(again.content)) as image:
        assert (image.format, image.size) == ("JPEG", (2290, 1832))
