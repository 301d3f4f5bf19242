"""The vendor's samples for curl, Python and JavaScript, with our host, a key and a picture in them."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clients import NodeClient, PythonClient
from tests.support.house import House
from tests.support.omixa import CONSERVATIVE, CREATIVE, GENERATIONS, SMALL
from tests.support.working import working

PAYLOADS = {
    CONSERVATIVE: """{
"model": "stability-upscale-conservative",
"output_format": "png",
"input_images": [
{
"type": "image_url",
"image_url": {
"url": "data:image/png;base64,<base64-image>"
}
}
],
"prompt": "A cup of coffee on a saucer.",
"creativity": 0.35
}""",
    CREATIVE: """{
"model": "stability-upscale-creative",
"output_format": "png",
"input_images": [
{
"type": "image_url",
"image_url": {
"url": "data:image/png;base64,<base64-image>"
}
}
],
"prompt": "A cup of coffee on a saucer.",
"creativity": 0.3,
"style_preset": "photographic"
}""",
}
CURL = """curl -X POST <url> \\
-H "Authorization: Bearer <key>" \\
-H "Content-Type: application/json" \\
-d '<payload>'"""
PYTHON = """import requests
response = requests.post(
'<url>',
headers={'Authorization': 'Bearer <key>', 'Content-Type': 'application/json'},
json=<payload>
)
print(response.text)
"""
JAVASCRIPT = """const response = await fetch('<url>', {
method: 'POST',
headers: {
'Authorization': 'Bearer <key>',
'Content-Type': 'application/json'
},
body: <text>
});
const data = await response.json();
console.log(JSON.stringify(data));
"""


def by_curl(program: Path) -> str:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl on this machine")
    done = subprocess.run(["sh", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_python(program: Path) -> str:
    return PythonClient.get("requests-2.32.5", "requests==2.32.5").run(program)


def by_node(program: Path) -> str:
    # Of Node itself; what is installed beside it does not matter.
    return NodeClient.get("openai-node-6.49.0", "openai@6.49.0").run(program)


@pytest.mark.parametrize(
    ("sample", "run"),
    [(CURL, by_curl), (PYTHON, by_python), (JAVASCRIPT, by_node)],
    ids=["curl", "python", "javascript"],
)
def test_a_sample_works_as_it_stands(
    house: House, tmp_path: Path, sample: str, run: Callable[[Path], str]
) -> None:
    key = house.key()["authorization"].removeprefix("Bearer ")
    program = tmp_path / "sample"
    with working(house):
        for model, template in PAYLOADS.items():
            payload = template.replace("<base64-image>", base64.b64encode(SMALL).decode())
            text = sample.replace("<payload>", payload).replace("<text>", json.dumps(payload))
            program.write_text(text.replace("<url>", house.url + GENERATIONS).replace("<key>", key))
            answer = json.loads(run(program))
            assert base64.b64decode(answer["data"][0]["b64_json"]) == SMALL
            assert answer["data"][0]["url"] is None
            billed = {CONSERVATIVE: "0.400000", CREATIVE: "0.600000"}[model]
            assert answer["usage"]["billed_amount"] == billed
