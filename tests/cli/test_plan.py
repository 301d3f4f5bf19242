"""`enlarger plan` and `--dry-run`: what would be done, told before it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.photos import crop, encoded, scaled
from tests.support.program import enlarger, events

pytestmark = pytest.mark.usefixtures("store")


def test_a_plan_is_what_then_happens(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "alpha.png").write_bytes(encoded(scaled("coffee", 80, 60)[..., [0, 1, 2, 0]]))
    run = enlarger("plan", photo, "alpha.png", "--to", "480w", "--tile", "100", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    opaque, clear = events(run)
    assert (opaque["source_width"], opaque["source_height"]) == (80, 60)
    assert (opaque["width"], opaque["height"]) == (480, 360)
    assert (opaque["method"], opaque["passes"], opaque["frames"]) == ("fast", 2, 1)
    assert clear["tiles"] == 2 * opaque["tiles"] > 2
    assert 100 < opaque["memory_mib"] < 2048
    assert min(opaque["seconds"], opaque["flops"]) > 0
    assert opaque["refusals"] == []
    made = enlarger("up", photo, "--to", "480w", "--tile", "100", "--json", cwd=tmp_path)
    done = events(made)[-1]
    assert (done["width"], done["height"]) == (opaque["width"], opaque["height"])
    assert events(made)[1]["total"] == opaque["tiles"]


def test_a_plan_names_the_limits_that_would_refuse_it(photo: Path, tmp_path: Path) -> None:
    run = enlarger("plan", photo, "--max-pixels", "1000", cwd=tmp_path)
    assert run.returncode == 2
    assert "80x60 to 320x240, fast, 1 pass, 1 tile, " in run.stdout
    assert "would be refused: 320x240 = 76800 pixels; at most 1000" in run.stdout
    (tmp_path / "long.png").write_bytes(encoded(crop("coffee", 500, 2)))
    run = enlarger("plan", "long.png", "--scale", "40", "--format", "webp", "--json", cwd=tmp_path)
    assert run.returncode == 2
    assert "webp" in events(run)[0]["refusals"][0]


def test_a_plan_of_conservative_has_its_own_method(photo: Path, tmp_path: Path) -> None:
    run = enlarger("plan", photo, "--mode", "conservative", "--json", cwd=tmp_path)
    assert [event["method"] for event in events(run)] == ["texture"]
    bad = enlarger("plan", photo, "--to", "10w", cwd=tmp_path)
    assert bad.returncode == 2
    assert "a result is never smaller than the picture" in bad.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--quality", "101"), ("--metadata", "some"), ("--dpi", "big"), ("--dpi", "0")]
)
def test_a_dry_run_refuses_what_the_run_would_refuse(
    photo: Path, tmp_path: Path, option: str, value: str
) -> None:
    for dry in ([], ["--dry-run"]):
        run = enlarger("up", photo, "-o", "out.png", option, value, *dry, cwd=tmp_path)
        assert run.returncode == 2
        assert f"{option[2:]} is " in run.stderr


def test_a_dry_run_makes_nothing(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "there.jpg").write_bytes(photo.read_bytes())
    (tmp_path / "there.jpg").write_bytes(photo.read_bytes())
    command = ("up", photo, "there.jpg", "-o", "out", "--exists", "skip", "--dry-run")
    told = events(enlarger(*command, "--json", cwd=tmp_path))
    assert [event["event"] for event in told] == ["planned", "skipped"]
    assert (told[0]["output"], told[0]["width"], told[0]["tiles"]) == ("out/photo.jpg", 320, 1)
    assert "out/photo.jpg: 80x60 to 320x240" in enlarger(*command, cwd=tmp_path).stdout
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["there.jpg"]
