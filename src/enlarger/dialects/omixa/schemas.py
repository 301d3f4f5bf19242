"""The bodies of Omixa's API: requests are checked by these models, and OpenAPI shows them.

Amounts are US dollars as text with six decimals.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from enlarger.dialects.presets import StylePreset
from enlarger.request import PROMPT_MAX, SEED_MAX
from enlarger.routing import LOCAL

Row = TypeVar("Row", bound=BaseModel)
Amount = str


def _whole(value: object) -> object:
    """5.0 as 5: JSON has one kind of number, and some clients write all of them so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ImageUrl(BaseModel):
    """Where the picture is: in the URL itself."""

    model_config = STRICT

    url: str = Field(
        description="`data:image/png;base64,...`: PNG, JPEG or WebP by content. Nothing is fetched."
    )


class InputImage(BaseModel):
    """One picture."""

    model_config = STRICT

    type: Literal["image_url"]
    image_url: ImageUrl


class ImageRequest(BaseModel):
    """What every model takes. null is the same as nothing said."""

    model_config = STRICT

    input_images: list[InputImage] = Field(min_length=1, max_length=1, description="Exactly one picture.")
    output_format: Literal["png", "jpeg", "webp"] | None = Field("png", description="Format of the result.")
    # The bounds stand with the type: behind a validator of ours, the document would not know them.
    seed: Annotated[int, Field(ge=0, le=SEED_MAX), WHOLE] | None = Field(
        0, description="0 draws one, which the header `x-enlarger-seed` says."
    )
    n: Annotated[int, Field(ge=1, le=1), WHOLE] | None = Field(1, description="How many results: one.")
    response_format: Literal["b64_json"] | None = Field(
        "b64_json", description="How the result comes: in base64."
    )


class GuidedRequest(ImageRequest):
    """What the models that are told what the picture shows take."""

    prompt: str = Field(min_length=1, max_length=PROMPT_MAX, description="What the picture shows.")
    negative_prompt: str | None = Field(
        "", max_length=PROMPT_MAX, description="What it shall not look like."
    )


class ConservativeUpscaleRequest(GuidedRequest):
    """4 megapixels, as near to the input as can be."""

    model: Literal["stability-upscale-conservative"]
    creativity: float | None = Field(0.35, ge=0.2, le=0.5, description="How much texture is made.")


class CreativeUpscaleRequest(GuidedRequest):
    """4 megapixels, with texture that the input does not show."""

    model: Literal["stability-upscale-creative"]
    creativity: float | None = Field(
        0.3, ge=0.1, le=0.5, description="How much is made that the input does not show."
    )
    style_preset: StylePreset | None = Field(None, description="A look.")


class FastUpscaleRequest(ImageRequest):
    """Four times as wide and as high, at once."""

    model: Literal["enlarger-fast"]
    prompt: str | None = Field(
        "", max_length=PROMPT_MAX, description="Allowed, because clients send one; changes nothing."
    )


AnyRequest = ConservativeUpscaleRequest | CreativeUpscaleRequest | FastUpscaleRequest
REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="model")])


class ImageData(BaseModel):
    """One result."""

    b64_json: str = Field(description="The picture in base64.")
    url: None = Field(description="Always null: the picture is in `b64_json`.")


class InputTokens(BaseModel):
    """Always 0."""

    text_tokens: Literal[0] = 0
    image_tokens: Literal[0] = 0


class ImageUsage(BaseModel):
    """What the request cost. Pictures are not paid by tokens: their counts are 0."""

    billed_amount: Amount = Field(description="What was really taken; 0 for a key for tests.")
    input_tokens: Literal[0] = 0
    output_tokens: Literal[0] = 0
    total_tokens: Literal[0] = 0
    input_tokens_details: InputTokens = InputTokens()


class ImageGeneration(BaseModel):
    """The enlarged picture."""

    created: int = Field(description="When it was done, in seconds since 1970.")
    data: list[ImageData] = Field(min_length=1, max_length=1)
    usage: ImageUsage


class ModelPrice(BaseModel):
    """What one result costs."""

    unit: Literal["image"] = "image"
    currency: Literal["USD"] = "USD"
    amount: Amount
    minimum_hold: Amount = Field(description="Set aside while the work is under way; all of the price.")
    up_to_pixels: int | None = Field(description="Holds for results of at most so many; null is any.")


class ModelRow(BaseModel):
    """One model that the key may use."""

    id: str
    object: Literal["model"] = "model"
    created: int = Field(description="When it was first on offer, in seconds since 1970.")
    owned_by: Literal["enlarger"] = "enlarger"
    modality: Literal["image"] = "image"
    provider: str = Field(LOCAL, description="Who makes the picture; usage says the same.")
    description: str
    prices: list[ModelPrice]


class ModelList(BaseModel):
    """What is on offer."""

    object: Literal["list"] = "list"
    data: list[ModelRow]


class UsageError(BaseModel):
    """Why there was no result."""

    code: str
    message: str


class UsageRow(BaseModel):
    """One accepted request that has ended, whichever door it came through."""

    id: str
    object: Literal["usage.request"] = "usage.request"
    request_id: str = Field(description="What the answer's `x-request-id` said.")
    key_id: str
    is_test: bool
    door: str = Field(description="The API that it came through.")
    operation: str = Field(description="What was asked for, in that API's terms.")
    model: str
    provider: str = Field(description="Who made the picture; the model's `provider` says the same.")
    stream: Literal[False] = False
    status: Literal["succeeded", "failed", "cancelled"]
    error: UsageError | None
    input_tokens: Literal[0] = 0
    output_tokens: Literal[0] = 0
    total_tokens: Literal[0] = 0
    input_width: int
    input_height: int
    output_width: int | None
    output_height: int | None
    price: Amount = Field(description="Set aside when it was accepted.")
    billed_amount: Amount = Field(description="What was taken; 0 unless it succeeded.")
    attempts: int
    latency_ms: int = Field(description="From acceptance to the end.")
    created_at: str = Field(description="ISO 8601, UTC.")
    finished_at: str


class RollupRow(BaseModel):
    """What one model came to in one hour or day, in UTC."""

    object: Literal["usage.rollup"] = "usage.rollup"
    period_type: Literal["day", "hour"]
    period_start: str = Field(description="ISO 8601.")
    model: str
    requests: int
    succeeded: int
    failed: int = Field(description="Those that were cancelled too.")
    input_tokens: Literal[0] = 0
    output_tokens: Literal[0] = 0
    total_tokens: Literal[0] = 0
    output_pixels: int
    billed_amount: Amount


class PageOf(BaseModel, Generic[Row]):
    """A page."""

    object: Literal["list"] = "list"
    data: list[Row]
    has_more: bool


class UsageRequestList(PageOf[UsageRow]):
    """A page of requests, the latest first."""


class UsageRollupList(PageOf[RollupRow]):
    """Sums, the earliest first."""


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="What happened, with the value and the limit, and what to do.")
    type: str
    code: str = Field(description="Stable.")
    param: str | None = Field(description="The field at fault, if one is.")


class ErrorResponse(BaseModel):
    """What every error looks like."""

    error: ErrorDetail


CHECKS = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQAAAACCEkxzAAAAF0lEQVR42mNg+A+FFDKoZAzDqHuG"
    "lHsA8wL/AYF093AAAAAASUVORK5CYII="
)
"""The smallest picture that every model takes: squares, so that the examples can be tried as they are."""
PICTURE = [{"type": "image_url", "image_url": {"url": CHECKS}}]
PROMPT = "A floor of black and white tiles, sharp edges."
EXAMPLES: dict[str, dict[str, Any]] = {
    "conservative": {
        "summary": "Keep the picture as it is",
        "value": {
            "model": "stability-upscale-conservative",
            "input_images": PICTURE,
            "prompt": PROMPT,
            "creativity": 0.35,
            "output_format": "png",
        },
    },
    "creative": {
        "summary": "Make what a poor picture does not show",
        "value": {
            "model": "stability-upscale-creative",
            "input_images": PICTURE,
            "prompt": PROMPT,
            "negative_prompt": "blurry",
            "creativity": 0.3,
            "style_preset": "photographic",
            "seed": 7,
        },
    },
    "fast": {
        "summary": "Four times as large, at once",
        "value": {"model": "enlarger-fast", "input_images": PICTURE},
    },
}


def request_body() -> tuple[dict[str, Any], dict[str, Any]]:
    """OpenAPI's description of the body that a route reads by itself, and the schemas that it names."""
    schema = REQUEST.json_schema(ref_template="#/components/schemas/{model}")
    definitions: dict[str, Any] = schema.pop("$defs")
    content = {"application/json": {"schema": schema, "examples": EXAMPLES}}
    return {"requestBody": {"required": True, "content": content}}, definitions
