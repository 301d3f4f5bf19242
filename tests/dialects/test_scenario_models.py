"""Scenario's models, and what its door says of itself."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.house import House
from tests.support.scenario import CUSTOM, UPSCALE, assert_refused, client

MODELS = ["model_upscale-v3", "model_scenario-upscale-v3"]
# name: type, default, min, max, as the vendor's table of 2026-04-09 has them
TABLE: dict[str, tuple[Any, ...]] = {
    "image": ("file", None, None, None),
    "style": ("string", "standard", None, None),
    "upscaleFactor": ("number", 2, 1, 16),
    "preset": ("string", "precise", None, None),
    "styleImages": ("file_array", None, None, None),
    "styleStrength": ("number", 0.5, 0, 3),
    "tileStyle": ("boolean", False, None, None),
    "prompt": ("string", "", None, None),
    "negativePrompt": ("string", "", None, None),
    "guidanceScale": ("number", 6, 0, 10),
    "controlnetConditioningScale": ("number", 0.8, 0, 1.2),
    "strength": ("number", 0.1, 0.1, 1),
    "fractality": ("number", 0, 0, 1),
    "loraDetailsScale": ("number", 0, -1.5, 1.5),
    "seed": ("number", None, 0, 2_147_483_647),
    "strengthDecay": ("number", 0.8, 0.1, 1),
    "overrideEmbeddings": ("boolean", False, None, None),
}


def test_a_model_says_its_inputs(house: House) -> None:
    caller = client(house)
    for model_id in MODELS:
        model = caller.call("GET", f"/models/{model_id}").json()["model"]
        assert model["id"] == model_id
        assert model["capabilities"] == ["img2img"]
        assert (model["type"], model["status"], model["privacy"]) == ("custom", "trained", "public")
        assert model["custom"] is True
        inputs = {one["name"]: one for one in model["inputs"]}
        found = {
            name: (one["type"], one.get("default"), one.get("min"), one.get("max"))
            for name, one in inputs.items()
        }
        assert found == TABLE
        assert list(inputs) == list(TABLE)
        assert {name for name in inputs if "required" in inputs[name]} == {"image"}
        assert inputs["image"]["required"] == {"always": True}
        assert (inputs["image"]["kind"], inputs["image"]["parent"]) == ("image", True)
        assert (inputs["styleImages"]["kind"], inputs["styleImages"]["maxLength"]) == ("image", 10)
        assert inputs["preset"]["allowedValues"] == ["precise", "balanced", "creative"]
        assert len(inputs["style"]["allowedValues"]) == 7
        assert inputs["prompt"]["prompt"] is True
        [presets] = model["uiConfig"]["presets"]
        assert presets["fields"] == ["preset"]
        assert presets["presets"]["creative"]["strength"] == 0.65
        usual = {name: row[1] for name, row in TABLE.items()}
        assert presets["presets"]["precise"].items() <= usual.items(), "the default preset is the defaults"


def test_what_a_model_says_of_its_inputs_is_what_is_taken(house: House) -> None:
    """Its defaults, sent, are what counts where they are not."""
    caller = client(house)
    image = caller.upload()["id"]
    inputs = caller.call("GET", "/models/model_upscale-v3").json()["model"]["inputs"]
    defaults = {one["name"]: one["default"] for one in inputs if "default" in one}
    explicit = caller.row(caller.begin(CUSTOM, image=image, seed=1, **defaults)["jobId"]).request
    assert caller.row(caller.begin(CUSTOM, image=image, seed=1)["jobId"]).request == explicit


def test_models_are_listed_without_their_inputs(house: House) -> None:
    caller = client(house)

    def listed(**query: Any) -> list[str]:
        body = caller.call("GET", "/models", params=query).json()
        assert not any("inputs" in model for model in body["models"])
        return [model["id"] for model in body["models"]]

    assert listed() == listed(privacy="public") == listed(tags="image-upscale", status="trained") == MODELS
    assert listed(type="custom") == listed(types="custom,flux.1") == MODELS
    assert listed(privacy="private") == listed(tags="image-upscale,x") == listed(type="flux.1") == []
    assert listed(status="new") == []
    page = caller.call("GET", "/models", params={"pageSize": 1}).json()
    token = page["nextPaginationToken"]
    rest = caller.call("GET", "/models", params={"pageSize": 1, "paginationToken": token}).json()
    assert "nextPaginationToken" not in rest
    assert [page["models"][0]["id"], rest["models"][0]["id"]] == MODELS
    for query, text in (
        ({"pageSize": 0}, "pageSize"),
        ({"pageSize": 501}, "pageSize"),
        ({"privacy": "x"}, "privacy"),
        ({"paginationToken": "x"}, "paginationToken"),
    ):
        assert_refused(caller.call("GET", "/models", params=query), 400, text)
    bulk = caller.call("POST", "/models/get-bulk", json={"modelIds": [MODELS[1], "x"]})
    assert [model["id"] for model in bulk.json()["models"]] == [MODELS[1]]
    minimal = caller.call("POST", "/models/get-bulk", json={"modelIds": MODELS, "minimal": True})
    assert minimal.json()["models"][0].keys() == {"id", "name", "type"}
    assert_refused(caller.call("POST", "/models/get-bulk", json={}), 400, "modelIds: is required")
    assert_refused(caller.call("GET", "/models/model_none"), 404, "'model_none'")


def test_who_may_come_in(house: House) -> None:
    secret = house.key()["authorization"].removeprefix("Bearer ")
    key_id = house.desk.accounts.keys.list(house.desk.accounts.workspaces.get("default").id)[-1].id

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    for good in (f"Bearer {secret}", basic(f"{key_id}:{secret}"), basic(f"{secret}:{secret}")):
        answer = house.http.get("/v1/models", headers={"authorization": good})
        assert answer.status_code == 200, good[:10]
    for bad in ("", "Bearer", "Bearer x", basic(f"key_other:{secret}"), basic("x:y"), "Basic %%%"):
        for method, path in (("GET", "/v1/jobs"), ("POST", UPSCALE), ("GET", "/v1/assets?pageSize=x")):
            refused = house.http.request(method, path, headers={"authorization": bad})
            assert_refused(refused, 401, "The API key is missing or wrong")
            assert "www-authenticate" not in refused.headers


def test_paths_that_are_none(house: House) -> None:
    caller = client(house)
    for path in ("/v1", "/v1/", "/v1/nothing", "/v1/generate", "/v1/jobs/", "/v1/userx"):
        assert_refused(house.http.get(path), 404, f"there is no {path} here")
    refused = caller.call("PATCH", "/jobs")
    assert_refused(refused, 405, "PATCH is not allowed at /v1/jobs")
    assert "GET" in refused.headers["allow"]
    compressed = caller.call("POST", UPSCALE, content=b"x", headers={"content-encoding": "gzip"})
    assert_refused(compressed, 400, "content-encoding")
    for path in ("/v1/user/x", "/v1/engines/x", "/v1/generation/x"):
        assert house.http.get(path).json().keys() == {"id", "name", "message"}, "Stability's, as ever"
    prefixed = house.http.get("/scenario/v1/models", headers=caller.headers)
    assert prefixed.json() == caller.call("GET", "/models").json()
    assert_refused(house.http.get("/scenario/v1/nothing"), 404, "there is no")


def test_the_document_names_everything_as_the_vendor_does(house: House) -> None:
    document = house.http.get("/scenario/openapi.json").json()
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert operations.keys() >= {
        "generateUpscale",
        "generateRunModel",
        "assetUpload",
        "assetRetrieve",
        "assetList",
        "assetGetBulk",
        "assetUpdate",
        "assetUpdateTags",
        "assetDeleteMultiple",
        "assetDuplicate",
        "modelRetrieve",
        "modelList",
        "modelGetBulk",
        "jobRetrieve",
        "jobList",
        "jobTriggerAction",
    }
    assert [name for name, one in operations.items() if one.get("deprecated")] == ["generateUpscale"]
    old = operations["generateUpscale"]["requestBody"]["content"]["application/json"]["schema"]
    assert len(old["properties"]) == 20
    assert old["required"] == ["image"]
    assert {"200", "269", "400", "401", "402", "404", "429"} <= operations["generateRunModel"][
        "responses"
    ].keys()
    bulk = document["components"]["schemas"]["ModelGetBulkResponse"]["properties"]["models"]["items"]
    assert [one["$ref"].rpartition("/")[2] for one in bulk["anyOf"]] == ["Model", "MinimalModel"]
    minimal = document["components"]["schemas"]["MinimalModel"]
    assert minimal["required"] == ["id", "name", "type"]
    assert "ENLARGER_MAX_OUTPUT_PIXELS" in old["properties"]["targetWidth"]["description"]
    for operation in operations.values():
        body = operation.get("requestBody")
        assert body is None or "example" in body["content"]["application/json"]
        assert "429" in operation["responses"]
