"""`enlarger-ncnn`: what a program that spawns realesrgan-ncnn-vulkan relies on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enlarger import upscale
from enlarger.models import known_networks
from tests.support.photos import crop, encoded
from tests.support.program import program, size_of

pytestmark = pytest.mark.usefixtures("store")


def ncnn(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return program("enlarger.cli.ncnn", *arguments, cwd=cwd)


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("realesrgan-x4plus-anime", "realesrgan-x4plus-anime"),
        ("realesr-animevideov3-x2", "realesr-animevideov3-x4"),
        ("span-x4-ch48", "span-x4-ch48"),
    ],
)
def test_the_named_network_at_the_wanted_scale(
    photo: Path, tmp_path: Path, name: str, network: str
) -> None:
    flags = ["-m", "models", "-g", "0", "-j", "1:2:2", "-t", "64", "-x", "-v"]
    run = ncnn("-i", photo, "-o", "out.png", "-s", "2", "-n", name, *flags, cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "")
    *shares, last = run.stderr.splitlines()
    assert last == f"{photo} -> out.png done"
    assert all(re.fullmatch(r"\d+\.\d\d%", share) for share in shares)
    assert (shares[0], shares[-1]) == ("0.00%", "100.00%")
    side = 64 + 2 * known_networks()[network].halo_px
    with Image.open(tmp_path / "out.png") as made:
        expected = upscale(photo, scale=2, model=network, tile_px=side**2).image
        np.testing.assert_array_equal(np.asarray(made), np.asarray(expected))


def test_folder_to_folder_and_names_that_meet(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    for name in ("a.jpg", "a.png", "b.webp"):
        (source / name).write_bytes(encoded(crop("coffee", 20, 20)))
    (source / "notes.txt").write_text("no picture")
    run = ncnn("-i", "in", "-o", "out", "-f", "webp", "-s", "3", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "decode image in/notes.txt failed" in run.stderr
    assert sorted(path.name for path in target.iterdir()) == ["a.png.webp", "a.webp", "b.webp"]
    assert size_of(target / "b.webp") == (60, 60)


def test_transparency_does_not_become_a_jpeg(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(encoded(crop("coffee", 20, 20)[..., [0, 1, 2, 0]]))
    run = ncnn("-i", "in.png", "-o", "out.jpg", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "has alpha channel" in run.stderr
    assert size_of(tmp_path / "out.jpg.png") == (80, 80)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("-h", "Usage: enlarger-ncnn -i INPUT -o OUTPUT"),
        ("", "Usage:"),
        ("-i photo.jpg", "Usage:"),
        ("-i photo.jpg -o out.png -q", "Usage:"),
        ("-i photo.jpg -o out.png -s", "Usage:"),
        ("-i photo.jpg -o out.png -t 8", "invalid tilesize argument"),
        ("-i photo.jpg -o out.png -t 64,64", "invalid tilesize argument"),
        ("-i photo.jpg -o out.png -j 0:1:1", "invalid thread count argument"),
        ("-i photo.jpg -o out.bmp", "invalid outputpath extension type"),
        ("-i photo.jpg -o out.png -f bmp", "invalid format argument"),
        ("-i photo.jpg -o .", "both be files, or both be folders"),
        ("-i photo.jpg -o out.png -s 65", "scale is 65; it must be 1 to 64"),
        ("-i photo.jpg -o out.png -s two", "scale is 0; it must be 1 to 64"),
        ("-i photo.jpg -o out.png -n magic", "model 'magic' is not one of"),
        ("-i photo.jpg -o out.png -n realesrnet-x4plus", "not among the networks here"),
        ("-i text.png -o out.png", "decode image text.png failed"),
        ("-i missing.png -o out.png", "decode image missing.png failed"),
    ],
)
def test_what_is_wrong_ends_with_255(
    photo: Path,
    tmp_path: Path,
    arguments: str,
    text: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from enlarger.cli.ncnn import run

    (tmp_path / "text.png").write_text("no picture")
    monkeypatch.chdir(tmp_path)
    assert run(arguments.split()) == 255
    said = capsys.readouterr()
    assert text in said.err
    assert said.out == ""
    assert not (tmp_path / "out.png").exists()
