"""Every field of every door that is to change the picture does, when it alone is changed.

Requests go in by the doors; what they have accepted is made by the real engine, at a smaller size
where a door's own is four megapixels. Omixa's fields become the very requests of Stability's
(`test_doors_agree.py`), so they are made once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.engine import Engine
from enlarger.imaging import decode
from enlarger.jobs import Job
from enlarger.library import digest_of
from enlarger.target import Target
from tests.support.house import House
from tests.support.omixa import GENERATIONS
from tests.support.onemin import FEATURES, IDEOGRAM, STABLE, key_of, upload
from tests.support.photos import crop, encoded
from tests.support.scenario import CUSTOM, STYLE, UPSCALE, client, data_url

Fields = dict[str, Any]
Ask = Callable[[House, Fields], None]
Seen = tuple[str, NDArray[np.uint8]]
"""The file's format, and its pixels."""

LEAST = encoded(crop("coffee", 64, 64))
"""No smaller one is taken by Stability's doors."""
PICTURE = encoded(crop("coffee", 24, 20))
WAITED = 0.5
"""Seconds after which a request has been accepted that waits for a picture nobody makes here."""


@dataclass(frozen=True)
class Door:
    """One way in, and what is asked for there."""

    ask: Ask
    plain: Fields
    """Sent every time."""
    changes: tuple[Fields, ...]
    """Each is sent in the place of what `plain` has."""
    beside: Mapping[str, Fields]
    """What a field needs beside it to have a meaning."""
    target: str | None = None
    """In the place of the door's own size."""


def waiting(house: House, path: str, **body: Any) -> None:
    before = house.jobs()
    with pytest.raises(httpx.ReadTimeout):
        house.http.post(path, headers=house.key(), timeout=WAITED, **body)
    assert house.jobs() == before + 1


def stability(mode: str) -> Ask:
    def ask(house: House, fields: Fields) -> None:
        headers = house.key() | {"prefer": "respond-async"}
        path = f"/v2beta/stable-image/upscale/{mode}"
        answer = house.http.post(path, headers=headers, files={"image": LEAST}, data=fields)
        assert answer.status_code == 200, answer.text

    return ask


def stability_fast(house: House, fields: Fields) -> None:
    waiting(house, "/v2beta/stable-image/upscale/fast", files={"image": LEAST}, data=fields)


def omixa(model: str) -> Ask:
    def ask(house: House, fields: Fields) -> None:
        images = [{"type": "image_url", "image_url": {"url": data_url(LEAST)}}]
        waiting(house, GENERATIONS, json={"model": model, "input_images": images, **fields})

    return ask


def onemin(model: str) -> Ask:
    def ask(house: House, fields: Fields) -> None:
        prompt = {"imageUrl": key_of(upload(house, house.key(), PICTURE)), "num_images": 1, **fields}
        body = {"type": "IMAGE_UPSCALER", "model": model, "promptObject": prompt}
        waiting(house, FEATURES, json=body)

    return ask


def scenario(path: str) -> Ask:
    def ask(house: House, fields: Fields) -> None:
        caller = client(house)
        styles = fields.get("styleImages")
        if styles is not None:
            fields = fields | {"styleImages": [caller.upload(STYLE)["id"]]}
        caller.begin(path, image=data_url(PICTURE), **fields)

    return ask


def own(house: House, fields: Fields) -> None:
    answer = house.post(house.key(), {"image": PICTURE}, **fields)
    assert answer.is_success, answer.text


WORDS = {"prompt": "golden hour, warm light"}
LOOKS = (WORDS, {"negative_prompt": "warm colours"}, {"creativity": 0.45}, {"seed": 8})
CREATIVE = (*LOOKS, {"style_preset": "anime"}, {"output_format": "webp"})
FAITHFUL = ({"creativity": 0.45}, {"output_format": "webp"}, {"prompt": "a comic drawing"})
STYLES = {"styleImages": ["one"]}
SCENARIO: dict[str, Fields] = {
    "styleImagesFidelity": STYLES,
    "styleStrength": STYLES,
    "tileStyle": STYLES,
    "promptFidelity": WORDS,
    "guidanceScale": WORDS,
    "overrideEmbeddings": {"style": "comic", **WORDS},
    "strengthDecay": {"upscaleFactor": 3},
}
DOORS = {
    "stability-creative": Door(stability("creative"), {"prompt": "a cup", "seed": 7}, CREATIVE, {}, "1x"),
    "stability-conservative": Door(
        stability("conservative"), {"prompt": "a cup", "seed": 7}, FAITHFUL, {}, "4x"
    ),
    "stability-fast": Door(stability_fast, {}, ({"output_format": "webp"},), {}),
    "omixa-fast": Door(omixa("enlarger-fast"), {}, ({"output_format": "webp"},), {}),
    "1min-stable": Door(onemin(STABLE), {}, ({"scale": 2}, {"output_format": "webp"}), {}),
    "1min-ideogram": Door(
        onemin(IDEOGRAM),
        {"seed": 7},
        (WORDS, {"resemblance": 5}, {"resemblance": 95}, {"detail": 10}, {"detail": 90}, {"seed": 8}),
        {},
    ),
    "scenario-upscale": Door(
        scenario(UPSCALE),
        {"seed": 7},
        (
            WORDS,
            {"negativePrompt": "warm colours"},
            {"creativity": 80},
            {"creativity": 10},
            {"creativityDecay": 90},
            {"imageFidelity": 10},
            {"promptFidelity": 90},
            {"fractality": 10},
            {"detailsLevel": -40},
            {"detailsLevel": 40},
            {"refinementSteps": 0},
            {"refinementSteps": 3},
            {"scalingFactor": 3},
            {"styleImages": ["one"]},
            {"styleImagesFidelity": 90},
            {"tileStyle": True},
            {"overrideEmbeddings": True},
            {"preset": "precise"},
            {"preset": "creative"},
            *({"style": style} for style in ("anime", "comic", "photography", "3d-rendered")),
            *({"style": style} for style in ("cartoon", "minimalist")),
            {"imageType": "texture"},
            {"imageType": "skybox"},
            {"seed": 8},
        ),
        SCENARIO,
    ),
    "scenario-custom": Door(
        scenario(CUSTOM),
        {"seed": 7, "strength": 0.4},
        (
            WORDS,
            {"negativePrompt": "warm colours"},
            {"strength": 0.8},
            {"strengthDecay": 0.2},
            {"controlnetConditioningScale": 0.1},
            {"guidanceScale": 10},
            {"fractality": 0.9},
            {"loraDetailsScale": -1},
            {"loraDetailsScale": 1},
            {"upscaleFactor": 3},
            {"styleImages": ["one"]},
            {"styleStrength": 2},
            {"tileStyle": True},
            {"overrideEmbeddings": True},
            {"preset": "creative"},
            {"style": "comic"},
            {"seed": 8},
        ),
        SCENARIO,
    ),
    "own": Door(
        own,
        {"mode": "creative", "target": "2x", "seed": "7"},
        (
            WORDS,
            {"negative_prompt": "warm colours"},
            {"mode": "conservative"},
            {"target": "3x"},
            {"output_format": "webp"},
            {"creativity": "0.8"},
            {"seed": "8"},
            {"style_preset": "anime"},
            {"override_preset": "true"},
            {"prompt_fidelity": "0.9"},
            {"image_fidelity": "0.1"},
            {"detail": "0.8"},
            {"fractality": "0.1"},
            {"refinement": "3"},
            {"creativity_decay": "0.9"},
            {"seamless": "texture"},
        ),
        {"override_preset": {"style_preset": "comic-book", **WORDS}, "prompt_fidelity": WORDS},
    ),
}


@pytest.mark.parametrize("name", DOORS)
def test_each_field_alone_changes_the_picture(shared_house: House, engine: Engine, name: str) -> None:
    house, door = shared_house, DOORS[name]
    made: dict[str, Seen] = {}

    def seen(fields: Fields) -> Seen:
        words = json.dumps(fields, sort_keys=True)
        if words not in made:
            door.ask(house, fields)
            job = last(house)
            # Whoever waits for it is told so, and leaves.
            house.desk.jobs.cancel(job.id, job.workspace_id)
            made[words] = picture_of(house, engine, job, door.target)
        return made[words]

    for change in door.changes:
        [field] = change
        plain = door.plain | door.beside.get(field, {})
        before, after = seen(plain), seen(plain | change)
        assert is_other(before, after), f"{change} changes nothing"
    again = picture_of(house, engine, last(house), door.target)
    assert not is_other(again, after), "what is compared are requests, and not runs"


def is_other(one: Seen, other: Seen) -> bool:
    return one[0] != other[0] or not np.array_equal(one[1], other[1])


def last(house: House) -> Job:
    """The job that was accepted last."""
    workspace = house.desk.accounts.workspaces.get("default").id
    return house.desk.jobs.page(workspace).jobs[0]


def picture_of(house: House, engine: Engine, job: Job, target: str | None) -> Seen:
    """What a worker makes of a job."""
    styles = [decode(house.store.read(key)) for key in job.style_keys]
    request = replace(job.request, style_pictures=tuple(digest_of(style) for style in styles))
    if target is not None:
        request = replace(request, target=Target.parse(target))
    rendering = engine.upscale(decode(house.store.read(job.input_key)), request, styles=styles)
    return str(request.output_format), rendering.collect().colour.array()
