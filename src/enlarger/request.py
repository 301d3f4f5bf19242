"""The one request that every door translates into."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from enlarger.errors import BadParameter

SCALE_RANGE = (1.0, 64.0)
MAX_OUTPUT_PIXELS = 268_435_456
"""Largest result unless a caller or an operator says otherwise: a square of 16,384 pixels."""
SEED_MAX = 4_294_967_294
"""Largest seed; Stability's range, the widest of the vendors'."""


class Mode(StrEnum):
    """Which plan of the engine makes the picture."""

    FAST = "fast"
    """One small network; nothing invented, under a second for half a megapixel on a few cores."""


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


@dataclass(frozen=True, kw_only=True)
class UpscaleRequest:
    """What the caller wants, apart from the picture itself.

    Raises BadParameter, naming the field, the value and the limit.
    """

    mode: Mode = Mode.FAST
    scale: float = 4.0
    """Output pixels per input pixel along one axis, 1 to 64. More is larger; it needs not be whole."""
    output_format: OutputFormat = OutputFormat.PNG
    seed: int = 0
    """Kept with the result. `fast` has nothing random in it, so no pixel depends on it."""

    def __post_init__(self) -> None:
        low, high = SCALE_RANGE
        for name, value in (("scale", self.scale), ("seed", self.seed)):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise BadParameter(f"{name} is {value!r}; it must be a number", param=name)
        if not low <= self.scale <= high:
            raise BadParameter(f"scale is {self.scale:g}; it must be {low:g} to {high:g}", param="scale")
        if not 0 <= self.seed <= SEED_MAX:
            raise BadParameter(f"seed is {self.seed}; it must be 0 to {SEED_MAX}", param="seed")

    def to_json(self) -> str:
        """The form that is kept with a job."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> UpscaleRequest:
        """The inverse of `to_json`; a field that is missing has its default."""
        return msgspec.json.decode(text, type=cls)
