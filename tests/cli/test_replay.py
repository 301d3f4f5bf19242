"""`enlarger replay`: a result says how it was made, and the same is done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enlarger.cli.replay import differences, recipe_in
from enlarger.errors import BadParameter
from enlarger.imaging import Metadata, Picture, decode, encode
from enlarger.imaging.formats import Format
from enlarger.output import Form
from enlarger.recipe import Recipe, source_in
from enlarger.request import UpscaleRequest
from tests.support.files import XMP
from tests.support.photos import crop, encoded
from tests.support.program import enlarger, size_of


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.usefixtures("store")
def test_a_replay_on_the_same_input_gives_the_same_pixels(photo: Path, tmp_path: Path) -> None:
    made = enlarger(
        *("up", photo, "-o", "made.png", "--to", "200w", "--mode", "conservative", "--creativity", "0.8"),
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    again = enlarger("replay", "made.png", "--input", photo, "-o", "again.png", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "differ" not in again.stderr
    np.testing.assert_array_equal(pixels(tmp_path / "made.png"), pixels(tmp_path / "again.png"))
    (tmp_path / "other.png").write_bytes(encoded(crop("coffee", 50, 50)))
    other = enlarger("replay", "again.png", "-i", "other.png", "-o", "out/", cwd=tmp_path)
    assert other.returncode == 0, other.stderr
    assert size_of(tmp_path / "out" / "other.png") == (200, 200)


def test_a_file_without_a_recipe_is_refused(photo: Path, tmp_path: Path) -> None:
    for name, text in (("photo.jpg", "carries no recipe"), ("missing.png", "cannot be read")):
        run = enlarger("replay", name, "--input", photo, "-o", "again.png", cwd=tmp_path)
        assert run.returncode == 2
        assert text in run.stderr
        assert name in run.stderr
    assert not (tmp_path / "again.png").exists()


@pytest.mark.parametrize("format_", [Format.PNG, Format.JPEG, Format.WEBP, Format.TIFF])
def test_every_format_carries_the_recipe_and_the_input(tmp_path: Path, format_: Format) -> None:
    recipe = Recipe(UpscaleRequest(prompt='<a> & "b"', seed=3), {"net": "0" * 64}, "1.2.3")
    picture = Picture.of(crop("coffee", 16, 16))
    metadata = Form(format=format_).metadata(picture.metadata, recipe, source_digest="ab" * 32)
    with (tmp_path / "made").open("w+b") as file:
        encode(replace(picture, metadata=metadata), file, format_)
    found = recipe_in(tmp_path / "made")
    assert found == replace(recipe, encoding=Form(format=format_).encoding)
    assert source_in(metadata.xmp) == "ab" * 32


def test_a_large_packet_of_the_users_own_and_the_recipe_are_both_in_a_jpeg(tmp_path: Path) -> None:
    own = b"<dc:rights>" + b"mine " * 13_000 + b"</dc:rights>"
    head, tail = XMP.split(b"</rdf:RDF>")
    description = b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/">%s</rdf:Description>' % own
    recipe = Recipe(UpscaleRequest(prompt="a cup", seed=3), {"net": "0" * 64}, "1.2.3")
    said = Metadata(xmp=head + description + b"</rdf:RDF>" + tail)
    metadata = Form(format=Format.JPEG).metadata(said, recipe)
    with (tmp_path / "made").open("w+b") as file:
        encode(replace(Picture.of(crop("coffee", 16, 16)), metadata=metadata), file, Format.JPEG)
    assert replace(recipe_in(tmp_path / "made"), encoding=None) == recipe
    found = decode((tmp_path / "made").read_bytes()).metadata.xmp
    assert found is not None
    assert own in found


def test_what_differs_is_said() -> None:
    request = UpscaleRequest()
    then = Recipe(request, {"a": "1", "b": "2", "c": "3"}, "0.1")
    assert differences(then, then) == []
    assert differences(then, Recipe(request, {"a": "1", "b": "9", "d": "4"}, "0.2")) == [
        "made by version 0.1, this is 0.2",
        "made with other weights of b",
        "made with c, which is not used now",
        "made without d, which is used now",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "no json",
        '{"request": {"seed": -1}, "networks": {}, "version": "1"}',
        '{"request": {"target": {"text": "huge", "kind": "factor", "values": []}},'
        ' "networks": {}, "version": ""}',
    ],
)
def test_a_recipe_of_someone_elses_making_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadParameter):
        Recipe.read_from(f"<enl:recipe>{text}</enl:recipe>".encode())
