"""Style pictures: nearer to their colours and further from the content as fidelity rises."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.look.small import resized
from enlarger.engine.look.style import CONTENT_PX, StyleNetwork, palette, smoothed
from enlarger.errors import BadParameter
from tests.engine.look.conftest import as_floats

Samples = NDArray[np.float32]


def at_network_size(picture: Samples) -> Samples:
    return np.clip(resized(picture, CONTENT_PX, CONTENT_PX), 0, 1)


def colours(picture: Samples) -> Samples:
    return np.concatenate([picture.mean((0, 1)), picture.std((0, 1))])


@pytest.mark.parametrize(
    ("content", "style"), [("astronaut", "coffee"), ("coffee", "rocket"), ("rocket", "chelsea")]
)
def test_fidelity_leads_from_the_content_to_the_style(
    style_network: StyleNetwork, content: str, style: str
) -> None:
    picture, wanted = as_floats(content), as_floats(style)
    seen = at_network_size(picture)
    distances, gaps = [], []
    for fidelity in (0.0, 0.25, 0.5, 0.75):
        made = np.clip(seen + palette(style_network, picture, [wanted], fidelity), 0, 1)
        distances.append(float(np.abs(made - seen).mean()))
        gaps.append(float(np.abs(colours(made) - colours(wanted)).mean()))
    assert distances[0] == 0
    assert distances == sorted(set(distances))
    assert gaps == sorted(set(gaps), reverse=True)
    assert gaps[-1] < 0.5 * gaps[0]


def test_the_map_is_smooth_and_repeats(style_network: StyleNetwork) -> None:
    content, style = as_floats("chelsea"), as_floats("coffee")
    change = palette(style_network, content, [style], 0.6)
    assert change.shape == (CONTENT_PX, CONTENT_PX, 3)
    assert change.dtype == np.float32
    assert np.array_equal(change, palette(style_network, content, [style], 0.6))
    finest = np.abs(change - smoothed(change, 1)).mean()
    assert finest < 0.05 * np.abs(change).mean()


def test_several_styles_are_their_mean(style_network: StyleNetwork) -> None:
    content, coffee, rocket = as_floats("astronaut"), as_floats("coffee"), as_floats("rocket")
    warm, cold, both = (
        palette(style_network, content, styles, 0.6).mean((0, 1))
        for styles in ([coffee], [rocket], [coffee, rocket])
    )
    redness = [float(change[0] - change[2]) for change in (cold, both, warm)]
    assert redness == sorted(redness)
    assert not palette(style_network, content, [], 1.0).any()


def test_cells_take_the_style_of_the_same_place(style_network: StyleNetwork) -> None:
    content = as_floats("chelsea")
    style = np.concatenate([as_floats("coffee")[:, :300], as_floats("rocket")[:400, :300]], axis=1)
    whole = palette(style_network, content, [style], 0.7)
    parts = palette(style_network, content, [style], 0.7, cells=(1, 2))
    half = CONTENT_PX // 2

    def tilt(change: Samples) -> float:
        warmth = change[..., 0] - change[..., 2]
        return float(warmth[:, :half].mean() - warmth[:, half:].mean())

    assert tilt(parts) > tilt(whole) + 0.05
    one = palette(style_network, content, [style], 0.7, cells=(1, 1))
    assert np.array_equal(one, whole)
    tiny = palette(style_network, content, [style[:1, :1]], 0.5, cells=(3, 3))
    assert np.isfinite(tiny).all()


def test_what_is_out_of_range_is_refused(style_network: StyleNetwork) -> None:
    picture = as_floats("coffee")
    with pytest.raises(BadParameter, match="style_fidelity is 2; it must be 0 to 1"):
        palette(style_network, picture, [picture], 2)
    with pytest.raises(BadParameter, match="cells"):
        palette(style_network, picture, [picture], 1, cells=(0, 1))
    with pytest.raises(ValueError, match="must be"):
        style_network.stylised(picture, np.zeros(100, np.float32))


def test_smoothing_keeps_a_constant() -> None:
    flat = np.full((40, 50, 3), 0.25, np.float32)
    assert smoothed(flat, 3) == pytest.approx(0.25)
