"""Prompt, negative prompt and preset become a look: routing.

Honest about what it is: no words are painted. A phrase moves six axes and may choose the network. First
a table of terms of art, then, for what is left, the nearness of the phrase to pairs of anchor
sentences in the space of a sentence embedding. A phrase that is near to no anchor (another language,
a plain noun) moves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.look.axes import NEUTRAL, Axes, Subject
from enlarger.engine.look.grade import Finish
from enlarger.engine.look.keywords import known_looks
from enlarger.engine.look.presets import Preset, preset_of
from enlarger.engine.look.weights import Phrase, parse_weights
from enlarger.errors import BadParameter

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to rows of unit length; `SentenceEmbedding` is one."""

ANCHORS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "detail": (
        ("highly detailed, sharp", "intricate fine texture, crisp focus"),
        ("soft, dreamy, blurry", "smooth, out of focus, hazy"),
    ),
    "temperature": (
        ("warm golden sunset light", "a hot desert, orange and amber tones", "a cosy fire and candlelight"),
        ("cold blue winter light", "ice, snow and frost", "a moonlit night in blue tones"),
    ),
    "saturation": (
        ("vibrant, vivid, saturated colours", "neon lights, colourful"),
        ("muted, faded, desaturated colours", "black and white, grey"),
    ),
    "light": (
        ("bright sunny daylight", "bright, airy, well-lit"),
        ("a dark gloomy night", "dim, underexposed, in deep shadow"),
    ),
    "contrast": (
        ("dramatic high contrast lighting", "hard light and deep shadows"),
        ("flat low contrast", "fog and mist, pale and hazy"),
    ),
    "grain": (
        ("vintage analog film grain", "noisy and grainy, as on old film"),
        ("clean, noise-free, digital", "a smooth flawless surface"),
    ),
}
"""For each axis, sentences of its upper and of its lower end."""
KINDS: Mapping[Subject, tuple[str, ...]] = {
    Subject.PHOTO: ("a photograph", "taken with a camera and a lens"),
    Subject.PAINTING: ("an oil painting on canvas", "a watercolour painting"),
    Subject.RENDER: ("a 3D render, computer graphics",),
    Subject.DRAWING: ("an anime drawing", "a comic book illustration", "an ink line drawing, vector art"),
}
NEAR, VERY_NEAR = 0.28, 0.50
"""Cosine similarities between which an anchor begins to count and counts in full. Unrelated English
nouns reach 0.25, sentences in other languages 0.20 to 0.30 unless their words resemble English ones."""
GAIN = 3.0
"""Steepness of the tanh over the difference of the two ends' similarities."""
QUIET = 0.05
"""Smaller values are taken for none, so that what is shown is what was meant."""
KIND_NEAR, KIND_AHEAD = 0.45, 0.08
"""A kind of picture is chosen when it is this near and this much nearer than the next."""
FIDELITY_NEUTRAL = 0.5
"""The prompt fidelity at which axes are as routed; 1 doubles them, 0 takes them away."""


class Balance(StrEnum):
    """How much of a photograph's texture comes from RealSR DF2K, which keeps grain."""

    PRECISE = "precise"
    """None: the cleaner network alone."""
    BALANCED = "balanced"
    """Half: the most natural skin and fur."""
    CREATIVE = "creative"
    """A quarter."""


GRAIN_SHARE: Mapping[Balance, float] = {
    Balance.PRECISE: 0.0,
    Balance.BALANCED: 0.5,
    Balance.CREATIVE: 0.25,
}
DRAWING_NETWORK = "realesrgan-x4plus-anime"
PHOTO_NETWORK = "realesrgan-x4plus"
GRAIN_NETWORK = "realsr-df2k-x4"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a request's words came to; everything that they do to the picture is in here."""

    axes: Axes = NEUTRAL
    """Clamped to -1..1."""
    network: str = PHOTO_NETWORK
    """The catalogue's name of the network that makes the texture."""
    grain_share: float = GRAIN_SHARE[Balance.BALANCED]
    """Share of GRAIN_NETWORK's picture in the result, 0..1; 0 means that it need not be run. The
    two pictures are mixed; mixing the two networks' weights washes colours out."""
    texture_floor: float = 0.0
    """Least texture on flat areas, 0..1."""
    finishes: tuple[Finish, ...] = ()
    note: str = "nothing"
    """What was understood, for people to read."""


class Router:
    """Turns words into a look; holds the embedded anchors, which are made when first needed."""

    def __init__(self, embed: Embed) -> None:
        """embed  not called before a prompt has words that the table of terms does not know."""
        self._embed = embed
        self._anchors: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]] | None = None
        self._kinds: dict[Subject, NDArray[np.float32]] = {}

    def route(
        self,
        prompt: str = "",
        negative_prompt: str = "",
        preset: str | None = None,
        *,
        prompt_fidelity: float = FIDELITY_NEUTRAL,
        balance: Balance = Balance.BALANCED,
        override: bool = False,
    ) -> Resolved:
        """The look of a request. Without words and preset it is neutral and nothing is loaded.

        negative_prompt  pushes the other way.
        preset           one of Stability's style presets, added to what the words say.
        prompt_fidelity  0..1: amplitude of what the words say. 0 ignores them, 0.5 takes them as
                         routed, 1 doubles them. The preset does not depend on it.
        balance          the share of the grain-keeping network that presets and grain then shift.
        override         only the caller's words count: the preset is left out.

        Raises BadParameter for an unknown preset or a fidelity out of range; ModelMissing or
        DigestMismatch where words have to be embedded and the model is not there.
        """
        if not 0.0 <= prompt_fidelity <= 1.0:
            raise BadParameter(
                f"prompt_fidelity is {prompt_fidelity:g}; it must be 0 to 1", param="prompt_fidelity"
            )
        style = preset_of(preset) if preset is not None else None
        if override:
            style = None
        words, heard = NEUTRAL, []
        if prompt_fidelity > 0:
            wanted, heard_wanted = self._look(parse_weights(prompt))
            refused, heard_refused = self._look(parse_weights(negative_prompt))
            words = (wanted - refused).scaled(prompt_fidelity / FIDELITY_NEUTRAL)
            heard = heard_wanted + [f"not {part}" for part in heard_refused]
        axes = (style.axes + words if style else words).clamped()
        return _resolved(axes, style, balance, heard)

    def _look(self, phrases: Sequence[Phrase]) -> tuple[Axes, list[str]]:
        """The sum over the phrases, and what was understood of them."""
        total, heard = NEUTRAL, []
        for phrase in phrases:
            known, terms, rest = known_looks(phrase.text)
            felt = self._felt(rest) if rest else NEUTRAL
            total = total + (known + felt).scaled(phrase.weight)
            if phrase.weight:
                heard += terms + ([rest] if not felt.is_neutral else [])
        return total, heard

    def _felt(self, text: str) -> Axes:
        """The look of a text by its nearness to the anchors; neutral if it is near to none."""
        anchors = self._anchored()
        [row] = self._embed([text])
        values = {name: _lean(row @ high.T, row @ low.T) for name, (high, low) in anchors.items()}
        likeness = {kind: float((row @ rows.T).max()) for kind, rows in self._kinds.items()}
        best, second = sorted(likeness, key=lambda kind: -likeness[kind])[:2]
        is_clear = likeness[best] >= KIND_NEAR and likeness[best] - likeness[second] >= KIND_AHEAD
        return Axes(**values, subject=best if is_clear else Subject.ANY)

    def _anchored(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        if self._anchors is None:
            self._kinds = {kind: self._embed(texts) for kind, texts in KINDS.items()}
            self._anchors = {
                name: (self._embed(high), self._embed(low)) for name, (high, low) in ANCHORS.items()
            }
        return self._anchors


def _lean(high: NDArray[np.float32], low: NDArray[np.float32]) -> float:
    """-1..1 from the similarities with one axis' anchors: which end, and whether it is near at all."""
    up, down = float(high.max()), float(low.max())
    near = min(1.0, max(0.0, (max(up, down) - NEAR) / (VERY_NEAR - NEAR)))
    value = near * near * (3 - 2 * near) * float(np.tanh(GAIN * (up - down)))
    return value if abs(value) >= QUIET else 0.0


def _resolved(axes: Axes, style: Preset | None, balance: Balance, heard: Sequence[str]) -> Resolved:
    is_drawing = axes.subject is Subject.DRAWING
    share = 0.0
    if axes.subject in (Subject.ANY, Subject.PHOTO):
        share = GRAIN_SHARE[balance] + (style.grain_share if style else 0.0)
        # Wanting it cleaner is wanting less of the network that keeps grain.
        share = min(1.0, max(0.0, share)) * (1 + min(0.0, axes.grain))
    said = ([f"preset {style.name}"] if style else []) + list(heard)
    told = ", ".join(
        f"{name} {value:+g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in axes.told().items()
    )
    return Resolved(
        axes=axes,
        network=DRAWING_NETWORK if is_drawing else PHOTO_NETWORK,
        grain_share=round(share, 6),
        texture_floor=style.texture_floor if style else 0.0,
        finishes=style.finishes if style else (),
        note=f"{'; '.join(said)} -> {told or 'no change'}" if said else "nothing",
    )
