"""What can be bought here, and how its body becomes the canonical request. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from enlarger.dialects.body import BadField
from enlarger.dialects.scenario import dials
from enlarger.dialects.scenario.inputs import Input, read_values
from enlarger.imaging import Header
from enlarger.request import Mode, OutputFormat, UpscaleRequest
from enlarger.target import Target

CREATIVE_FROM = 0.2
"""Creativity below which the conservative plan serves, if it can do what is asked for."""
COARSE_BELOW = 50
"""Fractality of the deprecated endpoint below which a request costs more, up to twice at 0."""
CREATIVE_ALONE = (
    "prompt",
    "negative_prompt",
    "prompt_fidelity",
    "style_preset",
    "override_preset",
    "image_fidelity",
    "detail",
    "fractality",
    "refinement",
    "creativity_decay",
    "style_fidelity",
    "tile_style",
)
"""Fields of the canonical request that the conservative plan has no use for; style pictures too. Nor
for the seed, but equal requests are equal there in any case."""
CARRIED = ("hideResults", "projectId")
"""Members that a body may have beside a model's inputs."""


@dataclass(frozen=True)
class Offer:
    """One way to an upscale."""

    operation: str
    """The route, for which idempotency keys count."""
    model_id: str
    inputs: tuple[Input, ...]
    presets: Mapping[str, Mapping[str, float]]
    factor: str
    """The input that says how large the result is."""
    cost_key: str
    """What the vendor's list of costs calls it."""
    is_strict: bool
    """Whether a member that is no input is refused; the deprecated endpoint's clients send some."""


@dataclass(frozen=True)
class Order:
    """A body that was understood."""

    offer: Offer
    values: Mapping[str, Any]
    """What was sent, checked."""
    request: UpscaleRequest
    job_type: str
    asset_type: str
    price_permille: int
    is_hidden: bool

    def check(self, header: Header) -> None:
        """Raise BadField if the picture is wider already than it shall become."""
        width = self.values.get("targetWidth")
        if width is not None and width < header.width:
            raise BadField(
                "targetWidth", f"must be at least the image's width, {header.width} pixels, got {width}"
            )

    def metadata(self, header: Header) -> dict[str, Any]:
        """The parameters as an asset's metadata has them: in the deprecated endpoint's words and
        percents whichever way the request came, what was not sent too."""
        request = self.request
        width = self.values.get("targetWidth")
        factor = width / header.width if width else self.factor
        said = {
            "scalingFactor": _number(factor),
            "preset": self.said("preset"),
            "style": self.said("style"),
            # Of a size that not every client's numbers hold: it is text there.
            "seed": str(request.seed),
            "creativity": _percent(request.creativity or 0),
            "creativityDecay": _percent(request.creativity_decay),
            "imageFidelity": _percent(request.image_fidelity),
            "promptFidelity": _percent(request.prompt_fidelity),
            "detailsLevel": _number(50 * request.detail),
            "fractality": _percent(request.fractality),
            "styleImagesFidelity": _percent(request.style_fidelity),
            "tileStyle": request.tile_style,
            "overrideEmbeddings": request.override_preset,
            "refinementSteps": request.refinement,
            "imageType": self.values.get("imageType", "seamfull"),
            "prompt": request.prompt,
            "negativePrompt": request.negative_prompt,
            "modelId": self.offer.model_id,
        }
        return said | ({"targetWidth": width} if width else {})

    def field_of(self, picture: str) -> str:
        """The input that names a picture, by its id or what stands for its data URL."""
        return "image" if picture == self.values["image"] else "styleImages"

    @property
    def sizing(self) -> str:
        """The input that says how large the result is."""
        return "targetWidth" if "targetWidth" in self.values else self.offer.factor

    @property
    def factor(self) -> float:
        """Times the input, where no width is asked for."""
        return float(self.said(self.offer.factor))

    def said(self, name: str) -> Any:
        """The value of an input: what was sent, or its default."""
        return _said(self.offer, self.values, name)


def _custom(model_id: str) -> Offer:
    return Offer(
        f"generate/custom/{model_id}",
        model_id,
        dials.V3,
        dials.V3_PRESETS,
        factor="upscaleFactor",
        cost_key="custom-generation",
        is_strict=True,
    )


MODEL, FORMER_MODEL = "model_upscale-v3", "model_scenario-upscale-v3"
"""The public id, and the one that the vendor's deprecated page names."""
CUSTOM: Mapping[str, Offer] = {model_id: _custom(model_id) for model_id in (MODEL, FORMER_MODEL)}
DEPRECATED = Offer(
    "generate/upscale",
    MODEL,
    dials.DEPRECATED,
    dials.DEPRECATED_PRESETS,
    factor="scalingFactor",
    cost_key="upscale",
    is_strict=False,
)


def read_order(body: dict[str, Any], offer: Offer) -> Order:
    """The order that a body makes of an offer. Raises BadField."""

    def refuse(name: str) -> None:
        if offer.is_strict and name not in CARRIED:
            known = ", ".join(one.name for one in offer.inputs)
            raise BadField(name[:60], f"is no input of {offer.model_id}; its inputs are {known}")

    values = read_values(body, offer.inputs, on_unknown=refuse)
    hidden = body.get("hideResults")
    if offer.is_strict and hidden is not None and not isinstance(hidden, bool):
        raise BadField("hideResults", "must be true or false")
    seamless, asset_type = dials.IMAGE_TYPES[values.get("imageType", "seamfull")]
    request = UpscaleRequest(
        target=_target(values, offer),
        output_format=OutputFormat.PNG,
        seamless=seamless,
        **{"seed": 1 + secrets.randbelow(dials.SEED_MAX), **_fields(values, offer)},
    )
    request = replace(request, mode=_mode(request, values, offer))
    return Order(
        offer,
        values,
        request,
        job_type="custom" if offer.is_strict else asset_type,
        asset_type=asset_type,
        price_permille=1000 if offer.is_strict else permille_of(values.get("fractality", COARSE_BELOW)),
        is_hidden=hidden is True,
    )


def _mode(request: UpscaleRequest, values: Mapping[str, Any], offer: Offer) -> Mode:
    """The conservative plan for little creativity and nothing that it would leave undone.

    A dial is a wish where it stands elsewhere than it would if the preset alone had been sent: clients
    that send every field wish nothing with most.
    """
    unmoved = UpscaleRequest(**_fields({"preset": _said(offer, values, "preset")}, offer))
    is_moved = any(getattr(request, name) != getattr(unmoved, name) for name in CREATIVE_ALONE)
    is_creative = (request.creativity or 0) >= CREATIVE_FROM or is_moved or bool(values.get("styleImages"))
    return Mode.CREATIVE if is_creative else Mode.CONSERVATIVE


def permille_of(fractality: float) -> int:
    """Thousandths of the list's price: twice it at 0, falling to once at 50, and no less above."""
    return 1000 + round(1000 * max(0.0, COARSE_BELOW - fractality) / COARSE_BELOW)


def _fields(values: Mapping[str, Any], offer: Offer) -> dict[str, Any]:
    """Fields of the canonical request: what was sent, else the preset's, else the table's default."""
    preset = offer.presets[_said(offer, values, "preset")]
    factor = _said(offer, values, offer.factor)
    fields: dict[str, Any] = {"style_preset": dials.STYLES[_said(offer, values, "style")]}
    for one in offer.inputs:
        usual = preset.get(one.name, one.default)
        value = values.get(one.name, usual) if factor > one.above else usual
        if one.becomes is not None and value is not None:
            fields[one.becomes] = one.canonical(value)
    return fields


def _said(offer: Offer, values: Mapping[str, Any], name: str) -> Any:
    defaults = {one.name: one.default for one in offer.inputs}
    return values.get(name, defaults[name])


def _target(values: Mapping[str, Any], offer: Offer) -> Target:
    if "targetWidth" in values:
        return Target.parse(f"{values['targetWidth']}w")
    return Target.factor(float(_said(offer, values, offer.factor)))


def _percent(share: float) -> int | float:
    return _number(100 * share)


def _number(value: float) -> int | float:
    """A number for metadata. Unity reads the factor into an `int`, and takes no `2.0` for one."""
    rounded = round(value, 4)
    return int(rounded) if rounded.is_integer() else rounded
