"""Looks move what they say they move, and do not depend on how the picture is cut."""

from __future__ import annotations

import numpy as np
import pytest

from enlarger.engine.look.axes import NEUTRAL, Axes
from enlarger.engine.look.grade import Finish, apply
from enlarger.engine.look.statistics import Statistic, measure
from tests.engine.look.conftest import PHOTOS, as_floats

STEPS = (-1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0)
EVERYTHING = Axes(temperature=0.5, saturation=0.4, light=-0.3, contrast=0.6, grain=0.8)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize(
    ("axis", "statistic"),
    [
        ("temperature", Statistic.WARMTH),
        ("saturation", Statistic.SATURATION),
        ("light", Statistic.LIGHT),
        ("contrast", Statistic.CONTRAST),
    ],
)
def test_an_axis_moves_its_statistic_all_the_way(name: str, axis: str, statistic: Statistic) -> None:
    picture = as_floats(name)
    values = [measure(statistic, apply(picture, Axes(**{axis: step}), seed=1, top=0)) for step in STEPS]
    assert (np.diff(values) > 0).all(), values


@pytest.mark.parametrize("name", PHOTOS)
def test_grain_rises_and_below_zero_is_not_this_modules(name: str) -> None:
    picture = as_floats(name)
    values = [
        measure(Statistic.GRAIN, apply(picture, Axes(grain=step), seed=1, top=0))
        for step in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert values == sorted(set(values))
    assert np.array_equal(apply(picture, Axes(grain=-1), seed=1, top=0), picture)


def test_a_neutral_look_changes_nothing() -> None:
    picture = as_floats("coffee")
    assert np.array_equal(apply(picture, NEUTRAL, seed=1, top=0), picture)
    assert apply(picture * 3 - 1, NEUTRAL, seed=1, top=0).max() == 1


@pytest.mark.parametrize("finishes", [(), *((finish,) for finish in Finish)])
def test_bands_of_any_cut_give_the_same_picture(finishes: tuple[Finish, ...]) -> None:
    picture = as_floats("astronaut")[:101, :133]
    whole = apply(picture, EVERYTHING, finishes, seed=7, top=0)
    pieces = np.empty_like(whole)
    for top, bottom in ((0, 1), (1, 40), (40, 101)):
        for left, right in ((0, 3), (3, 70), (70, 133)):
            pieces[top:bottom, left:right] = apply(
                picture[top:bottom, left:right], EVERYTHING, finishes, seed=7, top=top, left=left
            )
    assert np.array_equal(whole, pieces)
    assert whole.dtype == np.float32
    assert 0 <= whole.min() <= whole.max() <= 1


def test_grain_is_the_seeds() -> None:
    flat = np.full((64, 64, 3), 0.5, np.float32)
    first, again, other = (apply(flat, Axes(grain=1), seed=seed, top=9) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.1
    assert first.std() == pytest.approx(0.06, rel=0.1)
    assert np.ptp(first, axis=2).max() == 0
    apply(flat, Axes(grain=1), seed=4_294_967_294, top=200_000)


@pytest.mark.parametrize("axis", ["saturation", "light", "contrast"])
@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_black_and_white_stay_and_greys_move_a_little(axis: str, value: float) -> None:
    ramp = np.repeat(np.linspace(0, 1, 257, dtype=np.float32)[np.newaxis, :, np.newaxis], 3, axis=2)
    bent = apply(ramp, Axes(**{axis: value}), seed=1, top=0)
    assert bent[0, 0] == pytest.approx(0, abs=1e-6)
    assert bent[0, -1] == pytest.approx(1, abs=1e-6)
    assert (np.diff(bent[0, :, 0]) >= -1e-6).all()
    assert np.abs(bent - ramp).max() < 0.17
