"""The documents tell the truth: commands run, reference pages are the code's, links lead somewhere."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import MODELS, REPOSITORY
from tests.support.photos import encoded, photo
from tests.support.running import SECRET, RunningServer

README = (REPOSITORY / "README.md").read_text()
DOCUMENTS = sorted(
    path for path in REPOSITORY.rglob("*.md") if not {".venv", ".cache", "node_modules"} & set(path.parts)
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
RUN_ELSEWHERE = {
    "make serve": "test_make_serve_and_the_printed_line",
    "make test": "what is running now",
    ". .venv/bin/activate": "every command below runs in that environment",
}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the pictures that the README speaks of."""
    (tmp_path / "photo.jpg").write_bytes(encoded(photo("coffee")[:120, :160], "JPEG"))
    (tmp_path / "album" / "summer").mkdir(parents=True)
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "album" / "summer" / "beach.jpg")
    return tmp_path


def shell(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    binaries = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": binaries, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_every_command_of_the_readme_is_known() -> None:
    assert set(RUN_ELSEWHERE) <= set(COMMANDS)
    assert len(COMMANDS) > 10


@pytest.mark.parametrize("command", [line for line in COMMANDS if line not in RUN_ELSEWHERE])
def test_a_command_of_the_readme_runs(command: str, desk: Path, server: RunningServer) -> None:
    command = command.replace("http://127.0.0.1:8000", server.url).replace("YOUR_KEY", SECRET)
    run = shell(command, desk, ENLARGER_DATA_DIR=str(server.data_dir))
    assert run.returncode == 0, run.stderr
    if "-o enlarged.png" in command:
        assert size_of(desk / "enlarged.png") == (640, 480)
    if "-o enlarged/" in command:
        assert size_of(desk / "enlarged" / "summer" / "beach.png") == (640, 480)
    if "--scale 2.5" in command:
        assert size_of(desk / "photo_2.5x.jpg") == (400, 300)


def test_the_python_of_the_readme_runs(desk: Path) -> None:
    [program] = blocks("python")
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=desk, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert size_of(desk / "enlarged.png") == (640, 480)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[str]:
    """What `make serve` prints on a first start, while it runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENLARGER_")}
    environment |= {
        "ENLARGER_PORT": "0",
        "ENLARGER_DATA_DIR": str(tmp_path / "first-start"),
        "ENLARGER_MODELS_DIR": str(MODELS),
    }
    process = subprocess.Popen(
        ["make", "serve"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if "-o enlarged.png" in line:
                break
        yield output
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def test_make_serve_and_the_printed_line(made: str, tmp_path: Path) -> None:
    assert "Your key, shown this once" in made
    [command] = [line.strip() for line in made.splitlines() if line.strip().startswith("curl ")]
    run = shell(command, tmp_path)
    assert run.returncode == 0, run.stderr
    with Image.open(tmp_path / "enlarged.png") as image:
        assert (image.format, image.size) == ("PNG", (2048, 2048))


def test_the_reference_pages_are_those_of_the_code() -> None:
    pages = runpy.run_path(str(REPOSITORY / "docs" / "generate.py"))
    for name, page in pages["PAGES"].items():
        written = (REPOSITORY / "docs" / "reference" / name).read_text()
        assert written == pages["NOTE"] + page(), f"docs/reference/{name} is old: run `make docs`"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


def test_every_dependency_is_in_the_notices() -> None:
    notices = (REPOSITORY / "THIRD_PARTY.md").read_text().lower()
    project = (REPOSITORY / "pyproject.toml").read_text()
    for name in re.findall(r'^  "([a-z0-9-]+)>=', project, flags=re.MULTILINE):
        shown = {"isal": "python-isal", "scikit-image": "scikit-image", "types-psutil": "psutil"}.get(
            name, name
        )
        assert shown in notices, name


def test_the_benchmarks_can_be_started() -> None:
    command = [sys.executable, "-m", "benchmarks", "--help"]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
