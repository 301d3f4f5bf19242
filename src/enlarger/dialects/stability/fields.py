"""Reads Stability's requests: the key, the multipart body, the wanted form of the answer."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TypeVar

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message, Receive

from enlarger.dialects.stability.errors import REQUEST_LIMIT_BYTES, BadField, PayloadTooLarge
from enlarger.errors import BadKey
from enlarger.faults import fault

MAX_FILES = 8
MAX_FIELDS = 64
MAX_FIELD_BYTES = 64 * 1024
"""A text field: prompts have at most 10,000 characters, which are at most 40,000 bytes."""

Choice = TypeVar("Choice", bound=StrEnum)


def read_secret(headers: Mapping[str, str]) -> str:
    """The key from `authorization`, with or without "Bearer ". Raises BadKey if there is none."""
    value = headers.get("authorization", "").strip()
    scheme, _, rest = value.partition(" ")
    secret = rest.strip() if scheme.lower() == "bearer" else value
    if not secret or secret.lower() == "bearer":
        raise BadKey
    return secret


def wants_json(accept: str | None) -> bool:
    """Whether `application/json` ranks best among the accepted types; nothing is ever refused.

    The rank is the q value, then the order of mention. No header means bytes.
    """
    ranked: list[tuple[float, int, str]] = []
    for order, entry in enumerate((accept or "").split(",")):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if quality > 0 and math.isfinite(quality):
            ranked.append((-quality, order, media_type))
    return bool(ranked) and min(ranked)[2] == "application/json"


def announced_bytes(headers: Mapping[str, str]) -> int:
    """How long the body is, or may be at most if the request does not say. Raises PayloadTooLarge."""
    announced = headers.get("content-length", "")
    # Beside a transfer encoding, a length says nothing (RFC 9112, 6.3).
    if not announced.isdecimal() or "transfer-encoding" in headers:
        return REQUEST_LIMIT_BYTES
    if int(announced) > REQUEST_LIMIT_BYTES:
        raise PayloadTooLarge
    return int(announced)


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The multipart body, at most 10 MiB of it; its files are closed when the block ends.

    Raises BadField if the body is not multipart, PayloadTooLarge as soon as the limit is passed.
    """
    content_type = request.headers.get("content-type")
    if not content_type:
        raise BadField("content-type", "is required")
    if content_type.partition(";")[0].strip().lower() != "multipart/form-data":
        raise BadField("content-type", f"must be multipart/form-data, got {content_type[:100]!r}")
    limited = Request(request.scope, receive=_limit(request.receive, REQUEST_LIMIT_BYTES))
    async with limited.form(
        max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
    ) as form:
        yield form


async def read_image(form: FormData) -> bytes:
    """The bytes of the `image` part, whatever its name and declared type. Raises BadField."""
    part = form.get("image")
    if part is None or part == "":
        raise BadField("image", "is required")
    if not isinstance(part, UploadFile):
        raise BadField("image", "must be a file, sent with a filename")
    data = await part.read()
    if not data:
        raise BadField("image", "is empty")
    return data


async def contents(form: FormData) -> list[tuple[str, bytes]]:
    """Every part of the form with its name, files too."""
    parts = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            await value.seek(0)
            parts.append((name, await value.read()))
        else:
            parts.append((name, value.encode()))
    return parts


def read_choice(form: FormData, field: str, choices: Sequence[Choice]) -> Choice:
    """An enum field, the first of `choices` where it is absent. Raises BadField listing them."""
    value = form.get(field)
    if value is None:
        return choices[0]
    for choice in choices:
        if value == choice:
            return choice
    expected = " | ".join(f"'{choice}'" for choice in sorted(choices))
    raise BadField(field, f"invalid enum value. Expected {expected}")


def _limit(receive: Receive, limit_bytes: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        if received:
            fault("api.mid_upload")
        received += len(message.get("body", b""))
        if received > limit_bytes:
            raise PayloadTooLarge
        return message

    return limited
