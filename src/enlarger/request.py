"""The one request that every door translates into."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from enlarger.errors import BadParameter
from enlarger.target import Target

PROMPT_MAX = 10_000
"""Characters in a prompt; Stability's limit, the widest of the vendors'."""
MAX_OUTPUT_PIXELS = 268_435_456
"""Largest result unless a caller or an operator says otherwise: a square of 16,384 pixels."""
REFINEMENT_MAX = 4
SEED_MAX = 4_294_967_294
"""Largest seed; Stability's range, the widest of the vendors'."""


class Mode(StrEnum):
    """Which plan of the engine makes the picture."""

    FAST = "fast"
    """One small network; nothing invented, under a second for half a megapixel on a few cores."""
    CONSERVATIVE = "conservative"
    """Fine texture as far as `creativity` says; scaled down, the result is the input again."""
    CREATIVE = "creative"
    """Seeded texture that the input does not show, and a look that words and pictures steer."""


class OutputFormat(StrEnum):
    """How the result is encoded."""

    PNG = "png"
    """Lossless; the largest file."""
    JPEG = "jpeg"
    """Quality 95, full colour resolution; transparency is laid on white."""
    WEBP = "webp"
    """Lossy, quality 95; keeps transparency."""

    @property
    def media_type(self) -> str:
        """As in a Content-Type header."""
        return f"image/{self}"


class Seamless(StrEnum):
    """Which borders of a picture fit one another, in the input and so in the result."""

    NONE = "none"
    """None do."""
    TEXTURE = "texture"
    """Left and right, top and bottom: a tile of a pattern."""
    SKYBOX = "skybox"
    """Left and right; beyond the poles it goes on half way round: an equirectangular panorama."""


@dataclass(frozen=True, kw_only=True)
class UpscaleRequest:
    """What the caller wants, apart from the picture itself.

    Raises BadParameter, naming the field, the value and the limit.
    """

    mode: Mode = Mode.FAST
    target: Target = field(default_factory=lambda: Target.factor(4))
    """How large the result shall be."""
    output_format: OutputFormat = OutputFormat.PNG
    prompt: str = ""
    """What the picture shows or how it shall look, in English. Empty changes nothing. `fast` ignores it."""
    negative_prompt: str = ""
    """What it shall not look like."""
    creativity: float | None = None
    """How much texture is made that the input does not show, 0 to 1; more is more. None is the
    mode's own measure: 0.35 in `conservative`, 0.3 in `creative`. `fast` makes none."""
    seed: int = 0
    """Of what is random in `creative`; equal seeds give equal pixels. `fast` and `conservative` have
    nothing random in them, so there no pixel depends on it."""
    style_preset: str | None = None
    """One of Stability's seventeen style presets; a look to which the prompt's is added. Only
    `creative` has looks; in `conservative` a drawn preset chooses the network for drawings."""
    override_preset: bool = False
    """Whether only the caller's own words count, and not what the preset stands for."""
    prompt_fidelity: float = 0.5
    """Amplitude of the look that the words ask for, 0 to 1: 0 is none, 1 is twice that of 0.5."""
    image_fidelity: float = 0.75
    """How near the result, scaled down, stays to the input, 0 to 1; looks are applied after that."""
    detail: float = 0.0
    """-1 to 1: more makes more texture and stronger fine detail, less a softer picture."""
    fractality: float = 0.5
    """Scale of the texture that is made, 0 to 1: more is finer."""
    refinement: int = 1
    """Further passes over the result, 0 to 4: each takes contours and texture further from the input."""
    creativity_decay: float = 0.5
    """What is left of the creativity from one pass to the next, 0 to 1; more leaves more, and so ends
    further from the input."""
    style_fidelity: float = 0.5
    """How much of the style pictures' palette is taken over, 0 to 1."""
    style_pictures: tuple[str, ...] = ()
    """SHA-256 of the samples of each style picture; the pictures themselves go beside the request."""
    tile_style: bool = False
    """Whether each part of the picture takes the style of the same part of the style pictures."""
    seamless: Seamless = Seamless.NONE
    """Whether the picture's borders are to fit one another."""
    model: str | None = None
    """A network by its name in the catalogue, in the place of the mode's own; only `fast` has a place
    for one. The engine knows which names there are. None is the mode's choice."""

    def __post_init__(self) -> None:
        ranges: list[tuple[str, float | None, float, float]] = [
            ("creativity", self.creativity, 0, 1),
            ("seed", self.seed, 0, SEED_MAX),
            ("prompt_fidelity", self.prompt_fidelity, 0, 1),
            ("image_fidelity", self.image_fidelity, 0, 1),
            ("detail", self.detail, -1, 1),
            ("fractality", self.fractality, 0, 1),
            ("refinement", self.refinement, 0, REFINEMENT_MAX),
            ("creativity_decay", self.creativity_decay, 0, 1),
            ("style_fidelity", self.style_fidelity, 0, 1),
        ]
        for name, value, low, high in ranges:
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise BadParameter(f"{name} is {value!r}; it must be a number", param=name)
            if not low <= value <= high:
                raise BadParameter(f"{name} is {value:g}; it must be {low:g} to {high:g}", param=name)
        if self.model is not None and self.mode is not Mode.FAST:
            raise BadParameter(
                f"model is {self.model!r} and mode {str(self.mode)!r}; only mode 'fast' takes a network by"
                " name",
                param="model",
            )
        for name, text in (("prompt", self.prompt), ("negative_prompt", self.negative_prompt)):
            if len(text) > PROMPT_MAX:
                raise BadParameter(
                    f"{name} has {len(text)} characters; it must have at most {PROMPT_MAX}", param=name
                )
            try:
                text.encode()
            except UnicodeEncodeError as error:
                # Such as a byte of a command line that is no UTF-8.
                raise BadParameter(
                    f"{name} has at {error.start} what is no character: half of a surrogate pair",
                    param=name,
                ) from None

    def to_json(self) -> str:
        """The form that is kept with a job."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> UpscaleRequest:
        """The inverse of `to_json`; a field that is missing has its default."""
        return msgspec.json.decode(text, type=cls)
