"""What the vendor's own clients send, in the order in which they send it."""

from __future__ import annotations

import io
from typing import Any

import httpx
from PIL import Image

from tests.support.house import SMALL, House
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer, wait_for
from tests.support.scenario import UPSCALE, client, data_url

UNITY: dict[str, Any] = {
    "image": data_url(SMALL),
    "preset": "balanced",
    "style": "3d-rendered",
    "scalingFactor": 2,
    "creativity": 30,
    "detailsLevel": 5,
    "fractality": 60,
    "imageFidelity": 80,
    "imageType": "texture",
    "negativePrompt": "",
    "overrideEmbeddings": False,
    "promptFidelity": 50,
    "prompt": "",
    "refinementSteps": 1,
    "returnImage": True,
    "name": "",
}


def test_unity_sends_one_body_twice_and_polls(house: House) -> None:
    """To /assets first, then, with the asset's id beside the picture, to the upscale."""
    caller = client(house)
    asset = caller.call("POST", "/assets", json=UNITY).json()["asset"]
    assert house.http.get(asset["url"]).content == SMALL
    answer = caller.call("POST", UPSCALE, json={**UNITY, "assetId": asset["id"]})
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["job"]["jobId"]
    known = {"warming-up", "queued", "in-progress", "success", "canceled"}
    assert caller.job(job_id)["status"] in known
    caller.finish(job_id)
    job = caller.job(job_id)
    assert job["status"] == "success"
    [made] = job["metadata"]["assetIds"]
    found = caller.call("GET", f"/assets/{made}").json()["asset"]
    assert httpx.get(found["url"]).status_code == 200
    assert found["metadata"]["type"] == "upscale-texture"


def test_blender_estimates_runs_and_reads_its_asset(house: House) -> None:
    """Its adapter reads the model's inputs, takes the cost as an exact decimal, and wants pages of 200."""
    caller = client(house)
    picture = caller.call("POST", "/assets", json={"name": "render.png", "image": data_url(SMALL)})
    image = picture.json()["asset"]["id"]
    [field] = [
        one["name"]
        for one in caller.call("GET", "/models/model_upscale-v3").json()["model"]["inputs"]
        if one["type"] == "file"
    ]
    body = {field: image, "upscaleFactor": 2}
    estimate = caller.call(
        "POST", "/generate/custom/model_upscale-v3", json=body, params={"dryRun": "true"}
    )
    cost = estimate.json()["creativeUnitsCost"]
    assert (estimate.status_code, cost, isinstance(cost, bool)) == (269, 40, False)
    job = caller.call("POST", "/generate/custom/model_upscale-v3", json=body).json()["job"]
    assert 0 <= job["progress"] <= 1
    assert caller.call("GET", "/jobs", params={"pageSize": 200}).json()["jobs"][0]["jobId"] == job["jobId"]


def test_an_upscale_from_the_upload_to_the_picture(server: RunningServer) -> None:
    with server.client(auth=("key_bootstrap", SECRET)) as http:
        http.headers.pop("authorization", None)
        uploaded = http.post("/v1/assets", json={"name": "cup.png", "image": data_url(SMALL)})
        image = uploaded.json()["asset"]["id"]
        wide = data_url(encoded(crop("coffee", 256, 64)))
        for path, body, size in (
            ("/v1/generate/custom/model_upscale-v3", {"image": image, "upscaleFactor": 3}, (144, 120)),
            (UPSCALE, {"image": wide, "targetWidth": 1024, "creativity": 10}, (1024, 256)),
            (UPSCALE, {"image": image, "style": "comic", "styleImages": [image]}, (96, 80)),
        ):
            begun = http.post(path, json=body)
            assert begun.status_code == 200, begun.text
            job = begun.json()["job"]

            def ended(job_id: str = job["jobId"]) -> bool:
                return bool(
                    http.get(f"/v1/jobs/{job_id}").json()["job"]["status"] in ("success", "failure")
                )

            wait_for(ended, 120, "the job")
            done = http.get(f"/v1/jobs/{job['jobId']}").json()["job"]
            assert done["status"] == "success", done
            asset = http.get(f"/v1/assets/{done['metadata']['assetIds'][0]}").json()["asset"]
            with Image.open(io.BytesIO(httpx.get(asset["url"]).content)) as picture:
                assert (picture.format, picture.size) == ("PNG", size)
            assert (asset["properties"]["width"], asset["properties"]["height"]) == size
