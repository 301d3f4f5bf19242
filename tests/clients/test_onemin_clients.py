"""What clients of 1min.ai do, against a running server: their page's samples, and a library of theirs."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.clients import PythonClient
from tests.support.photos import crop, encoded
from tests.support.running import SECRET, RunningServer

PROGRAMS = Path(__file__).parent / "programs"
PICTURE = encoded(crop("coffee", 48, 40))

CURL = """curl --location 'https://api.1min.ai/api/features' \\
--header 'API-KEY: <api-key>' \\
--header 'Content-Type: application/json' \\
--data '{
"type": "IMAGE_UPSCALER",
"model": "stable-image",
"promptObject": {
"imageUrl": "images/2025_10_26_05_43_42_184_cat.png",
"output_format": "png"
}
}'"""
JAVASCRIPT = """fetch('https://api.1min.ai/api/features', {
method: 'POST',
headers: {
'Content-Type': 'application/json',
'API-KEY': 'YOUR_API_KEY'
},
body: JSON.stringify({
type: 'IMAGE_UPSCALER',
model: 'stable-image',
promptObject: {
imageUrl: 'images/2025_10_26_05_43_42_184_cat.png',
output_format: 'png'
}
})
})"""
PYTHON = """import requests
url = "https://api.1min.ai/api/features"
headers = {
"Content-Type": "application/json",
"API-KEY": "YOUR_API_KEY"
}
data = {
"type": "IMAGE_UPSCALER",
"model": "stable-image",
"promptObject": {
"imageUrl": "images/2025_10_26_05_43_42_184_cat.png",
"output_format": "png"
}
}
response = requests.post(url, headers=headers, json=data)
"""


def outcome(tool: str, command: list[str]) -> str:
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool} on this machine")
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_curl(program: str, folder: Path) -> str:
    return outcome("curl", ["sh", "-c", program])


def by_node(program: str, folder: Path) -> str:
    (folder / "sample.mjs").write_text(f"{program}.then(r => r.text()).then(t => console.log(t))")
    return outcome("node", ["node", str(folder / "sample.mjs")])


def by_python(program: str, folder: Path) -> str:
    (folder / "sample.py").write_text(f"{program}print(response.text)\n")
    return PythonClient.get("requests-2.32.5", "requests==2.32.5").run(folder / "sample.py")


def size_at(url: str) -> tuple[int, int]:
    with httpx.Client() as anybody, Image.open(io.BytesIO(anybody.get(url).content)) as image:
        return image.size


@pytest.mark.parametrize(
    ("sample", "run"),
    [(CURL, by_curl), (JAVASCRIPT, by_node), (PYTHON, by_python)],
    ids=["curl", "javascript", "python"],
)
def test_a_sample_works_with_host_key_and_picture_changed(
    server: RunningServer, tmp_path: Path, sample: str, run: Callable[[str, Path], str]
) -> None:
    """Upload, feature, download: what the vendor's pages describe."""
    with httpx.Client(base_url=server.url, headers={"API-KEY": SECRET}) as client:
        uploaded = client.post("/api/assets", files={"asset": ("cat.png", PICTURE)}).json()
    program = sample.replace("https://api.1min.ai", server.url)
    for place in ("<api-key>", "YOUR_API_KEY"):
        program = program.replace(place, SECRET)
    program = program.replace("images/2025_10_26_05_43_42_184_cat.png", uploaded["fileContent"]["path"])
    record = json.loads(run(program, tmp_path))["aiRecord"]
    assert (record["status"], record["model"]) == ("SUCCESS", "stable-image")
    assert record["aiRecordDetail"]["resultObject"][0].endswith(".png")
    assert size_at(record["temporaryUrl"]) == (192, 160)


def test_ideogram_through_the_real_engine(server: RunningServer) -> None:
    """The one feature of several jobs, and of a setting that only the creative engine has."""
    prompt = {"num_images": 2, "prompt": "warm light", "resemblance": 80, "detail": 60, "seed": 3}
    with server.client() as client:
        key = client.post("/api/assets", files={"asset": ("cat.png", PICTURE)}).json()["asset"]["key"]
        body = {
            "type": "IMAGE_UPSCALER",
            "model": "ideogram-3",
            "promptObject": {"imageUrl": key, **prompt},
        }
        answer = client.post("/api/features", json=body)
        assert answer.status_code == 200, answer.text
        record = answer.json()["aiRecord"]
        assert answer.headers["x-enlarger-seed"] == "3, 4"
        assert size_at(record["temporaryUrl"]) == (96, 80)
        first, second = record["aiRecordDetail"]["resultObject"]
        assert first != second
        body |= {"model": "stable-image", "promptObject": {"imageUrl": second, "scale": 2}}
        again = client.post("/api/features", json=body).json()["aiRecord"]
        assert size_at(again["temporaryUrl"]) == (192, 160)


def test_the_library_of_the_web_clients_paths(server: RunningServer, tmp_path: Path) -> None:
    picture = tmp_path / "cat.png"
    picture.write_bytes(PICTURE)
    client = PythonClient.get("1minai-webapi-1.0.31", "1minai_webapi==1.0.31", "aiohttp==3.12.15")
    seen = json.loads(client.run(PROGRAMS / "oneminai_webapi_client.py", server.url, SECRET, str(picture)))
    user_id, email, team_id, team_name, credit, plan = seen["user"]
    assert (user_id, team_name, plan) == ("key_bootstrap", "default", "SELF_HOSTED")
    assert email == "key_bootstrap@enlarger.invalid"
    assert isinstance(credit, int)
    assert [member["teamId"] for member in seen["members"]] == [team_id]
    assert seen["models"] == ["stable-image", "ideogram-3"]
    assert seen["key"].endswith("_cat.png")
    assert len(seen["file_id"]) == 36
    assert len(seen["images"]) == 1
    assert seen["spent"] == 20_000
    assert size_at(seen["url"]) == (96, 80)
    assert seen["invalid"]["class"] == "ValidationError"
    assert seen["invalid"]["details"] == [
        {"field": "promptObject.scale", "message": "must be 2 or 4, got 3"}
    ]
    assert seen["by_url"]["class"] == "APIError"
    assert "ENLARGER_FETCH_URLS" in seen["by_url"]["message"]
    assert seen["stranger"]["class"] == "AuthenticationError"
