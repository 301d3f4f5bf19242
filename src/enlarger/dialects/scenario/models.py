"""The models that there are, in Scenario's form."""

from __future__ import annotations

from typing import Any

from enlarger.dialects.scenario.order import CUSTOM, FORMER_MODEL, MODEL, Offer

MADE = "2026-04-09T00:00:00.000Z"
"""The day of the vendor's table that the inputs are those of."""
TAG = "image-upscale"
NAMES = {MODEL: "Upscale v3", FORMER_MODEL: "Upscale v3 (former id)"}
MINIMAL = ("id", "name", "type")


def model_of(model_id: str, *, with_inputs: bool = False) -> dict[str, Any]:
    """A model on the wire. Raises KeyError.

    with_inputs  lists leave the inputs out, as the vendor's do.
    """
    offer = CUSTOM[model_id]
    model: dict[str, Any] = {
        "id": model_id,
        "name": NAMES[model_id],
        "shortDescription": "Enlarges an image 1 to 16 times, faithfully or with new detail.",
        "capabilities": ["img2img"],
        "collectionIds": [],
        "createdAt": MADE,
        "updatedAt": MADE,
        "custom": True,
        "exampleAssetIds": [],
        "privacy": "public",
        "source": "scenario",
        "status": "trained",
        "tags": [TAG],
        "trainingImagesNumber": 0,
        "type": "custom",
    }
    if with_inputs:
        model["inputs"] = [one.described() for one in offer.inputs]
        model["uiConfig"] = {"presets": [_presets(offer)]}
    return model


def _presets(offer: Offer) -> dict[str, Any]:
    return {
        "fields": ["preset"],
        "presets": {name: {"preset": name, **values} for name, values in offer.presets.items()},
    }
