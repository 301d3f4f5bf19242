"""The largest upload that 1min.ai allows, and what it takes of the server's memory."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from enlarger.models import ModelStore
from tests.conftest import MODELS
from tests.support.photos import encoded
from tests.support.running import RunningServer

MEBIBYTE = 2**20
PEAK = Path("/proc/self/status")


def peak_bytes(pid: int) -> int:
    """The most memory that a process has had at once."""
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return 1024 * int(kilobytes)


@pytest.mark.skipif(not PEAK.exists(), reason="only Linux says how much memory a process has had")
def test_fifty_megabytes_go_through_in_less_than_four_hundred(store: ModelStore, tmp_path: Path) -> None:
    """Twice, so that what the first left behind counts too; then the picture is read for a feature."""
    noise = np.random.default_rng(0).integers(0, 256, (4000, 4360, 3), np.uint8)
    picture = encoded(noise, compress_level=0)
    assert 49 * MEBIBYTE < len(picture) < 50 * MEBIBYTE
    variables = {"ENLARGER_MAX_OUTPUT_PIXELS": "1000000"}
    with RunningServer.start(tmp_path, MODELS, **variables) as server, server.client() as client:
        pid = server.pid_of("api")
        before = peak_bytes(pid)
        for _ in range(2):
            response = client.post("/api/assets", files={"asset": ("noise.png", picture)})
            assert response.status_code == 200, response.text
            asset = response.json()["asset"]
            assert asset["size"] == len(picture)
        after_upload = peak_bytes(pid)
        body = {
            "type": "IMAGE_UPSCALER",
            "model": "stable-image",
            "promptObject": {"imageUrl": asset["key"]},
        }
        # It is read as for any other; only its result would be larger than this server makes.
        assert client.post("/api/features", json=body).status_code == 413
        after_feature = peak_bytes(pid)
    print(
        f"API process: {before / MEBIBYTE:.0f} MiB, upload {after_upload / MEBIBYTE:.0f} MiB,"
        f" feature {after_feature / MEBIBYTE:.0f} MiB"
    )
    assert after_feature < 400 * MEBIBYTE
