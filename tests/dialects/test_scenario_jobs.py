"""Scenario's jobs: their statuses, lists, money, and how they are cancelled."""

from __future__ import annotations

import re
from typing import Any

from enlarger.errors import InferenceCrashed
from tests.support.house import SMALL, House
from tests.support.scenario import CUSTOM, UPSCALE, Client, assert_refused, client

ID = re.compile(r"job_[A-Za-z0-9]{24}")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CREDIT = 1_000_000_000


def listed(caller: Client, **query: Any) -> list[str]:
    """Ids of a list, which must be one page."""
    answer = caller.call("GET", "/jobs", params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {"jobs"}
    return [job["jobId"] for job in body["jobs"]]


def available(house: House) -> int | None:
    return house.desk.balance(house.desk.caller()).available_micros


def test_a_job_from_its_beginning_to_its_asset(house: House) -> None:
    caller = client(house)
    image = caller.upload(name="cup.of.coffee.png")
    body = {"image": image["id"], "scalingFactor": 4, "style": "comic", "seed": 0, "prompt": "a cup"}
    job = caller.begin(UPSCALE, **body)
    assert job.keys() == {
        "jobId",
        "jobType",
        "status",
        "progress",
        "metadata",
        "statusHistory",
        "createdAt",
        "updatedAt",
        "authorId",
        "ownerId",
        "billing",
    }
    assert ID.fullmatch(job["jobId"])
    assert all(DATE.fullmatch(job[name]) for name in ("createdAt", "updatedAt"))
    assert job["metadata"] == {"assetIds": [], "input": body}
    row = caller.row(job["jobId"])
    begun = house.desk.jobs.begin_attempt(row.id)
    assert begun is not None
    assert house.desk.jobs.go_on(begun, 0.25)
    running = caller.job(job["jobId"])
    assert (running["status"], running["progress"]) == ("in-progress", 0.25)
    assert [moment["status"] for moment in running["statusHistory"]] == ["queued", "in-progress"]
    caller.finish(job["jobId"])
    done = caller.job(job["jobId"])
    assert (done["status"], done["progress"]) == ("success", 1)
    assert [moment["status"] for moment in done["statusHistory"]] == ["queued", "in-progress", "success"]
    assert done["updatedAt"] == done["statusHistory"][-1]["date"]
    [made] = done["metadata"]["assetIds"]
    asset = caller.call("GET", f"/assets/{made}").json()["asset"]
    assert (asset["source"], asset["outputIndex"], asset["mimeType"]) == ("upscale", 0, "image/png")
    assert (asset["properties"]["width"], asset["properties"]["height"]) == (2048, 1024)
    assert asset["metadata"] == {
        "kind": "image",
        "type": "upscale",
        "name": "cup.of.coffee-upscaled.png",
        "width": 2048,
        "height": 1024,
        "scalingFactor": 4,
        "preset": "balanced",
        "style": "comic",
        "seed": "0",
        "creativity": 40,
        "creativityDecay": 50,
        "imageFidelity": 75,
        "promptFidelity": 50,
        "detailsLevel": 0,
        "fractality": 50,
        "styleImagesFidelity": 50,
        "tileStyle": False,
        "overrideEmbeddings": False,
        "refinementSteps": 1,
        "imageType": "seamfull",
        "prompt": "a cup",
        "negativePrompt": "",
        "modelId": "model_upscale-v3",
        "image": image["id"],
        "parentJobId": job["jobId"],
        "parentId": image["id"],
        "rootParentId": image["id"],
    }
    assert house.http.get(asset["url"]).content == SMALL
    again = caller.begin(CUSTOM, image=made, strength=0.55)
    caller.finish(again["jobId"])
    [second] = caller.job(again["jobId"])["metadata"]["assetIds"]
    metadata = caller.call("GET", f"/assets/{second}").json()["asset"]["metadata"]
    assert (metadata["parentId"], metadata["rootParentId"]) == (made, image["id"])
    assert (metadata["creativity"], metadata["scalingFactor"]) == (55, 2), "in the older words too"


def test_whole_numbers_of_metadata_are_written_as_such(house: House) -> None:
    """Unity reads the factor into an `int`, and refuses `2.0`."""
    caller = client(house)
    image = caller.upload()["id"]
    for path, body, wanted in (
        (UPSCALE, {}, {"scalingFactor": b"2", "creativity": b"40", "detailsLevel": b"0"}),
        (UPSCALE, {"scalingFactor": 4.0}, {"scalingFactor": b"4", "imageFidelity": b"75"}),
        (
            UPSCALE,
            {"targetWidth": 1200, "creativity": 12.5},
            {"scalingFactor": b"25", "creativity": b"12.5"},
        ),
        (CUSTOM, {"upscaleFactor": 2.5}, {"scalingFactor": b"2.5", "creativityDecay": b"80"}),
    ):
        job = caller.begin(path, image=image, **body)["jobId"]
        caller.finish(job)
        [made] = caller.job(job)["metadata"]["assetIds"]
        raw = caller.call("GET", f"/assets/{made}").content
        for name, written in wanted.items():
            assert re.search(rb'"%s":%s[,}]' % (name.encode(), re.escape(written)), raw), raw


def test_the_kind_of_image_is_the_kind_of_job_and_asset(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    found = {}
    for kind in ("seamfull", "skybox", "texture"):
        job = caller.begin(UPSCALE, image=image, imageType=kind, targetWidth=1920)
        caller.finish(job["jobId"])
        [made] = caller.job(job["jobId"])["metadata"]["assetIds"]
        asset = caller.call("GET", f"/assets/{made}").json()["asset"]
        assert asset["source"] == asset["metadata"]["type"] == job["jobType"]
        assert (asset["metadata"]["scalingFactor"], asset["metadata"]["targetWidth"]) == (40, 1920)
        found[job["jobType"]] = job["jobId"]
    found["custom"] = caller.begin(CUSTOM, image=image)["jobId"]
    assert list(found) == ["upscale", "upscale-skybox", "upscale-texture", "custom"]
    for kind, job_id in found.items():
        assert listed(caller, type=kind) == listed(caller, types=kind, type="workflow") == [job_id]
    assert listed(caller, types="upscale,custom") == [found["custom"], found["upscale"]]
    assert listed(caller, types="inference") == []


def test_a_failed_job_is_paid_back_and_says_why(house: House) -> None:
    caller = client(house)
    job = caller.begin(CUSTOM, image=caller.upload()["id"])
    assert available(house) == CREDIT - 400_000
    house.desk.jobs.fail(caller.row(job["jobId"]).id, InferenceCrashed())
    failed = caller.job(job["jobId"])
    assert (failed["status"], failed["billing"]["cuCost"]) == ("failure", 40)
    assert failed["metadata"]["assetIds"] == []
    assert failed["metadata"]["error"] == InferenceCrashed().message
    assert failed["metadata"]["hint"]
    assert available(house) == CREDIT
    assert_refused(cancel(caller, job["jobId"]), 400, "Cannot cancel this job: its status is failure")
    assert house.desk.faults() == []


def cancel(caller: Client, job_id: str, body: Any = None) -> Any:
    return caller.call("POST", f"/jobs/{job_id}/action", json=body or {"action": "cancel"})


def test_a_job_is_cancelled_while_it_is_under_way(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    queued, running, done = (caller.begin(CUSTOM, image=image)["jobId"] for _ in range(3))
    house.desk.jobs.begin_attempt(caller.row(running).id)
    caller.finish(done)
    for job_id in (queued, running):
        answer = cancel(caller, job_id)
        assert answer.status_code == 200
        job = answer.json()["job"]
        assert (job["status"], job["billing"]["cuCost"]) == ("canceled", 40)
        assert job["statusHistory"][-1]["status"] == "canceled"
        assert "error" not in job["metadata"]
        assert_refused(cancel(caller, job_id), 400, "its status is canceled")
    assert_refused(cancel(caller, done), 400, "Cannot cancel this job: its status is success")
    assert available(house) == CREDIT - 400_000
    for bad, text in (({"action": "stop"}, "action: must be one of cancel"), ({"x": 1}, "action: is req")):
        assert_refused(cancel(caller, queued, bad), 400, text)
    assert_refused(cancel(caller, "job_" + "x" * 24), 404, "there is no job")
    assert house.desk.faults() == []


def test_an_uploads_job_is_no_job_to_cancel(house: House) -> None:
    caller = client(house)
    body = {"fileName": "x", "fileSize": 9, "contentType": "image/png", "kind": "image", "parts": 1}
    job = caller.call("POST", "/uploads", json=body).json()["upload"]["jobId"]
    assert caller.job(job)["status"] == "pending"
    assert_refused(cancel(caller, job), 400, "Cannot cancel this type of job")
    house.desk.accounts.workspaces.create("other", None)
    assert_refused(cancel(client(house, "other"), job), 404, "there is no job")


def test_lists_are_narrowed(house: House) -> None:
    caller, other_key = client(house), client(house)
    image = caller.upload()["id"]
    first = caller.begin(UPSCALE, image=image)
    second = other_key.begin(CUSTOM, image=image, hideResults=True)
    third = caller.begin(CUSTOM, image=image)
    ids = [first["jobId"], second["jobId"], third["jobId"]]
    house.post(caller.headers)
    assert listed(caller) == ids[::-1], "the latest first, and this door's alone"
    caller.finish(ids[0])
    house.desk.jobs.fail(caller.row(ids[1]).id, InferenceCrashed())
    for status, found in (
        ("success", [ids[0]]),
        ("failure", [ids[1]]),
        ("queued", [ids[2]]),
        ("in-progress", []),
        ("canceled", []),
        ("pending", []),
        ("warming-up", []),
        ("finalizing", []),
    ):
        assert listed(caller, status=status) == found, status
    assert listed(caller, authorId=second["authorId"]) == [ids[1]]
    assert listed(caller, authorId="\0") == []
    assert listed(caller, hideResults="false") == [ids[2], ids[0]]
    assert listed(caller, hideResults="true") == ids[::-1]
    assert listed(caller, workflowId="x") == []
    assert listed(caller, createdAfter=third["createdAt"]) == []
    assert ids[1] not in listed(caller, createdAfter=second["createdAt"])
    assert listed(caller, createdAfter="2020-01-01") == ids[::-1]
    assert listed(caller, updatedAfter=caller.job(ids[1])["updatedAt"]) == []
    assert listed(caller, updatedAfter="2999-01-01") == []
    assert set(listed(caller, updatedAfter=third["createdAt"])) >= {ids[0], ids[1]} - {ids[2]}
    for query, text in (
        ({"status": "succeeded"}, "status"),
        ({"createdAfter": "yesterday"}, "createdAfter"),
        ({"updatedAfter": "1"}, "updatedAfter"),
        ({"pageSize": 0}, "pageSize"),
        ({"types": ",".join(map(str, range(2000)))}, "types: must have at most 100 names, got 2000"),
        ({"type": "_" * 30_000}, "type"),
        ({"pageSize": 201}, "pageSize"),
        ({"pageSize": "x"}, "pageSize"),
        ({"hideResults": "x"}, "hideResults"),
        ({"originalAssets": "x"}, "originalAssets"),
        ({"paginationToken": "x"}, "paginationToken"),
        ({"paginationToken": "job_" + "x" * 24}, "paginationToken"),
    ):
        assert_refused(caller.call("GET", "/jobs", params=query), 400, text)


def test_pages_have_every_job_once(house: House) -> None:
    caller = client(house)
    image = caller.upload()["id"]
    ids = [caller.begin(UPSCALE, image=image)["jobId"] for _ in range(5)]
    found: list[str] = []
    query: dict[str, Any] = {"pageSize": 2, "projectId": "proj_x"}
    for more in (True, True, False):
        page = caller.call("GET", "/jobs", params=query).json()
        found += [job["jobId"] for job in page["jobs"]]
        assert ("nextPaginationToken" in page) is more
        query["paginationToken"] = page.get("nextPaginationToken")
    assert found == ids[::-1]
    assert listed(caller, pageSize=100) == listed(caller, pageSize=200) == ids[::-1]


def test_a_page_has_two_hundred_jobs(house: House) -> None:
    """As many as the Blender client asks for."""
    caller = client(house)
    image = caller.upload()["id"]
    ids = [caller.begin(UPSCALE, image=image)["jobId"] for _ in range(102)]
    assert listed(caller, pageSize=200) == ids[::-1]
    page = caller.call("GET", "/jobs", params={"pageSize": 101}).json()
    assert ([job["jobId"] for job in page["jobs"]], "nextPaginationToken" in page) == (ids[:0:-1], True)


def test_jobs_are_the_workspaces_and_this_doors(house: House) -> None:
    caller = client(house)
    job = caller.begin(UPSCALE, image=caller.upload()["id"])["jobId"]
    assert client(house).job(job)["jobId"] == job, "another key of the workspace may read"
    house.desk.accounts.workspaces.create("other", None)
    stranger = client(house, "other")
    assert_refused(stranger.call("GET", f"/jobs/{job}"), 404, "there is no job")
    assert_refused(cancel(stranger, job), 404, "there is no job")
    assert listed(stranger) == []
    assert_refused(stranger.call("GET", "/jobs", params={"paginationToken": job}), 400, "paginationToken")
    own = house.post(caller.headers).json()["id"]
    form = {"files": {"image": SMALL}, "data": {"prompt": "a cup"}}
    for foreign in (own, "x", "job_", "job_%00", "job_" + "\u00e9" * 24):
        assert_refused(caller.call("GET", f"/jobs/{foreign}"), 404, "there is no job")
    assert form


def test_the_creative_plan_serves_whoever_asks_for_what_it_alone_does(house: House) -> None:
    """The conservative plan makes nothing from words, style images or chance."""
    caller = client(house)
    image = caller.upload()["id"]
    usual = {
        "detailsLevel": 0,
        "fractality": 50,
        "refinementSteps": 1,
        "creativityDecay": 50,
        "styleImagesFidelity": 50,
        "promptFidelity": 50,
        "imageFidelity": 90,
        "style": "standard",
        "tileStyle": False,
        "overrideEmbeddings": False,
    }
    for path, body, model in (
        (CUSTOM, {}, "conservative"),
        (CUSTOM, {"prompt": "", "seed": 7, "styleImages": [], "guidanceScale": 6}, "conservative"),
        (CUSTOM, {"strength": 0.19, "style": "standard"}, "conservative"),
        (CUSTOM, {"strengthDecay": 0.1}, "conservative"),
        (CUSTOM, {"preset": "balanced", "strength": 0.1, "guidanceScale": 6}, "conservative"),
        (CUSTOM, {"prompt": "warm"}, "creative"),
        (CUSTOM, {"style": "photography"}, "creative"),
        (CUSTOM, {"loraDetailsScale": 0.1}, "creative"),
        (CUSTOM, {"strength": 0.2}, "creative"),
        (UPSCALE, {"creativity": 19, "seed": 0}, "conservative"),
        *((UPSCALE, {"preset": "precise", name: value}, "conservative") for name, value in usual.items()),
        (UPSCALE, {"preset": "precise", **usual}, "conservative"),
        (UPSCALE, {"preset": "precise", "imageFidelity": 75}, "creative"),
        (UPSCALE, {"creativity": 19, "imageFidelity": 75}, "conservative"),
        (UPSCALE, {"creativity": 19, "imageFidelity": 90}, "creative"),
        (UPSCALE, {"creativity": 19, "style": "comic"}, "creative"),
        (UPSCALE, {"creativity": 19, "styleImages": [image]}, "creative"),
        (UPSCALE, {"creativity": 19, "fractality": 60}, "creative"),
        (UPSCALE, {"creativity": 20}, "creative"),
    ):
        job = caller.begin(path, image=image, **body)["jobId"]
        rows = house.desk.rows(f"SELECT model FROM jobs WHERE alias = '{job}'")
        assert [row.model for row in rows] == [model], body


def test_a_test_key_pays_nothing(house: House) -> None:
    caller = client(house, is_test=True)
    job = caller.begin(UPSCALE, image=caller.upload()["id"])
    caller.finish(job["jobId"])
    assert available(house) == CREDIT
    assert caller.job(job["jobId"])["status"] == "success"
