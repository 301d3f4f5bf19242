"""Names of results: what a template may say, and where the results lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.cli.errands import plan_errands
from enlarger.cli.names import LENGTH_MAX, Template
from enlarger.errors import BadParameter
from enlarger.request import UpscaleRequest
from enlarger.target import Target
from tests.support.photos import crop, encoded


def targets(
    folder: Path, template: str, target: str = "4x", *names: str, output: str | None = "out"
) -> list[str]:
    errands = plan_errands(
        [folder / name for name in names or ("photo.jpg",)],
        None if output is None else folder / output,
        request=UpscaleRequest(target=Target.parse(target), seed=7),
        format_=None,
        name=Template.parse(template),
    )
    return [str(errand.target.relative_to(folder)) for errand in errands.errands]


@pytest.mark.parametrize(
    ("template", "target", "made"),
    [
        ("{stem}_{scale}x", "2.5x", "out/photo_2.5x.jpg"),
        ("{stem}_{scale}x", "160w", "out/photo_2x.jpg"),
        ("{name}-{target}", "96x96 fill", "out/photo.jpg-96x96-fill.jpg"),
        ("{width}x{height}", "3x", "out/240x180.jpg"),
        ("{index:04}_{mode}_{seed}", "4x", "out/0001_fast_7.jpg"),
        ("{{{stem}}}", "4x", "out/{photo}.jpg"),
    ],
)
def test_fields_become_what_they_say(photo: Path, template: str, target: str, made: str) -> None:
    assert targets(photo.parent, template, target) == [made]


def test_inputs_are_counted_and_a_tree_is_mirrored(tmp_path: Path) -> None:
    (tmp_path / "album" / "a").mkdir(parents=True)
    for name in ("album/one.png", "album/a/two.png"):
        (tmp_path / name).write_bytes(encoded(crop("coffee", 8, 8)))
    assert targets(tmp_path, "{index}", "4x", "album") == ["out/a/1.png", "out/2.png"]


def test_the_name_holds_beside_the_input_as_well(photo: Path) -> None:
    assert targets(photo.parent, "{stem}-big", output=None) == ["photo-big.jpg"]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{size}", r"field \{size\}; it must be one of: \{stem\}, \{name\}, \{target\}"),
        ("{stem.__class__}", "must be one of"),
        ("{stem[0]}", "must be one of"),
        ("{}", "must be one of"),
        ("{stem!r}", "only a number takes its digits"),
        ("{stem:>9999}", "only a number takes its digits"),
        ("{index:99999}", "only a number takes its digits"),
        ("{stem", "name is '{stem'"),
        ("../{stem}", "may not leave the output folder"),
        ("/etc/{stem}", "may not leave the output folder"),
        ("a\\{stem}", "may not leave the output folder"),
        ("a\0{stem}", "may not leave the output folder"),
    ],
)
def test_a_template_that_is_not_understood_is_refused(template: str, text: str) -> None:
    with pytest.raises(BadParameter, match=text):
        Template.parse(template)


@pytest.mark.parametrize("template", ["..", ".", "", " ", ".{stem}", "x" * (LENGTH_MAX + 1)])
def test_a_name_that_no_file_should_have_is_refused(template: str) -> None:
    with pytest.raises(BadParameter, match="name"):
        Template.parse(template).fill({"stem": "photo"})


def test_two_results_of_one_name_are_refused(photo: Path) -> None:
    (photo.parent / "other.jpg").write_bytes(photo.read_bytes())
    with pytest.raises(BadParameter, match="would both become"):
        targets(photo.parent, "same", "4x", "photo.jpg", "other.jpg")


def test_a_picture_that_cannot_be_read_still_gets_a_name(photo: Path) -> None:
    photo.write_bytes(b"no picture")
    assert targets(photo.parent, "{stem}_{width}") == ["out/photo_0.jpg"]
