"""What can be bought here: Omixa's models, and which of ours each of them is."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.dialects import limits
from enlarger.dialects.limits import ABOUT_PIXELS, PictureLimits
from enlarger.request import Mode
from enlarger.target import Target


@dataclass(frozen=True)
class Model:
    """One model as clients name it."""

    id: str
    """Omixa's name of it."""
    product: str
    """Our own name, by which price list, keys and usage know it."""
    mode: Mode
    limits: PictureLimits
    target: Target
    description: str


FAST = Model(
    "enlarger-fast",
    "fast",
    Mode.FAST,
    limits.FAST,
    Target.factor(4),
    "Four times as wide and as high; nothing is invented. The prompt is optional and changes nothing.",
)
CONSERVATIVE = Model(
    "stability-upscale-conservative",
    "conservative",
    Mode.CONSERVATIVE,
    limits.CONSERVATIVE,
    ABOUT_PIXELS,
    "4 megapixels in the input's shape; scaled down, the result is the input again.",
)
CREATIVE = Model(
    "stability-upscale-creative",
    "creative",
    Mode.CREATIVE,
    limits.CREATIVE,
    ABOUT_PIXELS,
    "4 megapixels in the input's shape; texture is made that a low-resolution input does not show.",
)
MODELS = {model.id: model for model in (CONSERVATIVE, CREATIVE, FAST)}
PRODUCTS = {model.product: model for model in MODELS.values()}


def shown(product: str) -> str:
    """Omixa's name of what came through any door; our own where it has none."""
    model = PRODUCTS.get(product)
    return product if model is None else model.id
