"""Colour differences against scikit-image, which has its own from the same papers."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.color

from enlarger.engine.colour import delta_e, lab_of
from tests.support.photos import photo

# Sharma, Wu, Dalal 2005, table 1: Lab, Lab, CIEDE2000.
PUBLISHED = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "expected"), PUBLISHED)
def test_differences_are_the_published_ones(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    assert delta_e(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)
    assert delta_e(np.array(other), np.array(one)) == pytest.approx(expected, abs=1e-4)


def test_differences_agree_with_scikit_image_for_any_colours() -> None:
    random = np.random.default_rng(0)
    one, other = (random.uniform((0, -100, -100), (100, 100, 100), (5000, 3)) for _ in range(2))
    np.testing.assert_allclose(
        delta_e(one, other), skimage.color.deltaE_ciede2000(one, other), atol=1e-6, rtol=1e-6
    )


def test_lab_agrees_with_scikit_image_on_a_photograph() -> None:
    floats = photo("coffee").astype(np.float32) / 255
    ours, theirs = lab_of(floats), skimage.color.rgb2lab(floats)
    assert np.abs(ours - theirs).max() < 0.05
