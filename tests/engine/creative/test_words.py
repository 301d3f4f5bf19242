"""Prompts, presets and style pictures change the result, and in the direction that they declare."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from enlarger.engine.engine import Engine
from enlarger.engine.look.presets import PRESETS
from enlarger.engine.look.statistics import Statistic, measure
from enlarger.errors import BadParameter
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from tests.engine.creative.conftest import (
    PHOTOS,
    SEEDS,
    Made,
    Render,
    assert_moves,
    distance,
    small,
    texture,
    warmth,
)

GOLDEN = "golden hour beach"
PLAIN = {"refinement": 0}
"""Words act on the last pass like on the first."""


def test_prompt_fidelity_is_the_amplitude_of_the_words(render: Render, photo: str) -> None:
    def warm(fidelity: float, seed: int = 0) -> float:
        return warmth(render(photo, prompt=GOLDEN, prompt_fidelity=fidelity, seed=seed, **PLAIN))

    values = [warm(fidelity) for fidelity in (0.0, 0.5, 1.0)]
    assert_moves(values, [warm(0.5, seed) for seed in SEEDS], up=True)
    assert values[0] == warmth(render(photo, **PLAIN))


@pytest.mark.parametrize(
    ("prompt", "statistic", "up"),
    [
        ("cold blue winter light", Statistic.WARMTH, False),
        ("black and white", Statistic.SATURATION, False),
        ("vibrant, colourful", Statistic.SATURATION, True),
        ("a dark gloomy night", Statistic.LIGHT, False),
    ],
)
def test_a_prompt_moves_what_it_names_and_a_negative_one_the_other_way(
    render: Render, prompt: str, statistic: Statistic, up: bool
) -> None:
    def value(**words: str) -> float:
        return measure(statistic, render("ihc", **PLAIN, **words).floats)

    wanted, plain, refused = value(prompt=prompt), value(), value(negative_prompt=prompt)
    assert (wanted > plain > refused) if up else (wanted < plain < refused)


def test_words_of_sharpness_and_softness_move_texture(render: Render, photo: str) -> None:
    found = [
        texture(render(photo, **PLAIN, **words))
        for words in (
            {"prompt": "soft, dreamy, blurry"},
            {},
            {"prompt": "highly detailed, sharp"},
        )
    ]
    assert found == sorted(set(found))
    refused = texture(render(photo, **PLAIN, negative_prompt="blurry"))
    assert refused > found[1]


@pytest.mark.parametrize(
    "words", [{"prompt": ""}, {"prompt": "a dog"}, {"prompt": GOLDEN, "prompt_fidelity": 0.0}]
)
def test_words_that_say_nothing_about_the_look_change_no_bit(
    render: Render, engine: Engine, words: dict[str, object]
) -> None:
    plain = render("ihc", **PLAIN)
    request = UpscaleRequest(mode=Mode.CREATIVE, **PLAIN, **words)
    again = engine.upscale(Picture.of(small("ihc")), request).collect().colour.array()
    np.testing.assert_array_equal(again, plain.pixels)


def test_the_receipt_says_what_the_words_came_to(render: Render) -> None:
    receipt = render("ihc", prompt=GOLDEN, **PLAIN).receipt
    assert receipt.look["temperature"] > 0.3
    assert any("golden" in note for note in receipt.notes)
    drawn = render("ihc", style_preset="anime", **PLAIN).receipt
    assert drawn.look["subject"] == "drawing"
    assert drawn.engine == "embedded"


@pytest.mark.parametrize("name", [PHOTOS[2], pytest.param(PHOTOS[0], marks=pytest.mark.whole)])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_moves_the_statistic_that_it_declares(render: Render, name: str, preset: str) -> None:
    declared = PRESETS[preset]
    styled = measure(declared.moves, render(name, style_preset=preset, **PLAIN).floats)
    plain = measure(declared.moves, render(name, **PLAIN).floats)
    assert (styled > plain) if declared.up else (styled < plain)


def test_every_pair_of_presets_gives_another_picture(render: Render) -> None:
    made = {preset: render("ihc", style_preset=preset, **PLAIN) for preset in PRESETS}
    made["none"] = render("ihc", **PLAIN)
    assert len(made) == 18
    for left, right in combinations(made, 2):
        assert (made[left].pixels != made[right].pixels).mean() > 0.1, (left, right)


def test_a_preset_that_is_overridden_changes_no_bit(render: Render) -> None:
    left = render("ihc", style_preset="neon-punk", override_preset=True, **PLAIN)
    np.testing.assert_array_equal(left.pixels, render("ihc", **PLAIN).pixels)


def test_tile_style_gives_each_part_the_colours_of_the_same_part(engine: Engine, render: Render) -> None:
    halves = np.zeros((96, 96, 3), np.uint8)
    halves[:, :48] = (200, 40, 30)
    halves[:, 48:] = (30, 50, 200)

    def tilt(**fields: bool) -> float:
        """How much redder than the right half the left one is."""
        request = UpscaleRequest(
            mode=Mode.CREATIVE, style_pictures=("halves",), style_fidelity=0.7, **PLAIN, **fields
        )
        picture = engine.upscale(Picture.of(small("grass")), request, styles=[Picture.of(halves)]).collect()
        made = Made(picture.colour.array(), render("grass", **PLAIN).receipt).floats
        redness = made[..., 0] - made[..., 2]
        middle = made.shape[1] // 2
        return float(redness[:, :middle].mean() - redness[:, middle:].mean())

    plain = render("grass", **PLAIN).floats
    assert abs(float((plain[..., 0] - plain[..., 2]).mean())) < 0.02
    assert tilt(tile_style=True) > 0.1
    assert tilt(tile_style=True) > tilt(tile_style=False) + 0.1


def test_a_style_picture_changes_colours_and_leaves_texture(render: Render) -> None:
    plain, styled = render("ihc", **PLAIN), render("ihc", style="rocket", style_fidelity=0.75, **PLAIN)
    assert distance(plain, styled) > 0.03
    assert texture(styled) == pytest.approx(texture(plain), rel=0.2)


def test_what_there_is_not_is_refused_by_name(engine: Engine) -> None:
    picture = Picture.of(small("ihc"))
    with pytest.raises(BadParameter, match="style_preset is 'cubism'; it must be one of: 3d-model"):
        engine.upscale(picture, UpscaleRequest(mode=Mode.CREATIVE, style_preset="cubism"))
    with pytest.raises(BadParameter, match="style_pictures names 1 pictures and 0 are here"):
        engine.upscale(picture, UpscaleRequest(mode=Mode.CREATIVE, style_pictures=("x",)))


@pytest.mark.parametrize(
    "fields",
    [
        {"creativity": 1.01},
        {"detail": -1.1},
        {"fractality": 2},
        {"image_fidelity": -0.1},
        {"prompt_fidelity": 1.5},
        {"refinement": 5},
        {"creativity_decay": float("nan")},
        {"style_fidelity": 7},
        {"seed": -1},
    ],
)
def test_dials_out_of_range_are_refused_by_name(fields: dict[str, float]) -> None:
    [name] = fields
    with pytest.raises(BadParameter, match=f"{name} is .* it must be") as caught:
        UpscaleRequest(mode=Mode.CREATIVE, **fields)
    assert caught.value.param == name
