"""A log that cannot be written fails nothing but itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import structlog
from enlarger.logs import configure_logging
configure_logging("{form}")
structlog.get_logger().error("something.happened", number=1)
print("goes on")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_full_disk_under_the_log_stops_nobody(form: str) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 (a device)
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(form=form)],
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.stdout == "goes on\n"
