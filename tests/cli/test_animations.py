"""Animations: every frame enlarged, and the file still moves as it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enlarger import Upscaler
from enlarger.cli.replay import recipe_in
from enlarger.errors import BadParameter
from enlarger.imaging import Metadata, encode_animation, frames
from enlarger.library import make_request
from enlarger.recipe import Encoding
from tests.support.photos import crop
from tests.support.program import enlarger, events

pytestmark = pytest.mark.usefixtures("store")
DURATIONS = [50, 100, 200]


@pytest.fixture(params=["gif", "webp", "png"])
def animation(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Three frames of 32x24 with a clear corner, played twice."""
    path = tmp_path / f"anim.{request.param}"
    frames = []
    for number in range(3):
        opacity = np.full((24, 32, 1), 255, np.uint8)
        opacity[:8, :8] = 0
        samples = np.concatenate((np.roll(crop("coffee", 32, 24), 4 * number, 1), opacity), axis=2)
        frames.append(Image.fromarray(samples))
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=DURATIONS, loop=2, disposal=2, lossless=True
    )
    return path


def test_frames_durations_loops_and_transparency_are_kept(animation: Path, tmp_path: Path) -> None:
    run = enlarger(animation, "-o", f"out{animation.suffix}", "--scale", "2", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    told = events(run)
    assert told[-1]["event"] == "done"
    tiles = [event for event in told if event["event"] == "tile"]
    assert tiles[-1]["done"] == tiles[-1]["total"] >= 3
    with Image.open(animation) as before, Image.open(tmp_path / f"out{animation.suffix}") as after:
        assert after.size == (64, 48)
        assert after.n_frames == 3
        assert after.info["loop"] == before.info["loop"]
        for number in range(3):
            after.seek(number)
            after.load()
            assert after.info["duration"] == DURATIONS[number]
            opacity = np.asarray(after.convert("RGBA"))[..., 3]
            assert opacity[:6, :6].max() == 0
            assert opacity[26:, 26:].min() == 255
    planned = events(enlarger("plan", animation, "--scale", "2", "--json", cwd=tmp_path))[0]
    assert (planned["frames"], planned["width"]) == (3, 64)


def test_an_animation_says_how_it_was_made_and_is_made_again_only_if_that_changed(
    animation: Path, tmp_path: Path
) -> None:
    def told(*arguments: object) -> list[str]:
        run = enlarger(*arguments, "--json", cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        return [event["event"] for event in events(run) if event["event"] != "tile"]

    made = tmp_path / "out" / animation.name
    update = ("up", animation, "-o", "out/", "--scale", "2", "--exists", "update")
    assert told(*update) == ["started", "done"]
    assert recipe_in(made).encoding == Encoding(
        format=animation.suffix[1:], quality=95 if animation.suffix == ".webp" else None, metadata="keep"
    )
    assert told(*update) == ["skipped"]
    assert told(*update, "--seed", "3") == ["started", "done"]
    assert told("replay", made, "-i", animation, "-o", f"again{animation.suffix}") == ["started", "done"]
    assert (tmp_path / f"again{animation.suffix}").read_bytes() == made.read_bytes()
    assert told("up", animation, "-o", "out/", "--metadata", "strip") == ["started", "done"]
    assert b"enlarger" not in made.read_bytes()


def test_the_packet_of_an_animation_is_kept(animation: Path, tmp_path: Path) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><dc:rights>mine</dc:rights></rdf:RDF></x:xmpmeta>'
    )
    with animation.open("rb") as file:
        moving = frames(file)
        pictures = list(moving.pictures)
    with animation.open("w+b") as file:
        encode_animation(pictures, moving.durations_ms, file, moving.format, metadata=Metadata(xmp=packet))
    with Upscaler() as enlarge:
        enlarge.animate(animation, tmp_path / "out.gif", make_request(scale=2))
    with (tmp_path / "out.gif").open("rb") as file:
        found = frames(file)
        assert found.metadata.xmp is not None
        assert b"<dc:rights>mine</dc:rights>" in found.metadata.xmp
        assert len(list(found.pictures)) == 3


def test_a_format_that_does_not_move_is_refused(animation: Path, tmp_path: Path) -> None:
    with (
        Upscaler() as enlarge,
        pytest.raises(BadParameter, match="a jpeg does not move; the formats that do"),
    ):
        enlarge.animate(animation, tmp_path / "out.jpg", make_request())
    assert not (tmp_path / "out.jpg").exists()
