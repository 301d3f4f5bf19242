"""Noise is a function of the seed and the place, and of nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enlarger.engine.creative.noise import Field, spacing_of
from enlarger.request import SEED_MAX
from enlarger.target import Size

PLAIN = Field(seed=7, layer=0, channels=5)
KINDS = {
    "plain": PLAIN,
    "wide": replace(PLAIN, spacing=2.3),
    "periodic": replace(PLAIN, spacing=1.7, period=Size(21, 33), origin=(4, 9)),
}


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(-60, 60),
    st.integers(1, 12),
    st.integers(-60, 60),
    st.integers(1, 12),
)
def test_any_window_equals_the_same_part_of_the_whole(
    kind: str, top: int, height: int, left: int, width: int
) -> None:
    field = KINDS[kind]
    whole = field.window(top - 3, top + height + 2, left - 5, left + width + 4)
    part = field.window(top, top + height, left, left + width)
    assert part.shape == (height, width, 5)
    assert part.dtype == np.float32
    np.testing.assert_array_equal(part, whole[3 : 3 + height, 5 : 5 + width])


@pytest.mark.parametrize("spacing", [1.0, 1.4, 2.3, 3.0])
def test_mean_0_and_variance_1_at_every_spacing(spacing: float) -> None:
    values = replace(PLAIN, spacing=spacing, channels=16).window(0, 180, 0, 180)
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(1, abs=0.02)
    # Nowhere is it weaker than elsewhere: interpolated values are no paler than the grid's.
    assert values.std((0, 2)).min() > 0.8
    assert np.abs(values).max() < 3.5 * np.sqrt(2)


def test_a_larger_spacing_is_coarser() -> None:
    def likeness(spacing: float) -> float:
        values = replace(PLAIN, spacing=spacing).window(0, 90, 0, 90)
        return float((values[:, 1:] * values[:, :-1]).mean())

    found = [likeness(spacing) for spacing in (1.0, 1.5, 2.0, 3.0)]
    assert abs(found[0]) < 0.02
    assert found == sorted(set(found))
    assert found[-1] > 0.5


def test_fractality_runs_from_3_pixels_to_1() -> None:
    spacings = [spacing_of(fractality) for fractality in (0, 0.25, 0.5, 0.75, 1)]
    assert spacings == sorted(spacings, reverse=True)
    assert (spacings[0], spacings[-1]) == (3, 1)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLAIN, seed=8),
        replace(PLAIN, layer=1),
        replace(PLAIN, layer=3),
        replace(PLAIN, seed=SEED_MAX),
    ],
)
def test_seeds_and_layers_are_independent(other: Field) -> None:
    one, two = (field.window(0, 100, 0, 100).ravel() for field in (PLAIN, other))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.02


def test_channels_are_independent() -> None:
    values = PLAIN.window(0, 100, 0, 100).reshape(-1, 5)
    assert np.abs(np.corrcoef(values.T) - np.eye(5)).max() < 0.04


@pytest.mark.parametrize("spacing", [1.0, 1.7, 3.0])
def test_a_period_repeats_it_exactly(spacing: float) -> None:
    field = replace(PLAIN, spacing=spacing, period=Size(20, 31))
    whole = field.window(-31, 62, -20, 40)
    np.testing.assert_array_equal(whole[:31], whole[31:62])
    np.testing.assert_array_equal(whole[:31], whole[62:])
    np.testing.assert_array_equal(whole[:, :20], whole[:, 20:40])
    assert not np.array_equal(whole[:15], whole[15:30])


def test_the_origin_moves_it() -> None:
    moved = replace(PLAIN, origin=(3, -4)).window(13, 23, 6, 16)
    np.testing.assert_array_equal(moved, PLAIN.window(10, 20, 10, 20))
