"""The bodies of 1min.ai's API, for OpenAPI; the members' names are the vendor's."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from enlarger.dialects.openapi import errors


class Body(BaseModel):
    """A body that has these members and no other."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class AssetMetadata(Body):
    """What an object says of its upload."""

    team_id: str = Field(alias="team-id")
    user_id: str = Field(alias="user-id")
    fieldname: Literal["asset"]
    originalname: str
    encoding: Literal["7bit"]
    mimetype: str


class UploadedAsset(Body):
    """The uploaded object."""

    fieldname: Literal["asset"]
    originalname: str
    encoding: Literal["7bit"]
    mimetype: str = Field(description="By the picture's content.")
    size: int = Field(description="Bytes.")
    bucket: str
    key: str = Field(description="What a feature's `imageUrl` takes.")
    acl: Literal["private"]
    content_type: str
    content_disposition: None
    content_encoding: None
    storage_class: str
    server_side_encryption: None
    metadata: AssetMetadata
    location: str = Field(description="Opens the picture for a week.")
    etag: str


class FileContent(Body):
    """The same as the vendor's file list has it."""

    uuid: str
    path: str = Field(description="The asset's key.")
    type: str = Field(description="`png`, `jpeg` or `webp`.")
    name: str
    size: int


class AssetResponse(Body):
    """An upload."""

    asset: UploadedAsset
    file_content: FileContent


class TeamUser(Body):
    """The key as a member of its team."""

    team_id: str
    user_id: str
    user_name: str
    user_avatar: str
    status: Literal["ACTIVE"]
    role: Literal["ADMIN"]
    credit_limit: int = Field(
        description="The key's spend cap in micro-credits; without one 100000000, or what it has spent and"
        " may spend together, if that is more."
    )
    used_credit: int = Field(description="Micro-credits that the key has spent.")
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str


class AiRecordDetail(Body):
    """What was asked for, and what came of it."""

    prompt_object: dict[str, Any]
    result_object: list[str] = Field(description="Keys of the results, which are assets.")
    response_object: dict[str, Any]
    signed_urls: list[str] = Field(
        description="Opens each of the results for a week, without a key; in the order of `resultObject`."
    )


class AiRecord(Body):
    """A request that was served."""

    uuid: str
    user_id: str
    team_id: str
    team_user: TeamUser
    model: str
    type: Literal["IMAGE_UPSCALER"]
    metadata: None
    rating: None
    feedback: None
    conversation_id: None
    status: Literal["SUCCESS"]
    created_at: str
    ai_record_detail: AiRecordDetail
    additional_data: None
    temporary_url: str = Field(description="Opens the first result for a week, without a key.")


class FeatureResponse(Body):
    """The record of a request."""

    ai_record: AiRecord


class Subscription(Body):
    """A team's plan."""

    plan: str


class Team(Body):
    """A workspace."""

    uuid: str
    name: str
    credit: int = Field(description="Micro-credits that it may spend.")
    subscription: Subscription


class TeamMembership(Body):
    """A team that a user is in."""

    team: Team


class User(Body):
    """A key, as a user."""

    uuid: str
    email: str
    teams: list[TeamMembership]


class UserResponse(Body):
    """Who a key belongs to."""

    user: User


class CreditResponse(Body):
    """What a team may spend."""

    credit: int = Field(description="Micro-credits; below zero only where credit is unlimited.")


class MembersResponse(Body):
    """The members of a team."""

    members: list[TeamUser]


class Model(Body):
    """A model that is on offer."""

    model_id: str
    name: str
    provider: str
    features: list[str]
    credit_metadata: dict[str, Any] = Field(
        description="By feature: micro-credits for one result, by its size."
    )
    modality: dict[str, list[str]]


class ModelsResponse(Body):
    """The models of a feature."""

    models: list[Model]


class ErrorDetail(Body):
    """A field that is wrong."""

    field: str
    message: str


class ErrorBody(Body):
    """An error, as some clients read it."""

    message: str
    code: str
    details: list[ErrorDetail]


class ErrorResponse(Body):
    """What every error looks like."""

    message: str
    code: str = Field(description="Kind of error, stable.")
    error: ErrorBody


STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 415, 422, 429, 500, 503, 504)
ERRORS = errors(ErrorResponse, STATUSES)

ASSET_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "title": "AssetUpload",
                    "required": ["asset"],
                    "properties": {
                        "asset": {
                            "type": "string",
                            "format": "binary",
                            "description": "A PNG, JPEG or WebP of at most 52,428,800 bytes.",
                        },
                        "type": {"type": "string", "description": "Ignored."},
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "title": "AssetFromUrl",
                    "required": ["fileUrl"],
                    "properties": {
                        "fileUrl": {"type": "string", "format": "uri"},
                        "type": {"type": "string", "description": "Ignored."},
                    },
                },
                "example": {"fileUrl": "https://example.com/cat.png", "type": "IMAGE"},
            },
        },
    }
}

SOURCE: dict[str, Any] = {
    "imageUrl": {
        "type": "string",
        "description": "An asset's key; or a URL, where the server fetches any.",
    },
    "imageList": {
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": {"type": "string"},
        "description": "The same in the place of `imageUrl`, as the web client sends it.",
    },
}
NAMED: list[dict[str, Any]] = [{"required": ["imageUrl"]}, {"required": ["imageList"]}]
"""A picture has to be named, in either way."""
STABLE_IMAGE: dict[str, Any] = {
    "type": "object",
    "title": "StableImagePrompt",
    "anyOf": NAMED,
    "properties": {
        **SOURCE,
        "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"], "default": "png"},
        "scale": {"type": "integer", "enum": [2, 4], "default": 4},
    },
}
PERCENT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 100, "default": 50}
IDEOGRAM: dict[str, Any] = {
    "type": "object",
    "title": "Ideogram3Prompt",
    "required": ["num_images"],
    "anyOf": NAMED,
    "properties": {
        **SOURCE,
        "num_images": {"type": "integer", "minimum": 1, "maximum": 8},
        "prompt": {"type": "string", "maxLength": 10_000},
        "magic_prompt_option": {"type": "string", "enum": ["AUTO", "ON", "OFF"], "default": "AUTO"},
        "resemblance": PERCENT,
        "detail": PERCENT,
        "seed": {"type": "integer", "minimum": 0, "maximum": 2_147_483_647},
    },
}
FEATURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "title": "FeatureRequest",
                    "required": ["type", "model", "promptObject"],
                    "properties": {
                        "type": {"type": "string", "enum": ["IMAGE_UPSCALER"]},
                        "model": {"type": "string", "enum": ["stable-image", "ideogram-3"]},
                        "conversationId": {"type": "string", "description": "Ignored."},
                        "promptObject": {"anyOf": [STABLE_IMAGE, IDEOGRAM]},
                    },
                },
                "examples": {
                    "stable-image": {
                        "summary": "Four times as wide and as high",
                        "value": {
                            "type": "IMAGE_UPSCALER",
                            "model": "stable-image",
                            "promptObject": {
                                "imageUrl": "images/2026_03_01_12_00_00_100_cat.png",
                                "output_format": "png",
                            },
                        },
                    },
                    "ideogram-3": {
                        "summary": "Twice as wide and as high, with texture that is made",
                        "value": {
                            "type": "IMAGE_UPSCALER",
                            "model": "ideogram-3",
                            "promptObject": {
                                "imageUrl": "images/2026_03_01_12_00_00_100_cat.png",
                                "num_images": 1,
                                "prompt": "a cat in warm light",
                            },
                        },
                    },
                },
            }
        },
    }
}
