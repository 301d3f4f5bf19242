"""What is there already: nothing is destroyed by surprise, and a batch that was killed goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from enlarger import Upscaler
from enlarger.cli.batch import Order, do
from enlarger.cli.errands import Errand, Errands
from enlarger.cli.exists import Exists
from enlarger.cli.reporters import json_lines
from enlarger.library import make_request
from tests.support.photos import crop, encoded, scaled
from tests.support.program import enlarger, events, size_of

pytestmark = pytest.mark.usefixtures("store")


@pytest.fixture
def foreign(photo: Path) -> Path:
    """A picture of someone's, where the result of `up photo.jpg -o out/` is to lie."""
    path = photo.parent / "out" / "photo.jpg"
    path.parent.mkdir()
    path.write_bytes(encoded(crop("coffee", 24, 24), "JPEG"))
    return path


def told(*arguments: object, cwd: Path) -> list[str]:
    run = enlarger("up", *arguments, "--scale", "2", "--json", cwd=cwd)
    assert run.returncode == 0, run.stderr
    return [event["event"] for event in events(run) if event["event"] != "tile"]


def test_a_file_that_was_not_made_here_ends_the_call(photo: Path, foreign: Path) -> None:
    before = foreign.read_bytes()
    for policy in ([], ["--exists", "update"], ["--exists", "error"]):
        run = enlarger("up", photo, "-o", "out/", *policy, cwd=photo.parent)
        assert run.returncode == 2
        assert "out/photo.jpg is there" in run.stderr
    assert foreign.read_bytes() == before


def test_somebodys_animation_is_not_replaced(tmp_path: Path) -> None:
    frames = [Image.fromarray(crop("coffee", 12, 12)), Image.fromarray(crop("rocket", 12, 12))]
    (tmp_path / "out").mkdir()
    for path in (tmp_path / "moving.gif", tmp_path / "out" / "moving.gif"):
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=80)
    before = (tmp_path / "out" / "moving.gif").read_bytes()
    run = enlarger("up", "moving.gif", "-o", "out/", cwd=tmp_path)
    assert run.returncode == 2
    assert (tmp_path / "out" / "moving.gif").read_bytes() == before


def test_a_name_that_was_written_is_replaced(photo: Path, foreign: Path) -> None:
    assert told(photo, "-o", foreign, cwd=photo.parent) == ["started", "done"]
    assert size_of(foreign) == (160, 120)


def test_overwrite_rename_and_skip(photo: Path, foreign: Path) -> None:
    folder, before = photo.parent, foreign.read_bytes()
    assert told(photo, "-o", "out/", "--exists", "skip", cwd=folder) == ["skipped"]
    for _ in range(2):
        assert told(photo, "-o", "out/", "--exists", "rename", cwd=folder) == ["started", "done"]
    assert foreign.read_bytes() == before
    assert sorted(path.name for path in foreign.parent.iterdir()) == [
        "photo-1.jpg",
        "photo-2.jpg",
        "photo.jpg",
    ]
    assert told(photo, "-o", "out/", "--exists", "overwrite", cwd=folder) == ["started", "done"]
    assert size_of(foreign) == (160, 120)


@pytest.mark.parametrize(
    ("policy", "ends", "names"),
    [
        (Exists.SKIP, ["started", "skipped"], ["photo.jpg"]),
        (Exists.RENAME, ["started", "done"], ["photo-1.jpg", "photo.jpg"]),
        (Exists.ERROR, ["started", "failed"], ["photo.jpg"]),
        (Exists.OVERWRITE, ["started", "done"], ["photo.jpg"]),
    ],
)
def test_a_file_that_appears_during_the_run_is_treated_as_one_that_was_there(
    photo: Path, capsys: pytest.CaptureFixture[str], policy: Exists, ends: list[str], names: list[str]
) -> None:
    target = photo.parent / "out" / "photo.jpg"
    target.parent.mkdir()
    order = Order(make_request(scale=2), exists=policy)

    class Late(Upscaler):
        """Somebody writes a file at the result's name while it is made."""

        def render(self, *arguments: Any, **options: Any) -> Any:
            if not target.exists():
                target.write_bytes(b"theirs")
            return super().render(*arguments, **options)

    with json_lines() as reporter, Late() as enlarge:
        code = do(Errands((Errand(photo, target),), ()), order, enlarge, reporter)
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in told if event["event"] != "tile"] == ends
    assert (code, sorted(path.name for path in target.parent.iterdir())) == (
        2 if policy is Exists.ERROR else 0,
        names,
    )
    assert (target.read_bytes() == b"theirs") == (policy is not Exists.OVERWRITE)


def test_update_makes_again_only_what_would_be_another(photo: Path) -> None:
    folder = photo.parent
    update = (photo, "-o", "out/", "--exists", "update")
    assert told(*update, cwd=folder) == ["started", "done"]
    assert told(*update, cwd=folder) == ["skipped"]
    assert told(*update, "--seed", "5", cwd=folder) == ["started", "done"]
    photo.write_bytes(encoded(crop("coffee", 40, 30), "JPEG"))
    assert told(*update, "--seed", "5", cwd=folder) == ["started", "done"]
    assert size_of(folder / "out" / "photo.jpg") == (80, 60)


@pytest.mark.parametrize(
    "change", [("--quality", "60"), ("--metadata", "private"), ("--format", "jpeg", "--dpi", "scale")]
)
def test_update_makes_again_what_would_be_other_bytes(photo: Path, change: tuple[str, ...]) -> None:
    update = (photo, "-o", "out/", "--exists", "update")
    assert told(*update, cwd=photo.parent) == ["started", "done"]
    assert told(*update, *change, cwd=photo.parent) == ["started", "done"]
    assert told(*update, *change, cwd=photo.parent) == ["skipped"]


def test_update_does_not_mistake_a_result_of_another_format(photo: Path) -> None:
    """Written as PNG under a name that ends in .jpg, which only another program would do."""
    update = (photo, "-o", "out/", "--exists", "update")
    assert told(*update, "--format", "png", cwd=photo.parent) == ["started", "done"]
    (photo.parent / "out" / "photo.png").rename(photo.parent / "out" / "photo.jpg")
    assert told(*update, cwd=photo.parent) == ["started", "done"]


def test_a_quality_that_says_what_holds_anyway_makes_nothing_again(photo: Path) -> None:
    update = (photo, "-o", "out/", "--exists", "update")
    assert told(*update, cwd=photo.parent) == ["started", "done"]
    assert told(*update, "--quality", "95", cwd=photo.parent) == ["skipped"]
    assert told(*update, "--format", "png", cwd=photo.parent) == ["started", "done"]
    assert told(*update, "--format", "png", "--quality", "60", cwd=photo.parent) == ["skipped"]


def test_what_was_renamed_beside_its_input_is_no_input(photo: Path) -> None:
    for number in range(1, 4):
        assert told(".", "--exists", "rename", cwd=photo.parent) == ["started", "done"]
        assert len(list(photo.parent.glob("*.jpg"))) == number + 1


def test_a_batch_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """SIGKILL in the middle of the second picture: the first is whole, the second is not there."""
    album = tmp_path / "album"
    album.mkdir()
    (album / "a.png").write_bytes(encoded(crop("coffee", 40, 30)))
    (album / "b.png").write_bytes(encoded(scaled("coffee", 1200, 800)))
    command = ("up", "album", "-o", "out", "--exists", "update", "--tile", "160", "--json", "--scale", "2")
    with subprocess.Popen(
        [sys.executable, "-m", "enlarger", *command],
        cwd=tmp_path,
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = (json.loads(line) for line in process.stdout)
        assert any(event["event"] == "tile" and event["done"] == 9 for event in lines)
        process.send_signal(signal.SIGKILL)
    left = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert left[-1] == "a.png"
    assert len(left) == 2
    assert left[0].startswith(".enlarger-")
    (album / "b.png").write_bytes(encoded(crop("coffee", 60, 30)))

    run = enlarger(*command, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    ends = [
        (event["event"], Path(event["input"]).name) for event in events(run) if event["event"] != "tile"
    ]
    assert ends == [("skipped", "a.png"), ("started", "b.png"), ("done", "b.png")]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]
