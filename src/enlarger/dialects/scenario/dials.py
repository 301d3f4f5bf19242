"""The two tables of inputs: the deprecated endpoint's and v3's, and what their words stand for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from enlarger.dialects.scenario.inputs import Input, Kind
from enlarger.request import PROMPT_MAX, Seamless

SEED_MAX = 2_147_483_647
FACTOR_MIN, FACTOR_MAX = 1, 16
WIDTH_MIN, WIDTH_MAX = 1024, 16_000
STYLE_IMAGES_MAX = 10
STYLES: Mapping[str, str | None] = MappingProxyType(
    {
        "standard": None,
        "cartoon": "digital-art",
        "anime": "anime",
        "comic": "comic-book",
        "minimalist": "low-poly",
        "photography": "photographic",
        "3d-rendered": "3d-model",
    }
)
"""Each of the vendor's styles as one of the engine's presets; README.md says why these."""
PRESETS = ("precise", "balanced", "creative")
IMAGE_TYPES: Mapping[str, tuple[Seamless, str]] = MappingProxyType(
    {
        "seamfull": (Seamless.NONE, "upscale"),
        "skybox": (Seamless.SKYBOX, "upscale-skybox"),
        "texture": (Seamless.TEXTURE, "upscale-texture"),
    }
)
"""What each kind of image keeps seamless, and the type of the job and of its asset."""


def _percent(name: str, becomes: str, description: str, **more: Any) -> Input:
    return Input(
        name=name,
        kind=Kind.NUMBER,
        **{"min": 0, "max": 100, "whole": 100, **more},
        becomes=becomes,
        description=description,
    )


def _prompts() -> tuple[Input, Input]:
    return (
        Input(
            name="prompt",
            kind=Kind.STRING,
            label="Prompt",
            default="",
            max_length=PROMPT_MAX,
            is_prompt=True,
            becomes="prompt",
            description="What the picture shows or how it shall look, in English.",
        ),
        Input(
            name="negativePrompt",
            kind=Kind.STRING,
            label="Negative prompt",
            default="",
            max_length=PROMPT_MAX,
            becomes="negative_prompt",
            description="What it shall not look like.",
        ),
    )


def _seed() -> Input:
    return Input(
        name="seed",
        kind=Kind.NUMBER,
        label="Seed",
        min=0,
        max=SEED_MAX,
        is_whole=True,
        becomes="seed",
        description="The same seed gives the same picture; 0 is one too. Drawn where none is sent.",
    )


def _tile_style() -> Input:
    return Input(
        name="tileStyle",
        kind=Kind.BOOLEAN,
        label="Tile style",
        default=False,
        becomes="tile_style",
        description="Each part of the picture takes the style of the same part of the style images.",
    )


def _style(*, is_loose: bool = False) -> Input:
    return Input(
        name="style",
        kind=Kind.STRING,
        label="Style",
        default="standard",
        allowed=tuple(STYLES),
        is_loose=is_loose,
        description="A look.",
    )


def _preset(default: str) -> Input:
    return Input(
        name="preset",
        kind=Kind.STRING,
        label="Preset",
        default=default,
        allowed=PRESETS,
        has_cost=True,
        description="Sets the dials that are not sent themselves.",
    )


def _factor(name: str) -> Input:
    return Input(
        name=name,
        kind=Kind.NUMBER,
        label="Upscale factor",
        default=2,
        min=FACTOR_MIN,
        max=FACTOR_MAX,
        has_cost=True,
        description="How many times as wide and as high the result is; 1 refines alone.",
    )


def _override(default: bool | None) -> Input:
    return Input(
        name="overrideEmbeddings",
        kind=Kind.BOOLEAN,
        label="Override embeddings",
        default=default,
        becomes="override_preset",
        description="Only the prompts count, and not what the style stands for.",
    )


DEPRECATED = (
    Input(
        name="image",
        kind=Kind.FILE,
        is_required=True,
        is_parent=True,
        description="An asset's id, or a data URL, which becomes an asset.",
    ),
    _percent("creativityDecay", "creativity_decay", "How much of it is left from pass to pass."),
    _tile_style(),
    _seed(),
    Input(
        name="styleImages",
        kind=Kind.FILE_ARRAY,
        max_length=STYLE_IMAGES_MAX,
        description="Ids of assets whose palette and tonality are taken over.",
    ),
    _factor("scalingFactor"),
    _preset("balanced"),
    _percent("styleImagesFidelity", "style_fidelity", "How much of the style images is taken over."),
    _percent(
        "detailsLevel",
        "detail",
        "More makes stronger fine detail, less a softer picture.",
        min=-50,
        max=50,
        whole=50,
    ),
    _percent(
        "fractality",
        "fractality",
        "Scale of the texture that is made: more is finer. Below 50 costs up to twice.",
        has_cost=True,
    ),
    _prompts()[1],
    _override(None),
    _percent("promptFidelity", "prompt_fidelity", "How strongly the prompts work."),
    _style(is_loose=True),
    Input(
        name="refinementSteps",
        kind=Kind.NUMBER,
        min=0,
        max=4,
        is_whole=True,
        becomes="refinement",
        description="Passes over the result; at factor 1 one more.",
    ),
    _percent("creativity", "creativity", "How much is made that the image does not show.", has_cost=True),
    _percent("imageFidelity", "image_fidelity", "How near the result stays to the image."),
    Input(
        name="imageType",
        kind=Kind.STRING,
        default="seamfull",
        allowed=tuple(IMAGE_TYPES),
        description="Which borders of the image fit one another, and so the result's.",
    ),
    _prompts()[0],
    Input(
        name="targetWidth",
        kind=Kind.NUMBER,
        min=WIDTH_MIN,
        max=WIDTH_MAX,
        is_whole=True,
        description="Pixels; wins over `scalingFactor`. It is also bound by the largest result that this"
        " installation makes (`ENLARGER_MAX_OUTPUT_PIXELS`), and by 64 times the image's own width.",
    ),
)
"""The body of `POST /generate/upscale`, in the order of the vendor's page."""

V3 = (
    Input(
        name="image",
        kind=Kind.FILE,
        label="Image",
        is_required=True,
        is_parent=True,
        has_cost=True,
        description="An asset's id, or a data URL, which becomes an asset.",
    ),
    _style(),
    _factor("upscaleFactor"),
    _preset("precise"),
    Input(
        name="styleImages",
        kind=Kind.FILE_ARRAY,
        label="Style images",
        max_length=STYLE_IMAGES_MAX,
        description="Assets whose palette and tonality are taken over.",
    ),
    _percent(
        "styleStrength",
        "style_fidelity",
        "How much of the style images is taken over.",
        label="Style strength",
        default=0.5,
        max=3,
        whole=3,
    ),
    _tile_style(),
    *_prompts(),
    _percent(
        "guidanceScale",
        "prompt_fidelity",
        "How strongly the prompts work.",
        label="Guidance scale",
        default=6,
        max=10,
        whole=10,
    ),
    _percent(
        "controlnetConditioningScale",
        "image_fidelity",
        "How near the result stays to the image.",
        label="Image fidelity",
        default=0.8,
        max=1.2,
        whole=1.2,
    ),
    _percent(
        "strength",
        "creativity",
        "How much is made that the image does not show.",
        label="Strength",
        default=0.1,
        min=0.1,
        max=1,
        whole=1,
        has_cost=True,
    ),
    _percent(
        "fractality",
        "fractality",
        "Scale of the texture that is made: more is finer.",
        label="Fractality",
        default=0,
        max=1,
        whole=1,
    ),
    _percent(
        "loraDetailsScale",
        "detail",
        "More makes stronger fine detail, less a softer picture.",
        label="Details",
        default=0,
        min=-1.5,
        max=1.5,
        whole=1.5,
    ),
    _seed(),
    _percent(
        "strengthDecay",
        "creativity_decay",
        "How much of it is left from pass to pass; only above factor 2.",
        label="Strength decay",
        default=0.8,
        min=0.1,
        max=1,
        whole=1,
        above=2,
    ),
    _override(False),
)
"""The inputs of `model_upscale-v3`, in the order of the vendor's table."""

DEPRECATED_PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "precise": {"creativity": 15, "imageFidelity": 90, "promptFidelity": 50},
        "balanced": {"creativity": 40, "imageFidelity": 75, "promptFidelity": 50},
        "creative": {"creativity": 65, "imageFidelity": 60, "promptFidelity": 60},
    }
)
"""What the dials are where they are not sent. Dials in no preset have the engine's own default."""
V3_PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "precise": {"strength": 0.1, "controlnetConditioningScale": 0.8, "guidanceScale": 6},
        "balanced": {"strength": 0.4, "controlnetConditioningScale": 0.7, "guidanceScale": 6},
        "creative": {"strength": 0.65, "controlnetConditioningScale": 0.6, "guidanceScale": 7},
    }
)
"""The same for v3, whose default preset is its table of defaults."""
