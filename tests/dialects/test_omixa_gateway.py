"""What is around Omixa's upscales: models and their prices, usage and its sums, the document."""

from __future__ import annotations

from collections import Counter
from typing import Any

import httpx

from enlarger.database import write
from enlarger.errors import OutOfMemory
from enlarger.ledger import prices
from enlarger.ledger.prices import Price
from enlarger.money import micros_of
from tests.support.house import House
from tests.support.omixa import CONSERVATIVE, CREATIVE, FAST, assert_error, send
from tests.support.working import working

MODELS, REQUESTS, ROLLUPS = "/api/v1/models", "/api/v1/usage/requests", "/api/v1/usage/rollups"
PERMISSION, VALIDATION = "permission_error", "validation_error"


def get(house: House, path: str, headers: dict[str, str], **query: Any) -> httpx.Response:
    return house.http.get(path, headers=headers, params=query)


def test_the_models_that_a_key_may_use_with_their_prices(house: House) -> None:
    listed = get(house, MODELS, house.key()).json()
    assert listed.keys() == {"object", "data"}
    assert listed["object"] == "list"
    amounts = {row["id"]: [price["amount"] for price in row["prices"]] for row in listed["data"]}
    assert amounts == {CONSERVATIVE: ["0.400000"], CREATIVE: ["0.600000"], FAST: ["0.020000"]}
    for row in listed["data"]:
        assert row["object"] == "model"
        assert isinstance(row["created"], int)
        assert (row["owned_by"], row["modality"], row["provider"]) == ("enlarger", "image", "local")
        assert row == get(house, f"{MODELS}/{row['id']}", house.key()).json()
    limited = house.key(models=("fast",))
    assert [row["id"] for row in get(house, MODELS, limited).json()["data"]] == [FAST]
    refused = get(house, f"{MODELS}/{CREATIVE}", limited)
    assert_error(refused, 403, PERMISSION, "model_not_allowed", "model", FAST)
    for name in ("dall-e-3", "creative", "x" * 300):
        answer = get(house, f"{MODELS}/{name}", house.key())
        assert_error(answer, 404, "not_found_error", "model_not_found", "model")
    for path in (MODELS, f"{MODELS}/{FAST}", REQUESTS, ROLLUPS):
        assert_error(get(house, path, {}), 401, "authentication_error", "invalid_api_key")
    assert get(house, "/omixa" + MODELS, house.key()).json() == listed


def test_a_model_without_a_price_is_not_listed(house: House) -> None:
    with write(house.desk.engine) as connection:
        prices.publish(
            connection,
            [Price("creative", 1), Price("creative", 0, up_to_pixels=1000), Price("other", 5)],
            "for a test",
        )
    [row] = get(house, MODELS, house.key()).json()["data"]
    assert row["id"] == CREATIVE
    assert [(price["amount"], price["up_to_pixels"]) for price in row["prices"]] == [
        ("0.000001", None),
        ("0.000000", 1000),
    ]
    missing = get(house, f"{MODELS}/{FAST}", house.key())
    assert_error(missing, 404, "not_found_error", "model_not_found", "model")


def fill(house: House) -> dict[str, str]:
    """Requests of every kind; the key that made most of them."""
    key, test_key = house.key(), house.key(is_test=True)
    with working(house):
        for model in (CREATIVE, CREATIVE, CONSERVATIVE, FAST):
            assert send(house, key, model).status_code == 200
        assert send(house, test_key, FAST).status_code == 200
        own = house.post(key, mode="fast", wait="true")
        assert own.status_code == 200, own.text
    with working(house, lambda job: house.desk.jobs.fail(job, OutOfMemory("with details of ours"))):
        assert send(house, key, CONSERVATIVE).status_code == 500
    return key


def test_usage_is_that_of_the_ledger_under_omixas_names(house: House) -> None:
    before = house.desk.balance(house.desk.caller()).available_micros
    key = fill(house)
    listed = get(house, REQUESTS, key).json()
    assert listed.keys() == {"object", "data", "has_more"}
    rows = listed["data"]
    assert (len(rows), listed["has_more"]) == (7, False)
    assert Counter(row["model"] for row in rows) == {CREATIVE: 2, CONSERVATIVE: 2, FAST: 3}
    assert Counter(row["door"] for row in rows) == {"omixa": 6, "own": 1}
    failed = rows[0]
    assert (failed["status"], failed["billed_amount"], failed["price"]) == (
        "failed",
        "0.000000",
        "0.400000",
    )
    assert failed["error"]["code"] == "out_of_memory"
    assert "details of ours" not in failed["error"]["message"]
    [test] = [row for row in rows if row["is_test"]]
    assert (test["billed_amount"], test["status"], test["error"]) == ("0.000000", "succeeded", None)
    billed = sum(micros_of(row["billed_amount"]) for row in rows)
    assert billed == before - house.desk.balance(house.desk.caller()).available_micros == 1_640_000
    assert billed == house.desk.rows("SELECT sum(billed_micros) AS n FROM usage")[0].n
    for row in rows:
        assert row["object"] == "usage.request"
        assert (row["stream"], row["total_tokens"], row["provider"]) == (False, 0, "local")
        assert len(row["request_id"]) == 32
    for period in ("day", "hour"):
        sums = get(house, ROLLUPS, key, period_type=period).json()
        assert sums.keys() == {"object", "data", "has_more"}
        assert sum(micros_of(one["billed_amount"]) for one in sums["data"]) == billed
        assert sum(one["requests"] for one in sums["data"]) == 7
        assert sum(one["failed"] for one in sums["data"]) == 1
        assert {one["model"] for one in sums["data"]} == {CREATIVE, CONSERVATIVE, FAST}
        assert {one["period_type"] for one in sums["data"]} == {period}
    assert get(house, ROLLUPS, key).json() == get(house, ROLLUPS, key, period_type="day").json()
    house.desk.accounts.workspaces.create("other", None)
    stranger = house.key("other")
    assert get(house, REQUESTS, stranger).json() == {"object": "list", "data": [], "has_more": False}
    assert get(house, ROLLUPS, stranger).json()["data"] == []
    foreign = get(house, REQUESTS, stranger, starting_after=rows[0]["id"])
    assert_error(foreign, 404, "not_found_error", "not_found", "starting_after")


def test_usage_by_pages_and_filters(house: House) -> None:
    key = fill(house)
    whole = [row["id"] for row in get(house, REQUESTS, key).json()["data"]]
    walked: list[str] = []
    more = True
    while more:
        cursor = {"starting_after": walked[-1]} if walked else {}
        page = get(house, REQUESTS, key, limit=3, **cursor).json()
        walked += [row["id"] for row in page["data"]]
        more = page["has_more"]
    assert walked == whole
    back = get(house, REQUESTS, key, limit=2, ending_before=whole[3]).json()
    assert [row["id"] for row in back["data"]] == whole[1:3]
    keys = {row["key_id"] for row in get(house, REQUESTS, key).json()["data"]}
    for query, count in (
        ({"model": FAST}, 3),
        ({"model": CREATIVE, "status": "succeeded"}, 2),
        ({"status": "failed"}, 1),
        ({"status": "cancelled"}, 0),
        ({"from": "2020-01-01", "to": "2020-01-02"}, 0),
        ({"from": "2020-01-01T00:00:00Z"}, 7),
        ({"key": "key_nobody"}, 0),
    ):
        assert len(get(house, REQUESTS, key, **query).json()["data"]) == count, query
        sums = get(house, ROLLUPS, key, **query).json()["data"]
        assert sum(one["requests"] for one in sums) == count, query
    assert sorted(len(get(house, REQUESTS, key, key=one).json()["data"]) for one in keys) == [1, 6]
    for path, query, param in (
        (REQUESTS, {"limit": 0}, "limit"),
        (REQUESTS, {"limit": 101}, "limit"),
        (REQUESTS, {"limit": "many"}, "limit"),
        (REQUESTS, {"model": "creative"}, "model"),
        (REQUESTS, {"status": "done"}, "status"),
        (REQUESTS, {"from": "yesterday"}, "from"),
        (REQUESTS, {"to": "2026-13-01"}, "to"),
        (REQUESTS, {"period_type": "day"}, "period_type"),
        (REQUESTS, {"starting_after": whole[0], "ending_before": whole[1]}, "ending_before"),
        (ROLLUPS, {"period_type": "week"}, "period_type"),
        (ROLLUPS, {"period_type": ""}, "period_type"),
        (ROLLUPS, {"limit": 5}, "limit"),
    ):
        answer = get(house, path, key, **query)
        code = answer.json()["error"]["code"]
        assert code in ("invalid_value", "unsupported_option")
        assert_error(answer, 422, VALIDATION, code, param)
    unknown = get(house, REQUESTS, key, starting_after="nothing")
    assert_error(unknown, 404, "not_found_error", "not_found", "starting_after")


def test_the_document_can_be_read_by_programs(house: House) -> None:
    document = house.http.get("/omixa/openapi.json").json()
    operations = {
        operation["operationId"]: operation
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    assert operations.keys() == {
        "createImageGeneration",
        "listModels",
        "retrieveModel",
        "listUsageRequests",
        "listUsageRollups",
    }
    content = operations["createImageGeneration"]["requestBody"]["content"]["application/json"]
    assert content["examples"].keys() == {"conservative", "creative", "fast"}
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    schemas = document["components"]["schemas"]
    assert {
        "ConservativeUpscaleRequest",
        "CreativeUpscaleRequest",
        "FastUpscaleRequest",
        "ImageGeneration",
        "ModelList",
        "UsageRequestList",
        "UsageRollupList",
        "ErrorResponse",
    } <= schemas.keys()
    assert not schemas.keys() & {"HTTPValidationError", "ValidationError"}, "every error has one shape"
    assert schemas["CreativeUpscaleRequest"]["additionalProperties"] is False
    bounds = {
        name: [one for one in field["anyOf"] if one.get("type") in ("integer", "number")]
        for name, field in schemas["CreativeUpscaleRequest"]["properties"].items()
        if name in ("seed", "creativity", "n")
    }
    assert bounds == {
        "seed": [{"type": "integer", "minimum": 0, "maximum": 4_294_967_294}],
        "n": [{"type": "integer", "minimum": 1, "maximum": 1}],
        "creativity": [{"type": "number", "minimum": 0.1, "maximum": 0.5}],
    }
    assert set(schemas["CreativeUpscaleRequest"]["required"]) == {"model", "input_images", "prompt"}

    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return found.union(*(references(value) for value in node.values()))
        return set().union(*(references(value) for value in node)) if isinstance(node, list) else set()

    assert {name.removeprefix("#/components/schemas/") for name in references(document)} <= schemas.keys()
