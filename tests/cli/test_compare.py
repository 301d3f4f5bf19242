"""`enlarger compare`: one patch by everything, on a sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from enlarger.engine.audition import busiest, candidates, cut_out
from enlarger.errors import BadParameter
from enlarger.imaging import Picture
from enlarger.models import known_assets, known_networks
from enlarger.target import Target
from tests.support.photos import crop
from tests.support.program import enlarger, events, size_of


@pytest.mark.usefixtures("store")
def test_every_mode_and_network_is_on_the_sheet(photo: Path, tmp_path: Path) -> None:
    run = enlarger(
        "compare", photo, "-o", "sheet.png", "--at", "20,10", "--size", "32", "--json", cwd=tmp_path
    )
    assert run.returncode == 0, run.stderr
    told = {event["name"]: event for event in events(run)}
    assert {"mode fast", "mode conservative", *known_networks()} <= told.keys()
    for event in told.values():
        assert event["seconds"] > 0
        assert event["consistency_db"] > 15
        assert event["patch"] == {"left": 20, "top": 10, "width": 32, "height": 32}
    assert told["realesrgan-x4plus"]["licences"] == ["BSD-3-Clause"]
    width, height = size_of(tmp_path / "sheet.png")
    assert width > 3 * 128
    assert height > -(-(len(told) + 1) // 3) * 128


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["-o", "sheet.gif"], "sheet.gif must end in one of: .png"),
        (["-o", "sheet.png", "--at", "9"], "at is '9'; it must be two numbers"),
        (["-o", "sheet.png", "--at", "80,0"], "at is 80,0; the picture has 80x60 pixels"),
    ],
)
def test_what_cannot_be_compared_is_said(
    photo: Path, tmp_path: Path, arguments: list[str], text: str
) -> None:
    run = enlarger("compare", photo, *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert text in run.stderr
    assert not list(tmp_path.glob("sheet*"))


def test_the_patch_with_most_detail_is_found() -> None:
    colour = np.full((96, 160, 3), 90, np.uint8)
    colour[40:72, 100:132] = crop("coffee", 32, 32)
    left, top = busiest(Picture.of(colour), 32)
    assert abs(left - 100) <= 16
    assert abs(top - 40) <= 16
    assert busiest(Picture.of(colour[:8, :8]), 32) == (0, 0)


def test_a_patch_lies_inside_the_picture() -> None:
    picture = Picture.of(crop("coffee", 40, 30), np.full((30, 40), 9, np.uint8))
    patch = cut_out(picture, 39, 29, 16)
    np.testing.assert_array_equal(patch.colour.array(), crop("coffee", 40, 30)[14:, 24:])
    assert patch.alpha is not None
    assert (cut_out(picture, 0, 0, 128).width, cut_out(picture, 0, 0, 128).height) == (40, 30)
    with pytest.raises(BadParameter, match="at is 40,0"):
        cut_out(picture, 40, 0, 16)


def test_a_licence_that_does_not_allow_it_leaves_a_network_out() -> None:
    assets = known_assets()
    names = [
        candidate.name
        for candidate in candidates(
            known_networks(),
            assets,
            Target.factor(4),
            may_run=lambda name: assets[name].licence == "Apache-2.0",
        )
    ]
    assert names == ["mode fast", "span-x4-ch48", "realsr-df2k-x4"]
