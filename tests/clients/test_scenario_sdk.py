"""The vendor's own SDK for Python, unmodified, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

from tests.dialects.test_scenario_models import TABLE
from tests.support.clients import PythonClient
from tests.support.house import SMALL
from tests.support.running import SECRET, RunningServer

PROGRAM = Path(__file__).parent / "programs" / "scenario_sdk.py"


def test_the_sdk_upscales(server: RunningServer, tmp_path: Path) -> None:
    picture = tmp_path / "cup.png"
    picture.write_bytes(SMALL)
    sdk = PythonClient.get("scenario-sdk-2.4.0", "scenario-sdk==2.4.0")
    found = json.loads(sdk.run(PROGRAM, f"{server.url}/v1", "key_bootstrap", SECRET, str(picture)))
    asset_id = found["asset"].pop(0)
    assert found["asset"] == ["uploaded", 48, "uploaded"]
    assert {name: tuple(one) for name, one in found["inputs"].items()} == TABLE
    assert found["estimate"] == [269, 60, True]
    assert found["cost"] == [60, 60, 60]
    assert found["job"] == ["success", 1, "custom", ["queued", "in-progress", "success"]]
    assert found["made"] == ["upscale", asset_id, 96, 80]
    assert found["metadata"] == [2, "precise", "warm light"]
    assert found["bytes"]
    assert found["old"] == 40
    assert found["tags"] == [["done"], ["done"], "mug.png"]
    count, distinct, *both = found["listed"]
    assert count == distinct >= 3
    assert all(both)
    jobs, has_ours = found["jobs"]
    assert jobs >= 2
    assert has_ours
    assert found["models"] == ["model_upscale-v3", "model_scenario-upscale-v3"]
    assert found["bulk"]
    assert found["upload"] == ["pending", [200, 200], "imported", "success", True, True]
    assert found["cancelled"] == ["canceled", True, "ConflictError", 1]
    assert found["errors"] == {
        "wrong secret": "AuthenticationError",
        "no such asset": "NotFoundError",
        "no such model": "NotFoundError",
        "out of range": "BadRequestError",
        "ended": "BadRequestError",
    }
    assert found["gone"] == "NotFoundError"
