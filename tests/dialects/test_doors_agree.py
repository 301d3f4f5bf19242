"""One engine behind every door: equal requests give equal pictures, equal prices and equal records."""

from __future__ import annotations

import base64
import io
import time
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.support.house import House
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer

PICTURE = encoded(crop("coffee", 80, 64))
DATA_URL = "data:image/png;base64," + base64.b64encode(PICTURE).decode()
PROMPT, NEGATIVE, SEED = "warm light on a cup", "blue, cold", 7
BASIC = "Basic " + base64.b64encode(f"key_bootstrap:{SECRET}".encode()).decode()


def pixels_of(picture: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image)


def ready(client: httpx.Client, path: str, **options: Any) -> httpx.Response:
    """The answer of a route that says 202 until there is something."""
    deadline = time.monotonic() + 120
    while (answer := client.get(path, **options)).status_code == 202:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return answer


def by_stability(client: httpx.Client) -> bytes:
    form = {"prompt": PROMPT, "negative_prompt": NEGATIVE, "seed": str(SEED), "creativity": "0.3"}
    begun = client.post("/v2beta/stable-image/upscale/creative", files={"image": PICTURE}, data=form)
    assert begun.status_code == 200, begun.text
    return ready(client, f"/v2beta/results/{begun.json()['id']}", headers={"accept": "image/*"}).content


def by_omixa(client: httpx.Client) -> bytes:
    body = {
        "model": "stability-upscale-creative",
        "input_images": [{"type": "image_url", "image_url": {"url": DATA_URL}}],
        "prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "seed": SEED,
        "creativity": 0.3,
    }
    answer = client.post("/api/v1/images/generations", json=body)
    assert answer.status_code == 200, answer.text
    return base64.b64decode(answer.json()["data"][0]["b64_json"])


def by_scenario(client: httpx.Client) -> bytes:
    """The dials that the others do not have stand where they stand for the others."""
    body = {
        "image": DATA_URL,
        "targetWidth": 2290,
        "prompt": PROMPT,
        "negativePrompt": NEGATIVE,
        "seed": SEED,
        "creativity": 30,
        "creativityDecay": 50,
        "detailsLevel": 0,
        "fractality": 50,
        "imageFidelity": 75,
        "promptFidelity": 50,
        "refinementSteps": 1,
    }
    begun = client.post("/v1/generate/upscale", json=body, headers={"authorization": BASIC})
    assert begun.status_code == 200, begun.text
    job = begun.json()["job"]
    deadline = time.monotonic() + 120
    polls_ms = [0]
    while job["status"] not in ("success", "failure", "canceled"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        polls_ms.append(time.time_ns() // 1_000_000)
        job = client.get(f"/v1/jobs/{job['jobId']}", headers={"authorization": BASIC}).json()["job"]
    assert job["status"] == "success", job
    ended_ms = 1000 * datetime.fromisoformat(job["statusHistory"][-1]["date"]).timestamp()
    assert ended_ms >= polls_ms[-2], "the first poll after its end sees it"
    [asset_id] = job["metadata"]["assetIds"]
    asset = client.get(f"/v1/assets/{asset_id}", headers={"authorization": BASIC}).json()["asset"]
    return httpx.get(asset["url"]).content


def test_a_creative_picture_is_the_same_by_every_door(server: RunningServer) -> None:
    with server.client() as client:
        by_name = {door.__name__: door(client) for door in (by_stability, by_omixa, by_scenario)}
    assert by_name["by_omixa"] == by_name["by_stability"]
    # Its recipe says the size in other words, so the files differ where the pictures do not.
    stability, scenario = (pixels_of(by_name[name]) for name in ("by_stability", "by_scenario"))
    assert stability.shape == (1832, 2290, 3)
    np.testing.assert_array_equal(scenario, stability)
    billed = server.query("SELECT billed_micros FROM usage ORDER BY finished_ms DESC LIMIT 3")
    assert billed == [(600_000,)] * 3


def test_a_fast_picture_is_the_same_file_by_every_door(server: RunningServer) -> None:
    images = [{"type": "image_url", "image_url": {"url": DATA_URL}}]
    with server.client() as client:
        files = {"image": PICTURE}
        stability = client.post("/v2beta/stable-image/upscale/fast", files=files).content
        body = {"model": "enlarger-fast", "input_images": images}
        answer = client.post("/api/v1/images/generations", json=body)
        omixa = base64.b64decode(answer.json()["data"][0]["b64_json"])
        asset = client.post("/api/assets", files={"asset": ("cup.png", PICTURE)}).json()["asset"]["key"]
        feature = {"type": "IMAGE_UPSCALER", "model": "stable-image", "promptObject": {"imageUrl": asset}}
        record = client.post("/api/features", json=feature).json()["aiRecord"]
        onemin = httpx.get(record["temporaryUrl"]).content
        own = client.post("/enlarger/v1/jobs", files=files, data={"wait": "true"}).json()
        own_result = httpx.get(own["result"]["url"]).content
    assert pixels_of(stability).shape == (256, 320, 3)
    for other in (omixa, onemin, own_result):
        np.testing.assert_array_equal(pixels_of(other), pixels_of(stability))
    doors = server.query("SELECT door, billed_micros FROM usage ORDER BY finished_ms DESC LIMIT 4")
    assert sorted(doors) == [(door, 20_000) for door in ("omixa", "onemin", "own", "stability")]


STABILITY_FIELDS = {
    "creative": {
        "prompt": "a mug",
        "negative_prompt": "noise",
        "creativity": "0.45",
        "seed": "8",
        "style_preset": "anime",
        "output_format": "webp",
    },
    "conservative": {
        "prompt": "a mug",
        "negative_prompt": "noise",
        "creativity": "0.45",
        "seed": "8",
        "output_format": "webp",
    },
}


@pytest.mark.parametrize("mode", STABILITY_FIELDS)
def test_each_field_alone_changes_what_is_made_alike_by_two_doors(shared_house: House, mode: str) -> None:
    """The engine's own tests show that what is another request there is another picture."""
    key = shared_house.key()
    usual = {"prompt": "a cup", "seed": "7"}

    def last() -> dict[str, Any]:
        jobs = shared_house.desk.jobs
        job = jobs.page(shared_house.desk.accounts.workspaces.get("default").id).jobs[0]
        # Whoever waits for it is told so, and leaves.
        jobs.cancel(job.id, job.workspace_id)
        return vars(job.request) | {"target": job.request.target.text}

    def by_form(**fields: str) -> dict[str, Any]:
        path, headers = f"/v2beta/stable-image/upscale/{mode}", key | {"prefer": "respond-async"}
        answer = shared_house.http.post(
            path, headers=headers, files={"image": PICTURE}, data=usual | fields
        )
        assert answer.status_code == 200, answer.text
        return last()

    def by_json(**fields: str) -> dict[str, Any]:
        told: dict[str, Any] = usual | fields
        numbers = {name: float(told[name]) for name in ("creativity", "seed") if name in told}
        images = [{"type": "image_url", "image_url": {"url": DATA_URL}}]
        body = {"model": f"stability-upscale-{mode}", "input_images": images, **told, **numbers}
        with pytest.raises(httpx.ReadTimeout):
            # It waits for a picture that nobody makes here.
            shared_house.http.post("/api/v1/images/generations", headers=key, json=body, timeout=0.5)
        return last()

    plain = by_form()
    assert by_json() == plain
    for field, value in STABILITY_FIELDS[mode].items():
        changed = by_form(**{field: value})
        assert {name for name in changed if changed[name] != plain[name]} == {field}
        assert by_json(**{field: value}) == changed
