"""`/docs`: complete, from here alone, and every example does what it says."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from PIL import Image

from enlarger.server.docs.examples import calls_of, curl, javascript, python
from enlarger.server.docs.schema import row_of, rows_of
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer


def names(server: RunningServer) -> list[str]:
    return re.findall(r'href="/docs/([\w-]+)"', httpx.get(f"{server.url}/docs").text)


def document_of(server: RunningServer, name: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{server.url}/{name}/openapi.json").json()
    return document


def test_every_page_is_there_and_needs_nothing_from_outside(server: RunningServer) -> None:
    found = names(server)
    assert {"stability", "enlarger"} <= set(found)
    for path in ("/docs", *(f"/docs/{name}" for name in found)):
        answer = httpx.get(server.url + path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.headers["content-security-policy"].startswith(
            "default-src 'none'; style-src 'sha256-"
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text
        assert "style=" not in answer.text, "the policy would not let it"
        assert not re.search(r"(src|href|action)\s*=\s*.?(https?:)?//|url\(|@import", answer.text)
        for link in re.findall(r'href="(/[^"#]*)"', answer.text):
            assert httpx.get(server.url + link).status_code == 200, link
        anchors = set(re.findall(r'id="([^"]+)"', answer.text))
        assert set(re.findall(r'href="#([^"]+)"', answer.text)) <= anchors
    missing = httpx.get(f"{server.url}/docs/nobody")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


def test_every_document_is_openapi_and_every_route_of_it_is_on_its_page(server: RunningServer) -> None:
    for name in names(server):
        document = document_of(server, name)
        validate(document)
        assert document["components"]["securitySchemes"], name
        assert "HTTPValidationError" not in str(document), "no dialect answers that"
        page = httpx.get(f"{server.url}/docs/{name}").text
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                assert f">{method}</span> <code>" in page
                assert f"{html.escape(path)}</code>" in page
                mark = " (deprecated)" if operation.get("deprecated") else ""
                assert f"<p>{html.escape(operation['summary'])}{mark}</p>" in page
        for field in ("creativity", "0.1 to 0.5", "one of png, jpeg, webp") if name == "stability" else ():
            assert field in page


PAID = {
    "stability": {"upscaleImageFast", "upscaleImageConservative", "upscaleImageCreative", "upscaleImage"},
    "omixa": {"createImageGeneration"},
    "1min": {"runFeature", "runTeamFeature"},
    "scenario": {"generateUpscale", "generateRunModel"},
    "enlarger": {"createJob"},
}


def test_every_paid_route_declares_the_header_that_makes_it_safe_to_repeat(server: RunningServer) -> None:
    declared: dict[str, set[str]] = {}
    for name in names(server):
        for methods in document_of(server, name)["paths"].values():
            for operation in methods.values():
                if "Idempotency-Key" in [one["name"] for one in operation.get("parameters", ())]:
                    declared.setdefault(name, set()).add(operation["operationId"])
        page = httpx.get(f"{server.url}/docs/{name}").text
        assert "<code>Idempotency-Key</code>" in page
    assert declared == PAID


def test_bodies_that_are_slow_or_compressed_are_declared_where_they_have_a_status(
    server: RunningServer,
) -> None:
    for name, path in (
        ("omixa", "/api/v1/images/generations"),
        ("1min", "/api/features"),
        ("enlarger", "/v1/jobs"),
    ):
        assert {"408", "415"} <= document_of(server, name)["paths"][path]["post"]["responses"].keys()


def test_what_a_page_says_comes_from_strangers_too_and_is_escaped(server: RunningServer) -> None:
    answer = httpx.get(f"{server.url}/docs/stability", headers={"host": "<b>.example"})
    assert "<b>" not in answer.text


def examples(server: RunningServer, name: str, path: str) -> list[str]:
    """Those of one route, in all languages, with the key of the tests."""
    page = httpx.get(f"{server.url}/docs/{name}").text
    after = page[page.index(f"{path}</code></h2>") :]
    found = re.findall(r"</summary>\n<pre>(.*?)</pre>", after, re.DOTALL)
    return [html.unescape(text).replace("YOUR_KEY", SECRET) for text in found[:3]]


@pytest.mark.parametrize("language", ["curl", "python", "node"])
@pytest.mark.parametrize(
    ("name", "path"),
    [("stability", "/v2beta/stable-image/upscale/fast"), ("enlarger", "/enlarger/v1/prices")],
)
def test_examples_run_as_they_are(
    server: RunningServer, tmp_path: Path, language: str, name: str, path: str
) -> None:
    if shutil.which(language) is None and language != "python":
        pytest.skip(f"there is no {language} on this machine")
    (tmp_path / "photo.jpg").write_bytes(encoded(crop("coffee", 64, 48), "JPEG"))
    text = examples(server, name, path)[["curl", "python", "node"].index(language)]
    commands: dict[str, list[str]] = {
        "curl": ["sh", "-c", text],
        "python": [sys.executable, "-c", text],
        "node": ["node", "--input-type=module", "-e", text],
    }
    done = subprocess.run(commands[language], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    if name == "stability":
        with Image.open(tmp_path / "enlarged.png") as image:
            assert image.size == (256, 192)
    else:
        assert '"creative"' in done.stdout


DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "New": {
                "type": "object",
                "required": ["name", "mode", "ids", "terms", "count", "on"],
                "properties": {
                    "name": {"type": "string", "maxLength": 9},
                    "mode": {"enum": ["a", "b"]},
                    "ids": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    "terms": {"anyOf": [{"$ref": "#/components/schemas/Terms"}, {"type": "null"}]},
                    "count": {"type": "integer", "minimum": 3, "maximum": 1000.0, "default": 5},
                    "on": {"type": "boolean"},
                    "more": {"type": "string"},
                },
            },
            "Terms": {"type": "object", "required": ["x"], "properties": {"x": {"const": "it's"}}},
        }
    }
}


@pytest.mark.parametrize("write", [curl, python, javascript])
def test_an_example_has_what_is_required_and_is_quoted(write: Callable[..., str]) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}
    operation = {"requestBody": {"content": content}}
    headers = {"API-KEY": "YOUR_KEY"}
    [(title, call)] = calls_of(DOCUMENT, "/v1/{assetId}", "put", operation, "http://x", headers)
    assert title == ""
    assert call.url == "http://x/v1/ASSET_ID"
    assert call.body == {
        "name": "NAME",
        "mode": "a",
        "ids": ["IDS"],
        "terms": {"x": "it's"},
        "count": 5,
        "on": True,
    }
    text = write(call)
    assert "API-KEY" in text
    assert "PUT" in text or "requests.put(" in text
    assert "enlarged.png" not in text


def test_a_documents_own_examples_come_first_and_of_choices_the_first() -> None:
    choices = {
        "oneOf": [
            {"type": "object", "title": "A", "properties": {"a": {"type": "string"}}},
            {"type": "null"},
        ]
    }
    schema = {"type": "object", "required": ["x"], "properties": {"x": choices}}
    [row, inner] = rows_of(schema)
    assert (row.type, inner.name) == ("A or null", "x.a")
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"content": content}}
    [(_, call)] = calls_of(DOCUMENT, "/", "post", operation, "", {})
    assert call.body == {"x": {}}
    content["application/json"]["examples"] = {"b": {"summary": "small", "value": 1}, "c": {"value": 2}}
    calls = calls_of(DOCUMENT, "/", "post", operation, "", {})
    assert [(title, call.body) for title, call in calls] == [("small", 1), ("c", 2)]


def test_rows_say_type_and_limits() -> None:
    rows = {row.name: row for row in rows_of(DOCUMENT["components"]["schemas"]["New"])}
    assert rows["count"].limits == "3 to 1,000; 5 if absent"
    assert (rows["ids"].type, rows["ids"].limits) == ("list of string", "1 items or more")
    assert (rows["terms"].type, rows["terms"].refers_to) == ("Terms or null", "Terms")
    assert (rows["mode"].limits, rows["more"].is_required) == ("one of a, b", False)
    nested = {"type": "object", "properties": {"parts": {"type": "array", "items": DOCUMENT["components"]}}}
    assert row_of("x", {"type": ["string", "null"]}, is_required=True).type == "string or null"
    assert [row.name for row in rows_of(nested)] == ["parts"]
    inner = {"properties": {"url": {"type": "string"}}}
    listed = {"properties": {"parts": {"type": "array", "items": inner}, "one": inner}}
    assert [row.name for row in rows_of(listed)] == ["parts", "parts[].url", "one", "one.url"]
