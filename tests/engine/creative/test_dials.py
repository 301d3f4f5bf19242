"""Every dial moves the statistic that it declares, on photographs that nothing was tuned on."""

from __future__ import annotations

import numpy as np
import pytest

from enlarger.engine.engine import Engine
from enlarger.engine.receipt import ENGINE, Verdict
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from tests.engine.creative.conftest import (
    PHOTOS,
    SEEDS,
    Render,
    assert_moves,
    colours,
    consistency,
    distance,
    finest_share,
    small,
    style_picture,
    texture,
)

CREATIVITIES = (0.1, 0.2, 0.3, 0.4, 0.5)
STYLES = {"motorcycle_left": "rocket", "grass": "coffee", "ihc": "rocket"}


def test_creativity_leads_away_from_conservative_and_makes_texture(render: Render, photo: str) -> None:
    plain = render(photo, mode=Mode.CONSERVATIVE)
    made = [render(photo, creativity=creativity) for creativity in CREATIVITIES]
    distances = [distance(one, plain) for one in made]
    textures = [texture(one) for one in made]
    assert distances == sorted(set(distances))
    assert textures == sorted(set(textures))
    assert textures[0] > texture(plain)


def test_the_seed_decides_every_pixel_and_nothing_else_does(
    render: Render, engine: Engine, photo: str
) -> None:
    first = render(photo, seed=0)
    again = engine.upscale(Picture.of(small(photo)), UpscaleRequest(mode=Mode.CREATIVE)).collect()
    np.testing.assert_array_equal(again.colour.array(), first.pixels)
    for seed in SEEDS[1:]:
        other = render(photo, seed=seed)
        assert (other.pixels != first.pixels).mean() > 0.3
        # Another seed is other texture, and not another picture.
        assert texture(other) == pytest.approx(texture(first), rel=0.15)


def test_the_receipt_names_engine_plan_and_measures(render: Render, photo: str) -> None:
    receipt = render(photo).receipt
    assert (receipt.engine, receipt.plan, ENGINE) == ("embedded", "creative", "embedded")
    assert receipt.verdict is Verdict.PASS, receipt.reasons
    assert not receipt.look
    # The receipt's is of values that are not rounded and clipped yet.
    assert receipt.consistency_db == pytest.approx(consistency(render(photo), photo), abs=1.5)


def test_detail_is_texture(render: Render, photo: str) -> None:
    values = [texture(render(photo, detail=detail)) for detail in (-1.0, 0.0, 1.0)]
    assert_moves(values, [texture(render(photo, seed=seed)) for seed in SEEDS], up=True)


def test_fractality_is_the_finest_octaves_share(render: Render, photo: str) -> None:
    values = [finest_share(render(photo, fractality=fractality)) for fractality in (0.0, 0.5, 1.0)]
    assert_moves(values, [finest_share(render(photo, seed=seed)) for seed in SEEDS], up=True)


def test_image_fidelity_holds_to_the_input(render: Render, photo: str) -> None:
    values = [consistency(render(photo, image_fidelity=held), photo) for held in (0.0, 0.5, 0.75, 1.0)]
    assert_moves(values, [consistency(render(photo, seed=seed), photo) for seed in SEEDS], up=True)


def test_refinement_leads_away_from_the_input(render: Render, photo: str) -> None:
    values = [consistency(render(photo, refinement=refinement), photo) for refinement in (0, 1, 2, 3)]
    assert_moves(values, [consistency(render(photo, seed=seed), photo) for seed in SEEDS], up=False)


@pytest.mark.parametrize("name", PHOTOS[:1])
def test_what_does_not_decay_leads_further_from_the_input(render: Render, name: str) -> None:
    values = [
        consistency(render(name, refinement=3, creativity_decay=decay), name) for decay in (0.0, 0.5, 1.0)
    ]
    seeded = [consistency(render(name, refinement=3, seed=seed), name) for seed in SEEDS]
    assert_moves(values, seeded, up=False)


def test_style_fidelity_leads_to_the_styles_colours(render: Render, photo: str) -> None:
    style = STYLES[photo]
    wanted = colours(style_picture(style).colour.array().astype(np.float32) / 255)

    def gap(fidelity: float, seed: int = 0) -> float:
        made = render(photo, refinement=0, style=style, style_fidelity=fidelity, seed=seed)
        return float(np.abs(colours(made.floats) - wanted).mean())

    def moved(fidelity: float, seed: int = 0) -> float:
        made = render(photo, refinement=0, style=style, style_fidelity=fidelity, seed=seed)
        return distance(made, render(photo, refinement=0, seed=seed))

    steps = (0.0, 0.25, 0.5, 0.75)
    assert_moves([gap(step) for step in steps], [gap(0.5, seed) for seed in SEEDS], up=False)
    assert_moves([moved(step) for step in steps], [moved(0.5, seed) for seed in SEEDS], up=True)
    assert moved(0.0) == 0
