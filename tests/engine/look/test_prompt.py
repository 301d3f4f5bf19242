"""What words come to: the right way, the other way, nothing at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.look.axes import AXES, NEUTRAL, Axes, Subject
from enlarger.engine.look.presets import PRESETS
from enlarger.engine.look.prompt import (
    DRAWING_NETWORK,
    GRAIN_NETWORK,
    PHOTO_NETWORK,
    Balance,
    Resolved,
    Router,
)
from enlarger.errors import BadParameter
from enlarger.models import known_networks


def no_embedding(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError(f"the sentence model was asked for {texts}")


@pytest.mark.parametrize(
    ("prompt", "negative", "axis", "low", "high"),
    [
        ("highly detailed, sharp", "", "detail", 0.3, 1.0),
        ("soft dreamy", "", "detail", -1.0, -0.3),
        ("golden hour beach", "", "temperature", 0.3, 1.0),
        ("snowy winter night", "", "temperature", -1.0, -0.3),
        ("snowy winter night", "", "light", -1.0, -0.2),
        ("neon cyberpunk street, vibrant", "", "saturation", 0.5, 1.0),
        ("vintage analog film photo", "", "grain", 0.3, 1.0),
        ("film noir detective, black and white", "", "saturation", -1.0, -0.9),
        ("film noir detective, black and white", "", "contrast", 0.3, 1.0),
        ("cosy living room by the fireplace", "", "temperature", 0.3, 1.0),
        ("an old castle in the fog", "", "contrast", -1.0, -0.3),
        ("", "blurry, low resolution, noisy", "detail", 0.3, 1.0),
        ("", "oversharpened, harsh detail", "detail", -1.0, -0.2),
        ("no grain", "", "grain", -1.0, -0.3),
    ],
)
def test_a_phrase_moves_its_axis(
    router: Router, prompt: str, negative: str, axis: str, low: float, high: float
) -> None:
    assert low <= getattr(router.route(prompt, negative).axes, axis) <= high


@pytest.mark.parametrize(
    "phrase",
    [
        "golden hour",
        "a snowy winter night",
        "film noir",
        "sharp",
        "a misty valley",
        "grainy",
        "vivid colours",
    ],
)
def test_a_negative_prompt_is_the_same_the_other_way(router: Router, phrase: str) -> None:
    wanted, refused = router.route(phrase).axes, router.route("", phrase).axes
    assert not wanted.is_neutral
    for name in AXES:
        assert getattr(refused, name) == pytest.approx(-getattr(wanted, name))
    both = router.route(phrase, phrase).axes
    assert all(getattr(both, name) == pytest.approx(0) for name in AXES)


def test_no_words_are_exactly_neutral_and_load_nothing() -> None:
    router = Router(no_embedding)
    for prompt in ("", "  ", " , . ", "()", "(:1)"):
        resolved = router.route(prompt, prompt)
        assert resolved == Resolved()
        assert resolved.axes == NEUTRAL
        assert resolved.note == "nothing"


def test_terms_of_art_and_presets_load_nothing() -> None:
    router = Router(no_embedding)
    assert router.route("film noir, highly detailed", "blurry, noisy").axes.saturation == -1
    for preset in PRESETS:
        router.route(preset=preset)


@pytest.mark.parametrize(
    "prompt",
    [
        *("eine Katze", "рыжая кошка", "猫", "gatto rosso", "retrato de una mujer", "qwerty asdf zxcv"),
        *("a dog", "a car", "a bowl of fruit on a table", "quarterly revenue report"),
    ],
)
def test_what_is_near_to_nothing_moves_next_to_nothing(router: Router, prompt: str) -> None:
    axes = router.route(prompt).axes
    assert max(abs(getattr(axes, name)) for name in AXES) <= 0.15


def test_weights_scale(router: Router) -> None:
    values = [
        router.route(prompt).axes.saturation
        for prompt in ("(vivid:0)", "(vivid:0.3)", "(vivid:0.7)", "vivid", "vivid+", "vivid++")
    ]
    assert values == sorted(set(values))
    assert values[0] == 0
    assert router.route("golden hour--").axes.temperature < router.route("golden hour").axes.temperature


def test_prompt_fidelity_is_an_amplitude(router: Router) -> None:
    values = [
        router.route("warm light", prompt_fidelity=fidelity).axes.temperature
        for fidelity in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert values == sorted(set(values))
    assert values[0] == 0
    assert router.route("an anime drawing", prompt_fidelity=0) == Resolved()
    with pytest.raises(BadParameter, match=r"prompt_fidelity is 1\.5"):
        router.route(prompt_fidelity=1.5)


@pytest.mark.parametrize(
    ("prompt", "negative", "subject", "network"),
    [
        ("", "", Subject.ANY, PHOTO_NETWORK),
        ("an anime girl with a sword", "", Subject.DRAWING, DRAWING_NETWORK),
        ("pencil sketch of a horse", "", Subject.DRAWING, DRAWING_NETWORK),
        ("a superhero fighting, bold outlines", "", Subject.DRAWING, DRAWING_NETWORK),
        ("a watercolour of a village", "", Subject.PAINTING, PHOTO_NETWORK),
        ("a renaissance canvas with thick brushstrokes", "", Subject.PAINTING, PHOTO_NETWORK),
        ("octane render of a robot", "", Subject.RENDER, PHOTO_NETWORK),
        ("photo of a woman", "anime, cartoon, painting", Subject.PHOTO, PHOTO_NETWORK),
        ("", "cartoon", Subject.PHOTO, PHOTO_NETWORK),
    ],
)
def test_the_subject_chooses_the_network(
    router: Router, prompt: str, negative: str, subject: Subject, network: str
) -> None:
    resolved = router.route(prompt, negative)
    assert (resolved.axes.subject, resolved.network) == (subject, network)
    assert {resolved.network, GRAIN_NETWORK} <= set(known_networks())
    assert resolved.grain_share == 0 or subject in (Subject.ANY, Subject.PHOTO)


def test_shares_of_the_grain_keeping_network(router: Router) -> None:
    shares = [router.route(balance=balance).grain_share for balance in Balance]
    assert shares == [0.0, 0.5, 0.25]
    assert router.route("noise-free").grain_share < 0.5
    assert router.route(preset="photographic").grain_share == 0.75
    assert router.route(preset="photographic", balance=Balance.PRECISE).grain_share == 0.25


def test_override_leaves_the_preset_out(router: Router) -> None:
    assert router.route("vivid", preset="line-art", override=True) == router.route("vivid")
    with pytest.raises(BadParameter, match="style_preset is 'cubism'; it must be one of: 3d-model"):
        router.route(preset="cubism", override=True)


def test_a_prompt_is_added_to_a_preset(router: Router) -> None:
    both = router.route("golden hour", preset="analog-film")
    assert both.axes.temperature > router.route(preset="analog-film").axes.temperature
    assert both.axes.grain == router.route(preset="analog-film").axes.grain
    assert both.note.startswith("preset analog-film; golden hour -> ")


def test_equal_words_are_equal_looks(embed: object, router: Router) -> None:
    prompt = "an abandoned lighthouse in a storm, oil on canvas, vivid"
    assert Router(embed).route(prompt, "sunny") == router.route(prompt, "sunny")  # type: ignore[arg-type]


def test_a_very_long_prompt_is_read_in_good_time(router: Router) -> None:
    axes = router.route("a castle in the fog, " * 476).axes
    assert axes.contrast == -1.0


def test_axes_add_subtract_and_clamp() -> None:
    warm = Axes(temperature=0.8, subject=Subject.PHOTO)
    assert (warm + warm).clamped().temperature == 1.0
    assert (warm - warm).is_neutral
    assert warm.scaled(0.0) == NEUTRAL
    assert (warm + Axes(subject=Subject.DRAWING)).subject is Subject.DRAWING
    assert (warm - Axes(subject=Subject.DRAWING)).subject is Subject.PHOTO
    assert Axes(light=-0.004, grain=0.5).told() == {"grain": 0.5}
