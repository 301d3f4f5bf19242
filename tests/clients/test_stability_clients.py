"""Clients of Stability's API that others wrote, unmodified, against a running server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.clients import NodeClient, PythonClient
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer

PROGRAMS = Path(__file__).parent / "stability"
LITELLM = "litellm==1.100.5"
"""What is known of it was seen in this version; those after it need a certifi that is newer than any."""
NODE = "stability-ai@0.7.0"


@pytest.fixture
def server(server: RunningServer) -> Iterator[RunningServer]:
    """The shared one; what a client has begun and never asks for is stopped after the test."""
    yield server
    with server.client() as http:
        for state in ("queued", "running"):
            for job in http.get("/enlarger/v1/jobs", params={"state": state}).json()["data"]:
                http.delete(f"/enlarger/v1/jobs/{job['id']}")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    # A sixteenth of four megapixels' sides: the size from which they are soonest made.
    path.write_bytes(encoded(crop("coffee", 128, 128)))
    return path


def size_of(path: Path | str) -> tuple[str | None, tuple[int, int]]:
    with Image.open(path) as image:
        image.load()
        return image.format, image.size


def test_litellm(server: RunningServer, photo: Path) -> None:
    client = PythonClient.get("litellm", LITELLM)
    said = client.run(
        PROGRAMS / "litellm_client.py",
        str(photo),
        STABILITY_API_BASE=server.url,
        STABILITY_API_KEY=SECRET,
        # It would fetch its price list from the network.
        LITELLM_LOCAL_MODEL_COST_MAP="True",
    )
    got = json.loads(said.splitlines()[-1])
    assert got["fast"] == [[512, 512]]
    assert got["conservative"] == [[2048, 2048]]
    assert got["creative"] == [], "it begins one, and has no way to ask for the result"
    assert got["no prompt"][0] == "BadRequestError"
    assert "prompt: is required" in got["no prompt"][1]
    assert got["no picture"][0] == "BadRequestError"
    assert "image: " in got["no picture"][1]
    assert got["no key"][0] == "AuthenticationError"
    assert "authorization: invalid or missing header value" in got["no key"][1]


def test_the_node_package(server: RunningServer, photo: Path, tmp_path: Path) -> None:
    client = NodeClient.get("stability-ai", NODE)
    said = client.run(PROGRAMS / "node_client.js", server.url, SECRET, str(photo), TMPDIR=str(tmp_path))
    got = json.loads(said)
    assert got["account"]["organizations"][0]["is_default"] is True
    assert got["balance"]["credits"] > 0
    assert [engine["type"] for engine in got["engines"]] == ["PICTURE"]
    assert (len(got["creative"]["id"]), got["creative"]["outputFormat"]) == (64, "webp")
    assert got["pending"] == {"id": got["creative"]["id"], "status": "in-progress"}
    assert size_of(got["conservative"]["filepath"]) == ("JPEG", (2048, 2048))
    assert got["conservative"]["seed"] == 7
    for result in (got["result"], got["again"]):
        assert size_of(result["filepath"]) == ("WEBP", (2048, 2048))
        assert (result["seed"], result["errored"], result["contentFiltered"]) == (9, False, False)
    for refused in ("gone", "outOfRange", "noKey"):
        assert got[refused]["message"], refused


def test_the_samples_in_python_and_javascript(server: RunningServer, photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "python.webp"
    command = [sys.executable, PROGRAMS / "sample.py", server.url, SECRET, photo, target]
    subprocess.run(command, check=True, timeout=180)
    assert size_of(target) == ("WEBP", (2048, 2048))
    target = tmp_path / "javascript.jpg"
    # Beside the package lie the libraries that the sample names.
    node = NodeClient.get("stability-ai", NODE)
    node.run(PROGRAMS / "sample.js", server.url, SECRET, str(photo), str(target))
    assert size_of(target) == ("JPEG", (512, 512))


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_samples_for_curl(server: RunningServer, photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "curl.webp"
    command = ["sh", PROGRAMS / "sample.sh", server.url, SECRET, photo, target]
    done = subprocess.run(command, check=True, timeout=180, capture_output=True, text=True)
    assert size_of(target) == ("WEBP", (512, 512))
    assert done.stdout == "202"
