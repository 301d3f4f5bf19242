"""Queries of lists: page sizes, tokens and filters."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from enlarger.assets import AssetFilter, AssetOrder
from enlarger.dialects.body import BadField
from enlarger.dialects.scenario.assets import DOOR
from enlarger.moment import ms_of

PAGE_SIZE, PAGE_SIZE_MAX = 50, 200
"""The vendor's page has at most 100; its Blender client asks for 200."""
NAMES_MAX = 100
"""Of one list of names. Each is a condition of a statement, and SQLite takes no thousand of them."""
NAME_MAX = 300
"""Characters of a name or an id in a query; SQLite looks for no text of 50,000."""
NOBODY = "nobody"
"""A door that has no assets."""
ESTIMATED = 269
"""The vendor's own status of a dry run; clients take every 2xx for success."""
Name = Annotated[str | None, Field(max_length=NAME_MAX)]


class CommonQuery(BaseModel):
    """What may be said of every request. Unknown parameters are ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    project_id: str | None = Field(None, description="Taken and not used: a key has one workspace.")
    original_assets: bool = Field(
        False,
        description="`url` always opens the file as it was uploaded or made, so this changes nothing.",
    )


class DryQuery(CommonQuery):
    """What may be said of a request that can be tried out."""

    dry_run: str | None = Field(
        None, description="Whatever its value: check everything, answer with the cost, and do nothing."
    )


class PageQuery(CommonQuery):
    """Which part of a list."""

    page_size: int = Field(PAGE_SIZE, ge=1, le=PAGE_SIZE_MAX)
    pagination_token: str | None = Field(None, description="`nextPaginationToken` of the page before.")


class AssetsQuery(PageQuery):
    """Which assets."""

    type: Name = None
    types: str | None = Field(None, description="Comma-separated; `type` is ignored beside it.")
    parent_asset_id: Name = None
    root_asset_id: Name = None
    model_id: Name = None
    author_id: Name = Field(None, description="The key that made it.")
    inference_id: Name = Field(None, description="The job that made it.")
    collection_id: str | None = Field(None, description="There are none.")
    tags: str | None = Field(None, description="Comma-separated; an asset must have all.")
    privacy: Literal["private", "public", "unlisted"] = "private"
    created_after: str | None = None
    created_before: str | None = None
    updated_after: str | None = None
    updated_before: str | None = None
    sort_by: Literal["createdAt", "updatedAt"] = "createdAt"
    sort_direction: Literal["asc", "desc"] = "desc"
    deleted: bool = Field(False, description="What is deleted is gone, so the list is empty.")

    @property
    def order(self) -> AssetOrder:
        """By which time the list is sorted."""
        return AssetOrder.UPDATED if self.sort_by == "updatedAt" else AssetOrder.CREATED

    @property
    def oldest_first(self) -> bool:
        """Whether the list begins with the oldest."""
        return self.sort_direction == "asc"

    @property
    def door(self) -> str:
        """Whose assets are listed: there are neither public ones, nor deleted ones, nor collections."""
        is_empty = self.privacy != "private" or self.deleted or self.collection_id is not None
        return NOBODY if is_empty else DOOR

    def choice(self) -> AssetFilter:
        """The filter. Raises BadParameter for a date that is none, BadField."""
        said = {
            "author": self.author_id,
            "modelId": self.model_id,
            "rootParentId": self.root_asset_id,
            "parentJobId": self.inference_id,
        }
        return AssetFilter(
            sources=types_of(self.type, self.types),
            parent_id=None if self.parent_asset_id is None else self.parent_asset_id.replace("\0", " "),
            tags=names_of(self.tags or "", "tags"),
            created_after_ms=moment_of(self.created_after, "createdAfter"),
            created_before_ms=moment_of(self.created_before, "createdBefore"),
            updated_after_ms=moment_of(self.updated_after, "updatedAfter"),
            updated_before_ms=moment_of(self.updated_before, "updatedBefore"),
            memo={name: (value,) for name, value in said.items() if value is not None},
        )


def types_of(one: str | None, several: str | None) -> tuple[str, ...] | None:
    """What `type` and `types` ask for together; None is everything. Raises BadField."""
    if several is not None:
        return names_of(several, "types")
    return None if one is None else (one.replace("\0", " "),)


def names_of(text: str, param: str) -> tuple[str, ...]:
    """The names in a comma-separated list, each once. Raises BadField for too many or too long ones."""
    names = dict.fromkeys(name.strip() for name in text.replace("\0", " ").split(","))
    names.pop("", None)
    if len(names) > NAMES_MAX:
        raise BadField(param, f"must have at most {NAMES_MAX} names, got {len(names)}")
    if any(len(name) > NAME_MAX for name in names):
        raise BadField(param, f"must be names of at most {NAME_MAX} characters")
    return tuple(names)


def moment_of(text: str | None, name: str) -> int | None:
    """Milliseconds since 1970 of a date. Raises BadParameter."""
    return None if text is None else ms_of(text, param=name)


def token_of(time_ms: int, row_id: str) -> str:
    """A token for what comes after this row; it is good even if the row is deleted meanwhile."""
    return base64.urlsafe_b64encode(f"{time_ms}/{row_id}".encode()).decode().rstrip("=")


def place_of(token: str | None) -> tuple[int, str] | None:
    """The inverse of `token_of`. Raises BadField."""
    if token is None:
        return None
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        time_ms, _, row_id = text.partition("/")
        if not time_ms.isdecimal() or len(time_ms) > 15 or not row_id or not row_id.isprintable():
            raise ValueError(token)
    except (binascii.Error, ValueError):
        raise BadField("paginationToken", f"is none of ours: {token[:60]!r}") from None
    return int(time_ms), row_id
