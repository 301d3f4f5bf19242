"""What can be bought here, and how its form becomes the canonical request."""

from __future__ import annotations

import math
import re
import secrets
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from enlarger.dialects import limits
from enlarger.dialects.body import BadField, read_choice
from enlarger.dialects.limits import ABOUT_PIXELS, PictureLimits
from enlarger.dialects.presets import StylePreset
from enlarger.dialects.stability.schemas import OUTPUT_FORMATS
from enlarger.request import PROMPT_MAX, SEED_MAX, Mode, UpscaleRequest
from enlarger.target import Target

FAST_TARGET = Target.factor(4)
WHOLE_NUMBER = re.compile(r"[0-9]{1,15}(\.0+)?")


@dataclass(frozen=True)
class Range:
    """A dial: its bounds, inclusive, and where it stands if nobody says."""

    low: float
    high: float
    default: float


@dataclass(frozen=True)
class Offer:
    """One of the vendor's upscales."""

    operation: str
    mode: Mode
    limits: PictureLimits
    target: Target
    creativity: Range | None = None
    """None where there is no such field; there is no prompt either then."""
    has_presets: bool = False


FAST = Offer("upscale/fast", Mode.FAST, limits.FAST, FAST_TARGET)
CONSERVATIVE = Offer(
    "upscale/conservative", Mode.CONSERVATIVE, limits.CONSERVATIVE, ABOUT_PIXELS, Range(0.2, 0.5, 0.35)
)
CREATIVE = Offer(
    "upscale/creative", Mode.CREATIVE, limits.CREATIVE, ABOUT_PIXELS, Range(0.1, 0.5, 0.3), has_presets=True
)


def read_order(form: FormData, offer: Offer) -> UpscaleRequest:
    """The request that a form makes of an offer. Unknown fields are ignored. Raises BadField."""
    fields: dict[str, Any] = {"output_format": read_choice(form, "output_format", OUTPUT_FORMATS)}
    seed = 0
    if offer.creativity is not None:
        fields["prompt"] = _read_prompt(form, "prompt")
        if not fields["prompt"]:
            raise BadField("prompt", "is required")
        fields["negative_prompt"] = _read_prompt(form, "negative_prompt")
        fields["creativity"] = _read_number(form, "creativity", offer.creativity)
        seed = _read_seed(form)
    if offer.has_presets and form.get("style_preset") is not None:
        fields["style_preset"] = str(read_choice(form, "style_preset", tuple(StylePreset)))
    return UpscaleRequest(
        mode=offer.mode, target=offer.target, seed=seed or 1 + secrets.randbelow(SEED_MAX), **fields
    )


def _text(form: FormData, field: str) -> str | None:
    value = form.get(field)
    if value is not None and not isinstance(value, str):
        raise BadField(field, "must be text, sent without a filename")
    return value


def _read_prompt(form: FormData, field: str) -> str:
    text = _text(form, field) or ""
    if len(text) > PROMPT_MAX:
        raise BadField(field, f"must have at most {PROMPT_MAX} characters, got {len(text)}")
    return text


def _read_number(form: FormData, field: str, bounds: Range) -> float:
    text = _text(form, field)
    if text is None:
        return bounds.default
    try:
        value = float(text)
    except ValueError:
        raise BadField(field, f"must be a number, got {text[:40]!r}") from None
    if not math.isfinite(value) or not bounds.low <= value <= bounds.high:
        raise BadField(field, f"must be between {bounds.low:g} and {bounds.high:g}, got {text[:40]!r}")
    return value


def _read_seed(form: FormData) -> int:
    text = _text(form, "seed")
    if text is None:
        return 0
    if not WHOLE_NUMBER.fullmatch(text) or int(text.partition(".")[0]) > SEED_MAX:
        raise BadField("seed", f"must be a whole number between 0 and {SEED_MAX}, got {text[:40]!r}")
    return int(text.partition(".")[0])
