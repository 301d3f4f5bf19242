"""Scenario's two ways to an upscale: every field, its limits, what it becomes and what it costs."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image
from starlette.requests import Request

from enlarger.dialects.scenario.errors import render_error
from enlarger.dialects.scenario.generate import stem_of
from enlarger.dialects.scenario.units import units_of
from enlarger.errors import (
    BadKey,
    Cancelled,
    DeadlineExceeded,
    EncodedBody,
    EnlargerError,
    IdempotencyConflict,
    InferenceCrashed,
    NotAllowed,
    NotFound,
    OutOfCredit,
    PictureTooLarge,
    QueueFull,
    RateLimited,
    SlowBody,
    SpendCapReached,
    StillRunning,
    StorageFull,
    TooManyJobs,
    UnsupportedPicture,
    WaitTimeout,
)
from enlarger.limits.admission import Admission
from enlarger.request import Mode, Seamless, UpscaleRequest
from tests.support.house import SMALL, House
from tests.support.scenario import CUSTOM, ERROR, STYLE, UPSCALE, Client, assert_refused, client, data_url

PLAIN = {UPSCALE: {"seed": 7}, CUSTOM: {"seed": 7}}
BELOW_TEN_THOUSAND = "x" * 10_000

# field, values that are taken, (value that is not, what the refusal says)
NUMBERS: dict[str, dict[str, tuple[float, float]]] = {
    UPSCALE: {
        "creativityDecay": (0, 100),
        "seed": (0, 2_147_483_647),
        "scalingFactor": (1, 16),
        "styleImagesFidelity": (0, 100),
        "detailsLevel": (-50, 50),
        "fractality": (0, 100),
        "promptFidelity": (0, 100),
        "refinementSteps": (0, 4),
        "creativity": (0, 100),
        "imageFidelity": (0, 100),
        "targetWidth": (1024, 16_000),
    },
    CUSTOM: {
        "upscaleFactor": (1, 16),
        "styleStrength": (0, 3),
        "guidanceScale": (0, 10),
        "controlnetConditioningScale": (0, 1.2),
        "strength": (0.1, 1),
        "fractality": (0, 1),
        "loraDetailsScale": (-1.5, 1.5),
        "seed": (0, 2_147_483_647),
        "strengthDecay": (0.1, 1),
    },
}
WHOLE = {"seed", "refinementSteps", "targetWidth"}
STYLES = ("standard", "cartoon", "anime", "comic", "minimalist", "photography", "3d-rendered")
CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    UPSCALE: {
        "preset": ("precise", "balanced", "creative"),
        "style": STYLES,
        "imageType": ("seamfull", "skybox", "texture"),
    },
    CUSTOM: {"preset": ("precise", "balanced", "creative"), "style": STYLES},
}


def dry(caller: Client, path: str, **body: Any) -> Any:
    return caller.call("POST", path, params={"dryRun": "true"}, json=body)


def test_every_field_at_its_limits_and_beyond(house: House) -> None:
    """By dry runs, which check all that real ones do; that they do is another test's."""
    caller = client(house)
    image, style = caller.upload(_wide(320))["id"], caller.upload(STYLE)["id"]
    for path in (UPSCALE, CUSTOM):
        check_fields(caller, path, image, style)
    assert house.desk.rows("SELECT id FROM jobs") == []
    assert len(house.desk.rows("SELECT id FROM assets")) == 2, "a dry run keeps no picture"


def check_fields(caller: Client, path: str, image: str, style: str) -> None:
    for name, (low, high) in NUMBERS[path].items():
        for good in (low, high, None):
            answer = dry(caller, path, image=image, **{name: good})
            assert answer.status_code == 269, (name, good, answer.text)
        step = 1 if name in WHOLE else 0.001
        for bad in (low - step, high + step, -1e300, 1e300):
            assert_refused(dry(caller, path, image=image, **{name: bad}), 400, f"{name}: must be between")
        endless = dry(caller, path, image=image, **{name: 10**400})
        assert_refused(endless, 400, f"{name}: must be between")
        for bad in ("1", "", True, [], {}, [1]):
            assert_refused(dry(caller, path, image=image, **{name: bad}), 400, f"{name}: must be a number")
        if name in WHOLE:
            assert_refused(dry(caller, path, image=image, **{name: low + 0.5}), 400, "a whole number")
    for name, choices in CHOICES[path].items():
        for good in (*choices, None):
            assert dry(caller, path, image=image, **{name: good}).status_code == 269, (name, good)
        for bad in ("", "Precise", "none", "cinematic"):
            assert_refused(dry(caller, path, image=image, **{name: bad}), 400, f"{name}: must be one of")
        assert_refused(dry(caller, path, image=image, **{name: 1}), 400, f"{name}: must be text")
    for name in ("prompt", "negativePrompt"):
        for good in ("", "warm light", BELOW_TEN_THOUSAND, None):
            assert dry(caller, path, image=image, **{name: good}).status_code == 269
        too_long = dry(caller, path, image=image, **{name: BELOW_TEN_THOUSAND + "x"})
        assert_refused(too_long, 400, f"{name}: must have at most 10000 characters, got 10001")
        assert_refused(dry(caller, path, image=image, **{name: 5}), 400, f"{name}: must be text")
        assert_refused(dry(caller, path, image=image, **{name: "a\0b"}), 400, "no character")
    for name in ("tileStyle", "overrideEmbeddings"):
        for good in (True, False, None):
            assert dry(caller, path, image=image, **{name: good}).status_code == 269
        for bad in ("true", 1, "", []):
            assert_refused(dry(caller, path, image=image, **{name: bad}), 400, f"{name}: must be true or")
    for good in ([], [style], [style] * 10, None):
        assert dry(caller, path, image=image, styleImages=good).status_code == 269
    for bad, text in (
        ([style] * 11, "at most 10 items"),
        (style, "must be a list"),
        ([5], "must be a list"),
        ([""], "must be a list"),
        (["a b\n"], "an asset's id"),
    ):
        assert_refused(dry(caller, path, image=image, styleImages=bad), 400, text)
    assert_refused(dry(caller, path, image=image, styleImages=["asset_none"]), 404, "no asset 'asset_none'")
    for bad, status, text in (
        (None, 400, "image: is required"),
        ("", 400, "image: is required"),
        (5, 400, "image: must be text"),
        ("asset_" + "x" * 24, 404, "image: there is no asset"),
        ("data:image/png;base64,AAAA", 400, "image"),
        ("data:image/png;base64,%%%", 400, "no picture in base64"),
        ("data:image/png,AAAA", 400, "data:image/png;base64,"),
        ("data:image/png;base64,", 400, "image: is empty"),
        (base64.b64encode(SMALL).decode(), 400, "an asset's id or a data URL"),
    ):
        assert_refused(dry(caller, path, image=bad), status, text)
    assert_refused(dry(caller, path), 400, "image: is required")


def test_a_body_that_is_none(house: House) -> None:
    caller = client(house)
    as_json = {"content-type": "application/json"}
    for path in (UPSCALE, CUSTOM):
        for body, text in (
            (b"", "image: is required"),
            (b"{", "body: is no JSON"),
            (b"[]", "body: must be a JSON object"),
            (b'"x"', "body: must be a JSON object"),
            (b"[" * 10_000, "body: is no JSON"),
            (b'{"image": "\xff"}', "body: is no JSON"),
            (b'{"image": "\\ud800"}', "body: is no JSON"),
        ):
            assert_refused(caller.call("POST", path, content=body, headers=as_json), 400, text)
        plain = caller.call("POST", path, content=b"{}", headers={"content-type": "text/plain"})
        assert_refused(plain, 400, "content-type")
        assert_refused(caller.call("POST", path, content=b"{}"), 400, "content-type")
    assert_refused(caller.call("POST", "/generate/custom/model_none", json={}), 404, "'model_none'")


def test_unknown_members_are_a_matter_of_the_route(house: House) -> None:
    """The deprecated endpoint's clients send some; v3's inputs are a list that a client can read."""
    caller = client(house)
    image = caller.upload()["id"]
    more = {"returnImage": True, "name": "", "assetId": image, "strength": 7}
    assert dry(caller, UPSCALE, image=image, **more).status_code == 269
    refused = dry(caller, CUSTOM, image=image, scalingFactor=2)
    assert_refused(refused, 400, "scalingFactor: is no input of model_upscale-v3; its inputs are image,")
    for good in ({"hideResults": True}, {"projectId": "proj_x"}):
        assert dry(caller, CUSTOM, image=image, **good).status_code == 269
    assert_refused(dry(caller, CUSTOM, image=image, hideResults="yes"), 400, "hideResults: must be true")


# What each field changes in the canonical request, alone.
CHANGES: list[tuple[str, dict[str, Any], str, Any]] = [
    (UPSCALE, {"creativityDecay": 80}, "creativity_decay", 0.8),
    (UPSCALE, {"tileStyle": True}, "tile_style", True),
    (UPSCALE, {"seed": 0}, "seed", 0),
    (UPSCALE, {"seed": 2_147_483_647}, "seed", 2_147_483_647),
    (UPSCALE, {"scalingFactor": 3.5}, "target", "3.5x"),
    (UPSCALE, {"targetWidth": 1024}, "target", "1024w"),
    (UPSCALE, {"targetWidth": 2048, "scalingFactor": 16}, "target", "2048w"),
    (UPSCALE, {"styleImagesFidelity": 80}, "style_fidelity", 0.8),
    (UPSCALE, {"detailsLevel": -25}, "detail", -0.5),
    (UPSCALE, {"fractality": 20}, "fractality", 0.2),
    (UPSCALE, {"prompt": "warm light"}, "prompt", "warm light"),
    (UPSCALE, {"negativePrompt": "noise"}, "negative_prompt", "noise"),
    (UPSCALE, {"overrideEmbeddings": True}, "override_preset", True),
    (UPSCALE, {"promptFidelity": 100}, "prompt_fidelity", 1.0),
    (UPSCALE, {"refinementSteps": 0}, "refinement", 0),
    (UPSCALE, {"refinementSteps": 4}, "refinement", 4),
    (UPSCALE, {"creativity": 19}, "mode", Mode.CONSERVATIVE),
    (UPSCALE, {"creativity": 20.5}, "creativity", 0.205),
    (UPSCALE, {"imageFidelity": 33}, "image_fidelity", 0.33),
    (UPSCALE, {"imageType": "skybox"}, "seamless", Seamless.SKYBOX),
    (UPSCALE, {"imageType": "texture"}, "seamless", Seamless.TEXTURE),
    (UPSCALE, {"preset": "precise"}, "creativity", 0.15),
    (UPSCALE, {"preset": "creative"}, "creativity", 0.65),
    (UPSCALE, {"style": "cartoon"}, "style_preset", "digital-art"),
    (UPSCALE, {"style": "anime"}, "style_preset", "anime"),
    (UPSCALE, {"style": "comic"}, "style_preset", "comic-book"),
    (UPSCALE, {"style": "minimalist"}, "style_preset", "low-poly"),
    (UPSCALE, {"style": "photography"}, "style_preset", "photographic"),
    (UPSCALE, {"style": "3d-rendered"}, "style_preset", "3d-model"),
    (CUSTOM, {"style": "comic"}, "style_preset", "comic-book"),
    (CUSTOM, {"upscaleFactor": 1}, "target", "1x"),
    (CUSTOM, {"upscaleFactor": 16}, "target", "16x"),
    (CUSTOM, {"preset": "balanced"}, "creativity", 0.4),
    (CUSTOM, {"preset": "creative"}, "mode", Mode.CREATIVE),
    (CUSTOM, {"styleStrength": 3}, "style_fidelity", 1.0),
    (CUSTOM, {"tileStyle": True}, "tile_style", True),
    (CUSTOM, {"prompt": "warm light"}, "prompt", "warm light"),
    (CUSTOM, {"negativePrompt": "noise"}, "negative_prompt", "noise"),
    (CUSTOM, {"guidanceScale": 10}, "prompt_fidelity", 1.0),
    (CUSTOM, {"controlnetConditioningScale": 1.2}, "image_fidelity", 1.0),
    (CUSTOM, {"strength": 0.5}, "creativity", 0.5),
    (CUSTOM, {"fractality": 1}, "fractality", 1.0),
    (CUSTOM, {"loraDetailsScale": -1.5}, "detail", -1.0),
    (CUSTOM, {"seed": 0}, "seed", 0),
    (CUSTOM, {"strengthDecay": 0.1}, "creativity_decay", 0.1),
    (CUSTOM, {"overrideEmbeddings": True}, "override_preset", True),
]


BESIDE: dict[str, dict[str, Any]] = {"strengthDecay": {"upscaleFactor": 3}}
"""What a dial needs beside it to have an effect."""


def told(request: UpscaleRequest) -> dict[str, Any]:
    return vars(request) | {"target": request.target.text}


def test_each_dial_alone_changes_what_is_made(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]

    def made(path: str, **body: Any) -> dict[str, Any]:
        return told(caller.row(caller.begin(path, image=image, **PLAIN[path] | body)["jobId"]).request)

    plain = {path: made(path) for path in PLAIN}
    for path, change, field, value in CHANGES:
        [beside] = [BESIDE.get(name, {}) for name in change if len(change) == 1] or [{}]
        usual = made(path, **beside) if beside else plain[path]
        changed = made(path, **beside, **change)
        assert changed[field] == value, (path, change)
        assert changed[field] != usual[field], (path, change)
        follow = {"preset": {"creativity", "image_fidelity", "prompt_fidelity"}}
        follow |= {"creativity": {"creativity"}, "strength": {"creativity"}}
        # Whatever the conservative plan would leave undone brings the creative one.
        allowed = {field, "mode"}.union(*(follow.get(name, set()) for name in change))
        assert {name for name in changed if changed[name] != usual[name]} <= allowed, change
    fields = {name for path, change, _, _ in CHANGES if path == UPSCALE for name in change}
    assert len(fields | {"image", "styleImages"}) == 20, "every field of the page is in the table"


def test_strength_decay_counts_above_factor_two_alone(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for factor, decay, cost in ((1, 0.8, 40), (2, 0.8, 40), (2.01, 0.1, 60)):
        body = {"image": image, "upscaleFactor": factor, "strengthDecay": 0.1}
        assert dry(caller, CUSTOM, **body).json()["creativeUnitsCost"] == cost, factor
        job = caller.begin(CUSTOM, **body)
        assert caller.row(job["jobId"]).request.creativity_decay == decay, factor
        assert job["metadata"]["input"]["strengthDecay"] == 0.1, "what was sent is told"


def test_the_deprecated_endpoint_takes_styles_as_unity_writes_them(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for style in ("3d rendered", "3D Rendered", "3d-rendered"):
        request = caller.row(caller.begin(UPSCALE, image=image, style=style)["jobId"]).request
        assert request.style_preset == "3d-model"
    assert_refused(dry(caller, UPSCALE, image=image, style="3d  rendered"), 400, 'got "3d  rendered"')
    assert_refused(dry(caller, CUSTOM, image=image, style="3d rendered"), 400, "style: must be one of")


def test_what_is_much_too_much_is_refused_before_it_is_looked_at(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for path in (UPSCALE, CUSTOM):
        many = {f"x{number}": 1 for number in range(200)}
        assert_refused(dry(caller, path, image=image, **many), 400, "at most 200 members, got 201")
        # Of which the last is no text: nobody went so far.
        pictures = [*["x"] * 10, 5]
        assert_refused(dry(caller, path, image=image, styleImages=pictures), 400, "at most 10 items")
        for wrong, shown in (
            ([[1]] * 500, "a list"),
            ({"a": [1]}, "an object"),
            ("x" * 500, '"' + "x" * 59),
        ):
            refused = dry(caller, path, image=image, seed=wrong)
            assert_refused(refused, 400, "seed: must be a number, got")
            assert refused.json()["reason"].endswith(f"got {shown}")
    body = {"name": "", "image": data_url(SMALL), "collectionIds": ["c"] * 101}
    assert_refused(caller.call("POST", "/assets", json=body), 400, "at most 100 items")


def test_what_counts_where_nothing_is_said(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    old = caller.row(caller.begin(image=image)["jobId"])
    assert (old.request.mode, old.request.creativity, old.request.target.text) == ("creative", 0.4, "2x")
    assert (old.request.fractality, old.request.style_preset, old.request.detail) == (0.5, None, 0)
    assert old.request.refinement == 1
    assert 1 <= old.request.seed <= 2_147_483_647
    v3 = caller.row(caller.begin(CUSTOM, image=image)["jobId"])
    assert (v3.request.mode, v3.request.creativity, v3.request.target.text) == ("conservative", 0.1, "2x")
    assert (v3.request.fractality, v3.request.creativity_decay, v3.request.prompt_fidelity) == (0, 0.8, 0.6)
    assert v3.request.image_fidelity == pytest.approx(2 / 3)
    assert v3.request.style_fidelity == pytest.approx(1 / 6)
    assert (old.model, v3.model) == ("creative", "conservative")
    assert (old.operation, v3.operation) == ("generate/upscale", "generate/custom/model_upscale-v3")
    former = caller.begin("/generate/custom/model_scenario-upscale-v3", image=image, strength=0.2)
    assert caller.row(former["jobId"]).request.mode == "creative"


def test_style_images_go_with_the_job(house: House) -> None:
    caller = client(house)
    image, style = caller.upload()["id"], caller.upload(STYLE)["id"]
    job = caller.row(caller.begin(image=image, styleImages=[style, image])["jobId"])
    assert [house.store.read(key) for key in job.style_keys] == [STYLE, SMALL]
    assert house.store.read(job.input_key) == SMALL
    assert job.memo["input"]["styleImages"] == [style, image]
    sent = caller.call("POST", UPSCALE, json={"image": image, "styleImages": [data_url(STYLE)]})
    assert_refused(sent, 400, "styleImages: must be ids of assets")
    job = caller.row(caller.begin(CUSTOM, image=image, styleImages=[data_url(STYLE)])["jobId"])
    assert [house.store.read(key) for key in job.style_keys] == [STYLE]
    [made] = job.memo["input"]["styleImages"]
    assert caller.call("GET", f"/assets/{made}").status_code == 200


def test_a_data_url_becomes_an_asset(house: House) -> None:
    caller = client(house)
    for path in (UPSCALE, CUSTOM):
        job = caller.begin(path, image=data_url(SMALL))
        image = job["metadata"]["input"]["image"]
        asset = caller.call("GET", f"/assets/{image}").json()["asset"]
        assert (asset["source"], asset["properties"]["width"]) == ("uploaded", 48)
        assert house.http.get(asset["url"]).content == SMALL
    before = len(house.desk.rows("SELECT id FROM assets"))
    refused = caller.call("POST", UPSCALE, json={"image": data_url(SMALL), "scalingFactor": 17})
    assert_refused(refused, 400, "scalingFactor")
    too_wide = caller.call("POST", UPSCALE, json={"image": data_url(SMALL), "targetWidth": 16_000})
    assert_refused(too_wide, 400, "targetWidth: target 16000w makes 16000x13333 of a picture of 48x40")
    house.desk.accounts.workspaces.create("poor", 0)
    poor = client(house, "poor")
    assert_refused(poor.call("POST", UPSCALE, json={"image": data_url(SMALL)}), 402, "credit")
    workspaces = house.desk.accounts.workspaces
    workspaces.limit_jobs(workspaces.get("default").id, 2)
    for path in (UPSCALE, CUSTOM):
        full = caller.call("POST", path, json={"image": data_url(SMALL)})
        assert_refused(full, 429, "jobs under way", "details")
    assert len(house.desk.rows("SELECT id FROM assets")) == before, "what came to nothing is not kept"
    assert len(house.desk.rows("SELECT id FROM jobs")) == 2


def test_any_dry_run_is_one(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for path, key, cost in ((UPSCALE, "upscale", 60), (CUSTOM, "custom-generation", 40)):
        estimate = {"creativeUnitsCost": cost, "creativeUnitsDiscount": 0, "costDetails": {key: cost}}
        for value in ("true", "api", "false", "1", ""):
            answer = caller.call("POST", path, params={"dryRun": value}, json={"image": image})
            assert (answer.status_code, answer.json()) == (269, estimate)
        with_picture = dry(caller, path, image=data_url(SMALL))
        assert (with_picture.status_code, with_picture.json()) == (269, estimate)
    assert house.desk.rows("SELECT id FROM jobs") == []
    assert len(house.desk.rows("SELECT id FROM assets")) == 1
    assert house.desk.balance(house.desk.caller()).available_micros == 1_000_000_000


def test_coarse_texture_costs_more_and_to_the_millionth(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    left = 1_000_000_000
    for fractality, units, written in (
        (0, 120, b"120"),
        (12.5, 105, b"105"),
        (33.33, 79.98, b"79.98"),
        (49.9, 60.12, b"60.12"),
        (50, 60, b"60"),
        (50.1, 60, b"60"),
        (100, 60, b"60"),
    ):
        estimate = dry(caller, UPSCALE, image=image, fractality=fractality)
        assert b'"creativeUnitsCost":' + written + b"," in estimate.content
        answer = caller.call("POST", UPSCALE, json={"image": image, "fractality": fractality})
        body = answer.json()
        assert {name: body[name] for name in body if name != "job"} == estimate.json()
        job = caller.job(body["job"]["jobId"])
        assert job["billing"] == {"cuCost": units, "cuDiscount": 0}
        caller.finish(job["jobId"])
        left -= round(units * 10_000)
        assert house.desk.balance(house.desk.caller()).available_micros == left, fractality
    assert house.desk.faults() == []


def test_fractality_of_v3_costs_nothing_more(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for fractality in (0, 0.2, 1):
        estimate = dry(caller, CUSTOM, image=image, fractality=fractality, strength=0.5)
        assert estimate.json()["creativeUnitsCost"] == 60


def test_a_job_is_begun_at_once_and_told_in_full(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    started = time.monotonic()
    answer = caller.call(
        "POST", CUSTOM, json={"image": image, "upscaleFactor": 4}, params={"projectId": "p"}
    )
    assert time.monotonic() - started < 1
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"job", "creativeUnitsCost", "creativeUnitsDiscount", "costDetails"}
    job = body["job"]
    assert (job["jobType"], job["status"], job["progress"]) == ("custom", "queued", 0)
    assert job["metadata"] == {"assetIds": [], "input": {"image": image, "upscaleFactor": 4}}
    assert job["billing"] == {"cuCost": 40, "cuDiscount": 0}
    assert [moment["status"] for moment in job["statusHistory"]] == ["queued"]


def test_a_repeated_request_has_one_job(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for path in (UPSCALE, CUSTOM):
        once = {"idempotency-key": "once"}
        first, second = (
            caller.call("POST", path, json={"image": image, "seed": 1}, headers=once) for _ in range(2)
        )
        assert first.content == second.content
        assert second.headers["idempotent-replayed"] == "true"
        other = caller.call("POST", path, json={"image": image, "seed": 2}, headers=once)
        assert_refused(other, 409, "idempotency-key")
        # The SDK repeats every other 409 by itself.
        assert other.headers["x-should-retry"] == "false"
    assert len(house.desk.rows("SELECT id FROM jobs")) == 2
    # By the client's own word that it sends this again.
    again = {"x-stainless-retry-count": "1"}
    jobs = [caller.call("POST", CUSTOM, json={"image": image, "seed": 5}, headers=again) for _ in range(2)]
    assert jobs[0].json()["job"]["jobId"] == jobs[1].json()["job"]["jobId"]
    assets = len(house.desk.rows("SELECT id FROM assets"))
    sent = {"image": data_url(SMALL)}
    for _ in range(3):
        caller.call("POST", UPSCALE, json=sent, headers={"idempotency-key": "twice"})
    assert len(house.desk.rows("SELECT id FROM assets")) == assets + 1


def test_a_request_is_repeated_also_when_its_pictures_are_gone(house: House) -> None:
    caller = client(house)
    for number, path in enumerate((UPSCALE, CUSTOM)):
        image, style = caller.upload()["id"], caller.upload(STYLE)["id"]
        body = {"image": image, "styleImages": [style], "seed": number}
        once = {"idempotency-key": "once"}
        first = caller.call("POST", path, json=body, headers=once)
        assert first.status_code == 200
        caller.call("DELETE", "/assets", json={"assetIds": [image, style]})
        second = caller.call("POST", path, json=body, headers=once)
        assert (second.content, second.headers["idempotent-replayed"]) == (first.content, "true")
        again = caller.call("POST", path, json=body, headers={"x-stainless-retry-count": "1"})
        assert again.json()["job"]["jobId"] == first.json()["job"]["jobId"]
        assert_refused(caller.call("POST", path, json=body), 404, "there is no asset")
    assert len(house.desk.rows("SELECT id FROM jobs")) == 2


def test_a_hidden_request_is_another_one(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    for path in (UPSCALE, CUSTOM):
        for hidden, status in ((None, 200), (False, 200), (True, 409)):
            body = {"image": image, "hideResults": hidden}
            answer = caller.call("POST", path, json=body, headers={"idempotency-key": "once"})
            assert answer.status_code == status, (path, hidden)


def test_who_keeps_room_never_waits_for_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that did would wait for each other until both are sent away."""
    caller = client(house)
    image, style = caller.upload()["id"], caller.upload(STYLE)["id"]
    admit, held, most = Admission.admit, [], []

    @asynccontextmanager
    async def counted(self: Admission, size_bytes: int) -> AsyncIterator[None]:
        async with admit(self, size_bytes):
            held.append(size_bytes)
            most.append(len(held))
            yield
            held.pop()

    monkeypatch.setattr(Admission, "admit", counted)
    caller.begin(CUSTOM, image=image, styleImages=[style])
    caller.begin(CUSTOM, image=data_url(SMALL))
    assert most == [1, 1, 1], "a body, what it names, and a body that has its picture in it"


def test_a_result_is_called_after_its_picture() -> None:
    for name, stem in (("cup.png", "cup"), ("a.cup.png", "a.cup"), ("cup", "cup"), ("", "image")):
        assert stem_of(name) == stem
    assert stem_of("x" * 500) == "x" * 400


def test_a_width_is_never_less_than_the_images(house: House) -> None:
    caller = client(house)
    wide = caller.upload(_wide(1100))["id"]
    for real in ({}, {"dryRun": "true"}):
        answer = caller.call("POST", UPSCALE, json={"image": wide, "targetWidth": 1099}, params=real)
        assert_refused(
            answer, 400, "targetWidth: must be at least the image's width, 1100 pixels, got 1099"
        )
    assert dry(caller, UPSCALE, image=wide, targetWidth=1100).status_code == 269
    high = caller.upload(_wide(1100, 900))["id"]
    for path, name in ((UPSCALE, "scalingFactor"), (CUSTOM, "upscaleFactor")):
        refused = caller.call("POST", path, json={"image": high, name: 17 - 0.999})
        assert_refused(refused, 400, f"{name}: must be")
        assert dry(caller, path, image=high, **{name: 16}).status_code == 269
    square = caller.upload(_wide(1100, 1100))["id"]
    for real in ({}, {"dryRun": "true"}):
        answer = caller.call("POST", UPSCALE, json={"image": square, "scalingFactor": 16}, params=real)
        assert_refused(answer, 400, "scalingFactor: 1100x1100 at 16x gives 17600x17600 = 309760000 pixels")


def _wide(width: int, height: int = 20) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(data, "PNG")
    return data.getvalue()


def test_each_refusal_has_its_status(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    house.desk.accounts.workspaces.create("other", None)
    for path in (UPSCALE, CUSTOM):
        assert_refused(house.http.post(path, json={"image": image}), 401, "API key")
        assert_refused(client(house, "other").call("POST", path, json={"image": image}), 404, image)
        limited = client(house, models=("fast",))
        assert_refused(limited.call("POST", path, json={"image": image}), 403, "may not use model")
        capped = client(house, cap_micros=100)
        assert_refused(capped.call("POST", path, json={"image": image}), 402, "")
        assert_refused(caller.call("PUT", path, json={}), 405, "PUT is not allowed")
    assert house.desk.rows("SELECT id FROM jobs") == []


def test_units_are_written_to_the_last_digit() -> None:
    for micros in (0, 1, 10, 100, 1_000, 9_999, 10_000, 72_500, 107_500, 123_456_789, 999_999_999_999_999):
        written = json.dumps(units_of(micros))
        assert Decimal(written) * 10_000 == micros, written


def test_every_error_has_the_vendors_shape() -> None:
    for error, status, *more in (
        (BadKey(), 401),
        (OutOfCredit(), 402),
        (SpendCapReached(), 402),
        (NotAllowed(), 403),
        (NotFound(), 404),
        (SlowBody(), 408),
        (IdempotencyConflict(), 409),
        (StillRunning(), 409),
        (Cancelled(), 409),
        (PictureTooLarge(param="image"), 400),
        (UnsupportedPicture(), 400),
        (EncodedBody(param="content-encoding"), 400),
        (RateLimited(retry_after_s=17), 429, "remainingSeconds"),
        (TooManyJobs(), 429, "details"),
        (InferenceCrashed(), 500),
        (EnlargerError("a part of ours"), 500),
        (QueueFull(), 503),
        (StorageFull(), 503),
        (WaitTimeout(), 504),
        (DeadlineExceeded(), 504),
    ):
        request = Request({"type": "http", "headers": [], "state": {"x-request-id": "r"}})
        response = render_error(request, error)
        body = json.loads(response.body)
        assert response.status_code == status, error
        assert body.keys() == ERROR | set(more)
        assert (body["code"], body["trace_id"], body["reason"]) == (error.code, "r", body["message"])
        wait = None if error.retry_after_s is None else str(error.retry_after_s)
        assert response.headers.get("retry-after") == wait
        if isinstance(error, RateLimited):
            assert body["remainingSeconds"] == 17
        if status == 500:
            assert "ours" not in body["reason"]


def test_a_full_workspace_says_its_limit(house: House) -> None:
    workspaces = house.desk.accounts.workspaces
    workspaces.limit_jobs(workspaces.get("default").id, 1)
    caller = client(house)
    image = caller.upload()["id"]
    caller.begin(image=image)
    answer = caller.call("POST", UPSCALE, json={"image": image})
    assert_refused(answer, 429, "jobs under way", "details")
    assert answer.json()["details"] == {"actionName": "parallel-jobs", "actionLimit": 1}
    assert answer.headers["retry-after"] == "5"
