"""Requests made from each dialect's own document: every answer is one that the document declares."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from tests.support.desk import Desk
from tests.support.house import House
from tests.support.photos import crop, encoded

EXAMPLES = 8
"""Of each operation: half as they are drawn, half with ids and pictures that there are."""
load_all_checks()
DECLARED = CHECKS.get_by_names(
    ["status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
AWAY = (503, 504)
"""What a server may answer where nobody does the work, as here."""
PICTURE = encoded(crop("coffee", 64, 64))
OWNER = "owner@a.example"
KEYS_ALONE = ("/v1/session", "/v1/me/password")
"""What would end the session that the other requests are sent with."""


@pytest.fixture(scope="module")
def house(sqlite_desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("declared")
    with (
        Desk.at(f"sqlite:///{shutil.copy(sqlite_desk, folder / 'test.db')}") as desk,
        House.open(desk, folder / "house", wait_timeout_s=1) as house,
    ):
        yield house


@pytest.fixture(scope="module")
def ids(house: House) -> dict[str, str]:
    """Ids that there are, by the name of their parameter; one that is drawn is never found."""
    key = house.key()
    form: dict[str, Any] = {"headers": key, "files": {"image": PICTURE}, "data": {"prompt": "a cup"}}
    job = house.http.post("/enlarger/v1/jobs", **form).json()["id"]
    house.finish(job)
    generation = house.http.post("/v2beta/stable-image/upscale/creative", **form).json()["id"]
    house.member(OWNER, "owner")
    member = house.member("member@a.example", "member")
    body = {"fileName": "a", "fileSize": 9, "contentType": "image/png", "kind": "image", "parts": 1}
    upload = house.http.post("/v1/uploads", headers=key, json=body).json()["upload"]
    asset = {"name": "a", "image": base64.b64encode(PICTURE).decode()}
    return {
        "job_id": job,
        "id": generation,
        "engine_id": "esrgan-v1-x2plus",
        "member_id": member.id,
        "key_id": house.desk.accounts.keys.list(member.workspace_id)[-1].id,
        "uploadId": upload["id"],
        "jobId": upload["jobId"],
        "modelId": "model_upscale-v3",
        "assetId": house.http.post("/v1/assets", headers=key, json=asset).json()["asset"]["id"],
    }


def document_of(house: House, name: str) -> dict[str, Any]:
    document: dict[str, Any] = house.http.get(f"/{name}/openapi.json").json()
    return document


def faults(house: House, ids: dict[str, str], document: dict[str, Any]) -> list[str]:
    """What the server answers to requests of a document, and the document does not declare."""
    [place] = document["servers"]
    key = house.key()
    session = house.session(OWNER) if place["url"] == "/enlarger" else key
    found: list[str] = []

    def check(operation: Any) -> None:
        headers = key if operation.path in KEYS_ALONE else session

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy(), st.booleans())
        def ask(case: Any, is_known: bool) -> None:
            if is_known:
                known = {name: ids[name] for name in case.path_parameters or () if name in ids}
                case.path_parameters.update(known)
                if isinstance(case.body, dict) and "image" in case.body:
                    is_form = case.media_type == "multipart/form-data"
                    case.body["image"] = PICTURE if is_form else ids["assetId"]
            answer = case.call(base_url=house.url + place["url"], headers=headers)
            if answer.status_code >= 500 and answer.status_code not in AWAY:
                found.append(f"{operation.label}: {answer.status_code}")
            try:
                case.validate_response(answer, checks=DECLARED)
            except BaseExceptionGroup as error:
                found.append(f"{operation.label}: {'; '.join(map(str, error.exceptions))[:800]}")

        ask()

    schema = schemathesis.openapi.from_dict(document)
    for operation in schema.get_all_operations():
        check(operation.ok())
    return list(dict.fromkeys(found))


def test_every_answer_is_declared(house: House, ids: dict[str, str]) -> None:
    names = re.findall(r'href="/docs/([\w-]+)"', house.http.get("/docs").text)
    assert {"stability", "enlarger"} <= set(names)
    found = []
    for name in names:
        document = document_of(house, name)
        assert len(document["paths"]) > 4
        found += [f"{name}: {fault}" for fault in faults(house, ids, document)]
    assert not found, f"{len(found)}:\n" + "\n".join(found)


def test_an_answer_that_is_not_declared_is_seen(house: House, ids: dict[str, str]) -> None:
    document = document_of(house, "stability")
    fast = "/v2beta/stable-image/upscale/fast"
    document["paths"] = {path: document["paths"][path] for path in (fast, "/v1/user/balance")}
    del document["paths"][fast]["post"]["responses"]["400"]
    document["components"]["schemas"]["BalanceResponse"]["properties"]["credits"]["type"] = "string"
    found = "\n".join(faults(house, ids, document))
    assert f"POST {fast}" in found
    assert "GET /v1/user/balance" in found
