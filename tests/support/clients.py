"""Other people's client libraries, unmodified, each in an environment of its own.

An environment is made on first use below `.cache/clients` and is used again while what is asked for
stays the same. It shares nothing with the environment that the tests run in.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
CLIENTS = REPOSITORY / ".cache" / "clients"
INSTALL_TIMEOUT_S = 600.0
RUN_TIMEOUT_S = 180.0
STAMP = "requirements.txt"
"""In an environment that is complete: what it was made for."""


@dataclass(frozen=True)
class PythonClient:
    """A virtual environment with a client library in it."""

    folder: Path

    @classmethod
    def get(cls, name: str, *requirements: str) -> PythonClient:
        """The environment called `name`, with exactly these requirements (`package==1.2.3`)."""
        with _making(name, requirements) as folder:
            if folder is not None:
                _install([sys.executable, "-m", "venv", "--without-pip", folder])
                into = ["--python", folder / "bin" / "python", "--disable-pip-version-check", "--quiet"]
                # What a client imports is compiled then; the rest of what it brings never is.
                _install([sys.executable, "-m", "pip", *into, "install", "--no-compile", *requirements])
        return cls(CLIENTS / name)

    def run(self, program: Path, *arguments: str, **environment: str) -> str:
        """What the program prints. Fails with what it said if it ends badly."""
        return _run([self.folder / "bin" / "python", "-I", program, *arguments], self.folder, environment)


@dataclass(frozen=True)
class NodeClient:
    """A folder with a client library in its `node_modules`."""

    folder: Path

    @classmethod
    def get(cls, name: str, *packages: str) -> NodeClient:
        """The folder called `name`, with exactly these packages (`package@1.2.3`).

        Skips the test where there is no Node.
        """
        if shutil.which("node") is None or shutil.which("npm") is None:
            pytest.skip("there is no Node on this machine")
        with _making(name, packages) as folder:
            if folder is not None:
                folder.mkdir()
                (folder / "package.json").write_text(json.dumps({"private": True}))
                quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
                _install(["npm", "install", *quiet, "--save-exact", *packages], folder)
        return cls(CLIENTS / name)

    def run(self, program: Path, *arguments: str, **environment: str) -> str:
        """What the program, an ES module, prints. Fails with what it said if it ends badly."""
        # Read from standard input, it imports from this folder, wherever it lies itself.
        command: list[str | Path] = ["node", "--input-type=module", "-", *arguments]
        return _run(command, self.folder, environment, program.read_text())


@contextlib.contextmanager
def _making(name: str, requirements: Sequence[str]) -> Iterator[Path | None]:
    """The place of an environment that is to be made now; None if it is there as wanted."""
    CLIENTS.mkdir(parents=True, exist_ok=True)
    folder, wanted = CLIENTS / name, "".join(f"{line}\n" for line in requirements)
    # Two runs of the tests may want the same one at once.
    with (CLIENTS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / STAMP
        if stamp.exists() and stamp.read_text() == wanted:
            yield None
            return
        shutil.rmtree(folder, ignore_errors=True)
        yield folder
        stamp.write_text(wanted)


def _install(command: Sequence[str | Path], folder: Path | None = None) -> None:
    """Run an installer with the environment, and thereby the registry, of this machine."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr


def _run(
    command: Sequence[str | Path], folder: Path, environment: dict[str, str], program: str | None = None
) -> str:
    # Nothing of the machine's but where programs are: no proxy, no key, no setting of a client.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**kept, **environment},
        input=program,
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
