"""The `enlarger` program as a test runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image


def enlarger(*arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end."""
    return program("enlarger", *arguments, cwd=cwd, **variables)


def program(
    module: str, *arguments: object, cwd: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a module as a program to its end."""
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def events(run: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """What it told with --json."""
    return [json.loads(line) for line in run.stdout.splitlines()]


def size_of(path: Path) -> tuple[int, int]:
    """Of a picture that decodes to its end."""
    with Image.open(path) as image:
        image.load()
        return image.size
