"""Runs in the environment of the vendor's SDK: `scenario_sdk.py BASE_URL KEY SECRET PICTURE`.

Drives it as its own documents do, and prints what it found as JSON.
"""

from __future__ import annotations

import base64
import json
import sys
import time
import urllib.request
from pathlib import Path

import scenario_sdk
from scenario_sdk import Scenario

MODEL = "model_upscale-v3"
TIMEOUT_S = 120
SENT: list[object] = []
"""Every request of the client: it repeats some by itself, as often as it does for everybody."""


def wait(client: Scenario, job_id: str) -> scenario_sdk.types.job_retrieve_response.Job:
    """The job when it has ended."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        job = client.jobs.retrieve(job_id).job
        if job.status in ("success", "failure", "canceled"):
            return job
        time.sleep(0.2)
    raise TimeoutError(job_id)


def kind_of(call: object) -> str:
    """The class of the error that a call ends with."""
    try:
        call()  # type: ignore[operator]
    except scenario_sdk.APIError as error:
        return type(error).__name__
    return "none"


def put(url: str, content: bytes) -> int:
    """The status of a part that is sent to its link, without a key."""
    request = urllib.request.Request(url, content, {"content-type": "image/png"}, method="PUT")  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 (a link of the server under test)
        return int(answer.status)


def upload(client: Scenario, content: bytes) -> list[object]:
    """What becomes of a picture that is sent in two parts, by either way of waiting."""
    begun = client.uploads.create(
        file_name="cup.png", file_size=len(content), content_type="image/png", kind="image", parts=2
    ).upload
    half = len(content) // 2
    pieces = zip(begun.parts, (content[:half], content[half:]), strict=True)
    sent = [put(part.url, piece) for part, piece in pieces]
    client.uploads.trigger_action(begun.id, action="complete")
    ended = client.uploads.retrieve(begun.id).upload
    job = client.jobs.retrieve(begun.job_id).job
    asset = client.assets.retrieve(ended.entity_id).asset
    is_same = job.metadata.output["entityId"] == ended.entity_id
    return [begun.status, sent, ended.status, job.status, is_same, asset.properties.size == len(content)]


def cancel(client: Scenario, body: dict[str, object]) -> list[object]:
    """A job that is cancelled under way, and what its idempotency key is good for after that."""
    once = {"idempotency-key": "sdk-cancels"}
    large = {**body, "upscaleFactor": 16}
    job = client.generate.run_model(MODEL, body=large, extra_headers=once).job
    cancelled = client.jobs.trigger_action(job.job_id, action="cancel").job
    again = client.generate.run_model(MODEL, body=large, extra_headers=once).job
    before = len(SENT)
    other = kind_of(lambda: client.generate.run_model(MODEL, body=body, extra_headers=once))
    return [cancelled.status, again.job_id == job.job_id, other, len(SENT) - before]


def main(base_url: str, key: str, secret: str, picture: str) -> None:
    """Everything, in one session."""
    http = scenario_sdk.DefaultHttpxClient(event_hooks={"request": [SENT.append]})
    client = Scenario(api_key=key, api_secret=secret, base_url=base_url, http_client=http)
    image = base64.b64encode(Path(picture).read_bytes()).decode()
    asset = client.assets.upload(name="cup.png", image=image).asset
    model = client.models.retrieve(MODEL).model
    body = {"image": asset.id, "upscaleFactor": 2, "prompt": "warm light"}
    raw = client.generate.with_raw_response.run_model(MODEL, body=body, dry_run="true")
    estimate = raw.parse()
    run = client.generate.run_model(MODEL, body=body)
    job = wait(client, run.job.job_id)
    made = client.assets.retrieve(job.metadata.asset_ids[0]).asset
    with urllib.request.urlopen(made.url) as answer:  # noqa: S310 (a link of the server under test)
        fetched = answer.read()
    old = client.post("/generate/upscale", cast_to=object, body={"image": asset.id, "creativity": 10})
    wait(client, old["job"]["jobId"])
    tags = client.assets.update_tags(made.id, add=["done"])
    renamed = client.assets.update(made.id, name="mug.png").asset
    listed = [one.id for one in client.assets.list(page_size=1)]
    jobs = [one.job_id for one in client.jobs.list(page_size=1, types=["custom", "upscale"])]
    models = [one.id for one in client.models.list(page_size=1)]
    bulk = [one.id for one in client.assets.get_bulk(asset_ids=[asset.id]).assets]
    stranger = Scenario(api_key=key, api_secret="wrong", base_url=base_url)
    errors = {
        "wrong secret": kind_of(lambda: stranger.jobs.list()),
        "no such asset": kind_of(lambda: client.assets.retrieve("asset_none")),
        "no such model": kind_of(lambda: client.generate.run_model("model_none", body={})),
        "out of range": kind_of(lambda: client.generate.run_model(MODEL, body={**body, "strength": 2})),
        "ended": kind_of(lambda: client.jobs.trigger_action(job.job_id, action="cancel")),
    }
    client.assets.delete_multiple(asset_ids=[made.id])
    found = {
        "asset": [asset.id, asset.source, asset.properties.width, asset.metadata.type],
        "inputs": {one.name: [one.type, one.default, one.min, one.max] for one in model.inputs},
        "estimate": [raw.status_code, estimate.creative_units_cost, estimate.job is None],
        "cost": [run.creative_units_cost, run.cost_details.custom_generation, run.job.billing.cu_cost],
        "job": [job.status, job.progress, job.job_type, [one.status for one in job.status_history]],
        "made": [made.source, made.metadata.parent_id, made.properties.width, made.properties.height],
        "metadata": [made.metadata.scaling_factor, made.metadata.preset, made.metadata.prompt],
        "bytes": len(fetched) == made.properties.size,
        "old": old["creativeUnitsCost"],
        "tags": [tags.added, renamed.tags, renamed.metadata.name],
        "listed": [len(listed), len(set(listed)), made.id in listed, asset.id in listed],
        "jobs": [len(jobs), run.job.job_id in jobs],
        "models": models,
        "bulk": bulk == [asset.id],
        "upload": upload(client, Path(picture).read_bytes()),
        "cancelled": cancel(client, body),
        "errors": errors,
        "gone": kind_of(lambda: client.assets.retrieve(made.id)),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
