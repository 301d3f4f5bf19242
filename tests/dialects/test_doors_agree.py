"""One engine behind every door: equal requests give equal pictures, equal prices and equal records."""

from __future__ import annotations

import base64
import io
import time
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer

PICTURE = encoded(crop("coffee", 64, 64))
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
        "targetWidth": 2048,
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
    while job["status"] not in ("success", "failure", "canceled"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        job = client.get(f"/v1/jobs/{job['jobId']}", headers={"authorization": BASIC}).json()["job"]
    assert job["status"] == "success", job
    [asset_id] = job["metadata"]["assetIds"]
    asset = client.get(f"/v1/assets/{asset_id}", headers={"authorization": BASIC}).json()["asset"]
    return httpx.get(asset["url"]).content


def test_a_creative_picture_is_the_same_by_every_door(server: RunningServer) -> None:
    with server.client() as client:
        by_name = {door.__name__: door(client) for door in (by_stability, by_omixa, by_scenario)}
    assert by_name["by_omixa"] == by_name["by_stability"]
    # Its recipe says the size in other words, so the files differ where the pictures do not.
    stability, scenario = (pixels_of(by_name[name]) for name in ("by_stability", "by_scenario"))
    assert stability.shape == (2048, 2048, 3)
    np.testing.assert_array_equal(scenario, stability)
    billed = server.query("SELECT DISTINCT billed_micros FROM usage ORDER BY finished_ms DESC LIMIT 3")
    assert billed == [(600_000,)]


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
    assert pixels_of(stability).shape == (256, 256, 3)
    for other in (omixa, onemin, own_result):
        np.testing.assert_array_equal(pixels_of(other), pixels_of(stability))
    doors = server.query("SELECT door, billed_micros FROM usage ORDER BY finished_ms DESC LIMIT 4")
    assert sorted(doors) == [(door, 20_000) for door in ("omixa", "onemin", "own", "stability")]
