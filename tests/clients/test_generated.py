"""Clients that a generator makes of our OpenAPI documents: their types hold, and their calls work."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

from PIL import Image

from tests.support.clients import NodeClient
from tests.support.omixa import SMALL
from tests.support.running import SECRET, RunningServer

PROGRAMS = Path(__file__).parent / "programs"
PACKAGES = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3")


def size_of(picture: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(base64.b64decode(picture))).size


def test_a_generated_client_is_typed_right_and_calls_every_dialect(server: RunningServer) -> None:
    client = NodeClient.get("openapi-typescript", *PACKAGES)
    program, calls = PROGRAMS / "generated.mjs", PROGRAMS / "generated_calls.ts"
    picture = base64.b64encode(SMALL).decode()
    seen = json.loads(client.run(program, server.url, SECRET, picture, str(calls)))
    wide, high = size_of(picture)
    image, reason = seen["stability"]
    assert (size_of(image), reason) == ((4 * wide, 4 * high), "SUCCESS")
    image, billed = seen["omixa"]
    assert (size_of(image), billed) == ((4 * wide, 4 * high), "0.020000")
    assert seen["1min"].startswith("images/")
    assert {"model_upscale-v3", "model_scenario-upscale-v3"} <= set(seen["scenario"])
    assert seen["enlarger"] == "succeeded"
