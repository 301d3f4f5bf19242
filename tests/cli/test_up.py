"""`enlarger up` as a program: files, folders, events, exit codes, interruption, memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from enlarger.models import ModelStore
from tests.support.broken import BROKEN
from tests.support.photos import crop, encoded, scaled
from tests.support.program import enlarger, events, size_of

GIBIBYTE = 2**30
pytestmark = pytest.mark.usefixtures("store")


def test_events_tell_the_whole_story_on_standard_output(photo: Path, tmp_path: Path) -> None:
    run = enlarger("up", photo, "-o", "out.png", "--scale", "2", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    told = events(run)
    assert [event["event"] for event in told] == ["started", "tile", "done"]
    assert (told[1]["done"], told[1]["total"]) == (1, 1)
    assert (told[2]["width"], told[2]["height"]) == size_of(tmp_path / "out.png") == (160, 120)


def test_several_inputs_and_a_folder_with_its_tree(tmp_path: Path, photo: Path) -> None:
    deep = tmp_path / "album" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "deep.webp").write_bytes(encoded(crop("coffee", 40, 40), "WEBP"))
    (tmp_path / "album" / "notes.txt").write_text("not a picture")
    run = enlarger("up", photo, tmp_path / "album", "-o", "out", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    made = sorted(
        path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    assert made == [Path("a/b/deep.webp"), Path("photo.jpg")]
    assert size_of(tmp_path / "out" / "a" / "b" / "deep.webp") == (160, 160)


def test_without_an_output_the_result_lies_beside_the_input(photo: Path, tmp_path: Path) -> None:
    assert enlarger("up", photo, cwd=tmp_path).returncode == 0
    assert size_of(tmp_path / "photo_4x.jpg") == (320, 240)


@pytest.mark.parametrize(
    "words",
    [
        ["photo.jpg"],
        ["./photo.jpg"],
        ["-i", "photo.jpg"],
        ["up", "-i", "photo.jpg"],
        ["--input", "photo.jpg"],
    ],
)
def test_up_need_not_be_said(photo: Path, tmp_path: Path, words: list[str]) -> None:
    run = enlarger(*words, "-o", "out.png", "-s", "1", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert size_of(tmp_path / "out.png") == (80, 60)


def test_a_word_that_is_nothing_is_a_wrong_command(tmp_path: Path) -> None:
    run = enlarger("enhance", cwd=tmp_path)
    assert run.returncode == 2
    assert "No such command 'enhance'" in run.stderr


def test_a_named_network_is_in_the_recipe(photo: Path, tmp_path: Path) -> None:
    from enlarger.cli.replay import recipe_in

    run = enlarger("up", photo, "-o", "out.png", "-n", "realesr-animevideov3-x4", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    recipe = recipe_in(tmp_path / "out.png")
    assert recipe.request.model == "realesr-animevideov3-x4"
    assert list(recipe.networks) == ["realesr-animevideov3-x4"]


def test_a_folder_twice_makes_the_same_results_twice(tmp_path: Path, photo: Path) -> None:
    for _ in range(2):
        run = enlarger("up", ".", cwd=tmp_path)
        assert run.returncode == 0, run.stderr
    assert sorted(path.name for path in tmp_path.glob("*.jpg")) == ["photo.jpg", "photo_4x.jpg"]


def test_pictures_that_are_passed_over_are_named(tmp_path: Path, photo: Path) -> None:
    album = tmp_path / "album"
    album.mkdir()
    (album / "old.bmp").write_bytes(b"BM")
    (album / "good.png").write_bytes(encoded(crop("coffee", 40, 40)))
    told = events(enlarger("up", "album", "-o", "out", "--json", cwd=tmp_path))
    assert told[0] == {"event": "passed_over", "input": "album/old.bmp"}
    assert [event["event"] for event in told[1:]] == ["started", "tile", "done"]
    assert "old.bmp: passed over" in enlarger("up", "album", "-o", "out", cwd=tmp_path).stderr


def test_a_result_that_cannot_be_written_is_the_machines_fault(tmp_path: Path, photo: Path) -> None:
    run = enlarger("up", photo, "-o", "/proc/out.png", cwd=tmp_path)
    assert run.returncode == 4
    assert "/proc/out.png cannot be written" in run.stderr


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "lies.jpg").write_bytes(encoded(crop("coffee", 40, 40), "PNG"))
    assert enlarger("up", "lies.jpg", "-o", "out.png", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["missing.jpg"], "missing.jpg does not exist"),
        (["photo.jpg", "--scale", "65"], "scale is 65; it must be 1 to 64"),
        (["photo.jpg", "--scale", "nan"], "scale is nan; it must be 1 to 64"),
        (["photo.jpg", "--mode", "magic"], "mode is 'magic'; it must be one of: fast"),
        (["photo.jpg", "--format", "bmp"], "format is 'bmp'; it must be one of: png, jpeg, webp"),
        (["photo.jpg", "-o", "out.bmp"], "out.bmp must end in one of"),
        (["photo.jpg", "-o", "photo.jpg"], "photo.jpg would overwrite an input"),
        (["photo.jpg", "-o", "out.png", "--format", "jpeg"], "out.png must end in one of: .jpg, .jpeg"),
        (["photo.jpg", "photo.jpg", "-o", "out/"], "would both become"),
        (["photo.jpg", "empty", "-o", "out.png"], "out.png is one file for 1 pictures; give a folder"),
        (["empty"], "there is no picture that is read in what was named"),
        (["photo.jpg", "--max-pixels", "100"], "80x60 at 4x gives 320x240 = 76800 pixels; at most 100"),
        (["text.png"], "the file is not a PNG, JPEG, WebP"),
        ([], "name a picture, or a folder of pictures"),
        (["photo.jpg", "--exists", "maybe"], "exists is 'maybe'; it must be one of: own, skip, update"),
        (["photo.jpg", "--exists", "update", "--metadata", "strip"], "exists is 'update' and metadata"),
        (["photo.jpg", "--name", "{size}"], "name has the field {size}; it must be one of: {stem}, {name}"),
        (["photo.jpg", "-o", "out.png", "--name", "{stem}"], "name is for a folder of results"),
        (["photo.jpg", "--model", "magic"], "model 'magic' is not one of: span-x4-ch48"),
        (["photo.jpg", "--model", "span-x4-ch48", "--mode", "conservative"], "only mode 'fast' takes"),
        (["photo.jpg", "--metadata", "some"], "metadata is 'some'; it must be one of: keep"),
        (["photo.jpg", "--quality", "0"], "quality is 0; it must be 1 to 100"),
    ],
)
def test_usage_errors_name_the_value_and_end_with_2(
    photo: Path, tmp_path: Path, arguments: list[str], text: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_bytes(BROKEN["text.png"])
    before = sorted(path.name for path in tmp_path.iterdir())
    run = enlarger("up", *arguments, cwd=tmp_path)
    assert run.returncode == 2, run.stderr
    assert text in run.stderr
    assert "Traceback" not in run.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "data") == before


def test_one_bad_picture_does_not_stop_the_others(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(BROKEN["truncated.jpg"])
    run = enlarger("up", "bad.jpg", photo, "-o", "out/", "--json", cwd=tmp_path)
    assert run.returncode == 1
    told = {(event["event"], Path(event["input"]).name) for event in events(run)}
    assert {("failed", "bad.jpg"), ("done", "photo.jpg")} <= told
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo.jpg"]


def test_missing_weights_offline_end_with_3(photo: Path, tmp_path: Path) -> None:
    run = enlarger(
        "up", photo, cwd=tmp_path, ENLARGER_MODELS_DIR=str(tmp_path / "none"), ENLARGER_OFFLINE="true"
    )
    assert run.returncode == 3
    assert "ENLARGER_OFFLINE" in run.stderr


def test_a_wrong_setting_is_named(photo: Path, tmp_path: Path) -> None:
    run = enlarger("up", photo, cwd=tmp_path, ENLARGER_PRECISION="f8")
    assert run.returncode == 2
    assert "ENLARGER_PRECISION" in run.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_no_half_file(tmp_path: Path, number: int) -> None:
    (tmp_path / "big.png").write_bytes(encoded(scaled("coffee", 2400, 1600)))
    process = subprocess.Popen(
        [sys.executable, "-m", "enlarger", "up", "big.png", "-o", "out/big.png", "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = (json.loads(line) for line in process.stdout)
    assert any(event["event"] == "tile" and event["done"] == 2 for event in lines)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_memory_stays_under_its_limit_for_three_megapixels(tmp_path: Path) -> None:
    """2000x1500 to 8000x6000: the whole process tree under 1.2 GiB."""
    (tmp_path / "photo.jpg").write_bytes(encoded(scaled("coffee", 2000, 1500), "JPEG", quality=95))
    process = psutil.Popen(
        [sys.executable, "-m", "enlarger", "up", "photo.jpg", "-o", "out.png"],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    while process.poll() is None:
        try:
            family = [process, *process.children(recursive=True)]
            peak = max(peak, sum(member.memory_info().rss for member in family))
        except psutil.Error:
            pass
        time.sleep(0.01)
    assert process.returncode == 0
    assert size_of(tmp_path / "out.png") == (8000, 6000)
    assert 0.2 * GIBIBYTE < peak < 1.2 * GIBIBYTE


def test_a_print_keeps_its_size_where_that_is_asked_for(tmp_path: Path) -> None:
    Image.fromarray(crop("coffee", 30, 20)).save(tmp_path / "scan.tif", dpi=(150, 150))
    for dpi, wanted in (("keep", 150), ("scale", 300), ("240", 240)):
        run = enlarger("up", "scan.tif", "-o", f"{dpi}.tif", "--scale", "2", "--dpi", dpi, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        with Image.open(tmp_path / f"{dpi}.tif") as image:
            assert tuple(map(float, image.info["dpi"])) == (wanted, wanted)


def test_bit_identical_to_the_library(photo: Path, tmp_path: Path) -> None:
    from enlarger import Upscaler, upscale

    assert enlarger("up", photo, "-o", "out.png", cwd=tmp_path).returncode == 0
    with Image.open(tmp_path / "out.png") as image:
        made = np.asarray(image)
    np.testing.assert_array_equal(made, upscale(photo).picture.colour.array())
    with Upscaler() as enlarge, Image.open(photo) as image:
        np.testing.assert_array_equal(made, np.asarray(enlarge(image).image))
        np.testing.assert_array_equal(made, enlarge(np.asarray(image)).picture.colour.array())
        np.testing.assert_array_equal(made, enlarge(photo.read_bytes()).picture.colour.array())


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((4, 4, 5), np.uint8), r"array of uint8 \(4, 4, 5\) is no picture"),
        (np.zeros((4, 4, 3), np.float32), "array of float32"),
        (np.zeros((0, 4, 3), np.uint8), "is no picture"),
        (object(), "a object is no image"),
        (Image.new("RGB", (0, 3)), "no pixels: 0x3"),
    ],
)
def test_the_library_names_what_is_no_picture(image: Any, text: str) -> None:
    from enlarger import upscale
    from enlarger.errors import BadParameter

    with pytest.raises(BadParameter, match=text):
        upscale(image)
    with pytest.raises(BadParameter, match="scale is '2'; it must be a number"):
        upscale(np.zeros((8, 8, 3), np.uint8), scale="2")  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "HSV", "YCbCr", "La", "F", "I;16", "RGBa"])
def test_the_library_takes_every_kind_of_image(mode: str) -> None:
    from enlarger import upscale

    image = Image.fromarray(crop("coffee", 24, 16)).convert(
        "RGBA" if mode == "RGBa" else "LA" if mode == "La" else "RGB"
    )
    if mode == "1":
        image = image.convert("1", dither=Image.Dither.NONE)
    elif mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert("L").convert(mode) if mode == "F" else image.convert(mode)
    assert upscale(image, scale=2).image.size == (48, 32)


def test_the_library_applies_orientation_whatever_the_way_in(tmp_path: Path) -> None:
    from enlarger import upscale

    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "turned.jpg").write_bytes(encoded(crop("coffee", 40, 24), "JPEG", exif=exif))
    with Image.open(tmp_path / "turned.jpg") as image:
        assert upscale(image).image.size == upscale(tmp_path / "turned.jpg").image.size == (96, 160)
    result = upscale(np.zeros((8, 8, 1), np.uint8))
    assert result.image.size == (32, 32)
    assert len(repr(result)) < 1000


def test_models_list_and_verify(store: ModelStore, tmp_path: Path) -> None:
    listed = enlarger("models", "list", cwd=tmp_path)
    assert "span-x4-ch48" in listed.stdout
    assert "ClearReality" not in listed.stdout
    assert enlarger("models", "verify", "span-x4-ch48", cwd=tmp_path).stdout == "span-x4-ch48: right\n"
    unknown = enlarger("models", "verify", "no-such-net", cwd=tmp_path)
    assert unknown.returncode == 2
    assert "model 'no-such-net' is not one of: span-x4-ch48" in unknown.stderr
    copy = tmp_path / "models" / "span-x4-ch48"
    copy.mkdir(parents=True)
    for path in (store.root / "span-x4-ch48").iterdir():
        (copy / path.name).write_bytes(path.read_bytes()[:-1])
    damaged = enlarger("models", "verify", cwd=tmp_path, ENLARGER_MODELS_DIR=str(copy.parent))
    assert damaged.returncode == 3
    assert "is not the file of the catalogue" in damaged.stderr


def test_keys_need_an_installation(tmp_path: Path) -> None:
    run = enlarger("keys", "list", cwd=tmp_path)
    assert run.returncode == 1
    assert "start the server once" in run.stderr
