"""The bodies of Scenario's API, for OpenAPI; the names are those of the vendor's own client."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Status = Literal[
    "pending", "queued", "warming-up", "in-progress", "finalizing", "success", "failure", "canceled"
]


class Shape(BaseModel):
    """Members in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ErrorResponse(Shape):
    """What every error looks like."""

    reason: str = Field(description="What is wrong, with the field, the value and the limit.")
    message: str = Field(description="The same.")
    error: str = Field(description="The status in words.")
    code: str = Field(description="Kind of error, stable.")
    trace_id: str = Field(alias="trace_id", description="Names this request in the server's log.")
    remaining_seconds: int | None = Field(None, description="With a 429: how long to wait.")
    details: dict[str, Any] | None = Field(None, description="With a 429: `actionName`, `actionLimit`.")


class Empty(Shape):
    """Nothing to say but that it is done."""


class AssetProperties(Shape):
    """The picture's own."""

    size: int = Field(description="Bytes.")
    width: int
    height: int


class AssetMetadata(Shape):
    """Where an asset comes from; a result's has the parameters that it was made with."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    kind: Literal["image"]
    type: str = Field(description="`uploaded`, `upscale`, `upscale-skybox`, `upscale-texture`, `unknown`.")
    name: str
    width: int
    height: int
    parent_id: str | None = None
    root_parent_id: str | None = None
    parent_job_id: str | None = None
    model_id: str | None = None
    scaling_factor: float | None = None
    preset: str | None = None
    style: str | None = None
    seed: str | None = None
    creativity: float | None = None


class Asset(Shape):
    """A picture that is kept until it is deleted."""

    id: str
    author_id: str
    owner_id: str
    collection_ids: list[str]
    created_at: str
    updated_at: str
    edit_capabilities: list[str]
    kind: Literal["image"]
    metadata: AssetMetadata
    mime_type: str
    privacy: Literal["private"]
    properties: AssetProperties
    source: str
    status: Literal["success"]
    tags: list[str]
    url: str = Field(description="Signed; fetched without a key, for a week.")
    nsfw: list[str]
    is_hidden: bool
    output_index: int | None = None
    description: str | None = None


class AssetResponse(Shape):
    """One asset."""

    asset: Asset


class AssetsResponse(Shape):
    """Several assets."""

    assets: list[Asset]


class AssetListResponse(AssetsResponse):
    """A page of assets."""

    next_pagination_token: str | None = None


class AssetUpdateTagsResponse(Shape):
    """What was changed."""

    added: list[str]
    deleted: list[str]


class UploadPart(Shape):
    """Where a part goes to."""

    number: int
    url: str = Field(description="Signed, for PUT; no key is needed.")
    expires: str


class UploadAssetOptions(Shape):
    """What the asset of an upload is to have."""

    hide: bool
    parent_id: str | None
    collection_ids: list[str]


class Upload(Shape):
    """A picture that arrives in parts, or that was fetched."""

    id: str
    author_id: str
    owner_id: str
    created_at: str
    updated_at: str
    file_name: str
    original_file_name: str
    file_size: int
    content_type: str
    kind: Literal["image"]
    source: Literal["multipart", "url"]
    status: Literal["pending", "imported", "failed"]
    job_id: str = Field(description="Of a job whose `metadata.output.entityId` is the asset in the end.")
    parts_count: int
    parts: list[UploadPart] = Field(description="Empty once the upload has ended.")
    asset_options: UploadAssetOptions
    entity_id: str | None = Field(None, description="The asset, once it is imported.")
    error_message: str | None = Field(None, description="Why it failed.")


class UploadResponse(Shape):
    """One upload."""

    upload: Upload


class JobMetadata(Shape):
    """What a job was asked, and what it made."""

    asset_ids: list[str]
    input: dict[str, Any]
    error: str | None = None
    hint: str | None = None
    output: dict[str, Any] | None = None


class JobStatusHistory(Shape):
    """When a job came to a status."""

    status: Status
    date: str


class JobBilling(Shape):
    """What a job costs, in creative units."""

    cu_cost: float = Field(description="As charged first; a job that failed was given it back.")
    cu_discount: float


class Job(Shape):
    """A job."""

    job_id: str
    job_type: str
    status: Status
    progress: float = Field(ge=0, le=1)
    metadata: JobMetadata
    status_history: list[JobStatusHistory]
    created_at: str
    updated_at: str
    author_id: str
    owner_id: str
    billing: JobBilling


class JobResponse(Shape):
    """One job."""

    job: Job


class JobListResponse(Shape):
    """A page of jobs."""

    jobs: list[Job]
    next_pagination_token: str | None = None


class Estimate(Shape):
    """What a request costs; the answer of a dry run, with status 269."""

    creative_units_cost: float
    creative_units_discount: float
    cost_details: dict[str, float]


class GenerateRunModelResponse(Estimate):
    """A job that has begun."""

    job: Job


class Model(Shape):
    """A model; `inputs` and `uiConfig` only where one is asked for by its id."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    id: str
    name: str
    capabilities: list[str]
    collection_ids: list[str]
    created_at: str
    updated_at: str
    custom: bool
    example_asset_ids: list[str]
    privacy: Literal["public"]
    source: Literal["scenario"]
    status: Literal["trained"]
    tags: list[str]
    training_images_number: int
    type: Literal["custom"]
    inputs: list[dict[str, Any]] | None = None


class ModelRetrieveResponse(Shape):
    """One model."""

    model: Model


class MinimalModel(Shape):
    """A model where `minimal` is asked for."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    id: str
    name: str
    type: Literal["custom"]


class ModelGetBulkResponse(Shape):
    """Several models."""

    models: list[Model | MinimalModel]


class ModelListResponse(Shape):
    """A page of models."""

    models: list[Model]
    next_pagination_token: str | None = None
