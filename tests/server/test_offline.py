"""Nothing phones home: the whole main job runs where no packet can leave, and none tries to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from enlarger.models import ModelStore
from tests.conftest import MODELS, REPOSITORY

MAIN_JOB = """
import fcntl, socket, struct, sys
from pathlib import Path

SET_FLAGS, UP = 0x8914, 0x1
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))

from tests.support.photos import crop, encoded
from tests.support.running import RunningServer

with RunningServer.start(Path(sys.argv[1]), Path(sys.argv[2])) as server, server.client() as client:
    picture = encoded(crop("coffee", 64, 48))
    response = client.post("/v2beta/stable-image/upscale/fast", files={"image": picture})
    print("status", response.status_code)

names, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2]]
print("attempts", dict(zip(names, values))["OutNoRoutes"])
if sys.argv[3:] == ["try"]:
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    except OSError:
        names, values = [line.split() for line in Path("/proc/net/snmp").read_text().splitlines()[:2]]
        print("after a try", dict(zip(names, values))["OutNoRoutes"])
"""


def test_the_main_job_makes_no_outbound_connection(store: ModelStore, tmp_path: Path) -> None:
    isolated = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*isolated, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody make a network namespace")
    run = subprocess.run(
        [*isolated, sys.executable, "-c", MAIN_JOB, str(tmp_path), str(MODELS), "try"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["status 200", "attempts 0", "after a try 1"]
