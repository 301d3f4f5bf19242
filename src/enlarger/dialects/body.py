"""Bodies of requests, read within limits: what every door needs that takes forms or JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from enum import StrEnum
from typing import Any, TypeVar

import msgspec
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Message, Receive

from enlarger.faults import fault
from enlarger.request import PROMPT_MAX

MAX_FILES = 8
MAX_FIELDS = 64
MAX_FIELD_BYTES = 64 * 1024
"""A text field: prompts have at most 10,000 characters, which are at most 40,000 bytes."""
NAME_MAX = 60
"""Characters of a field's name that a complaint repeats."""
MAX_VALUES = 32_768
"""In JSON, all levels together: what is decoded of a short `[],[],...` has twenty times its bytes, and a
complaint about every unknown member a hundred times. Two prompts of nothing but commas pass."""

Choice = TypeVar("Choice", bound=StrEnum)


class BadField(Exception):
    """A field of the request is wrong; each door says it in its vendor's shape, as a 400."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class PayloadTooLarge(Exception):
    """The body is larger than the door takes; becomes a 413."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"the body is larger than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes


def announced_bytes(headers: Mapping[str, str], limit_bytes: int) -> int:
    """How long the body is, or may be at most if the request does not say. Raises PayloadTooLarge."""
    announced = headers.get("content-length", "")
    # Beside a transfer encoding, a length says nothing (RFC 9112, 6.3).
    if not announced.isdecimal() or "transfer-encoding" in headers:
        return limit_bytes
    if int(announced) > limit_bytes:
        raise PayloadTooLarge(limit_bytes)
    return int(announced)


@asynccontextmanager
async def read_form(request: Request, limit_bytes: int) -> AsyncIterator[FormData]:
    """The multipart body, at most `limit_bytes` of it; its files are closed when the block ends.

    Raises BadField if the body is not multipart, PayloadTooLarge as soon as the limit is passed.
    """
    _check_type(request.headers, "multipart/form-data")
    limited = Request(request.scope, receive=_limit(request.receive, limit_bytes))
    async with aclosing(limited.stream()) as stream:
        parser = _Parser(
            request.headers,
            stream,
            max_files=MAX_FILES,
            max_fields=MAX_FIELDS,
            max_part_size=MAX_FIELD_BYTES,
        )
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise HTTPException(400, error.message) from None
    try:
        yield form
    finally:
        await form.close()


async def read_json(request: Request, limit_bytes: int) -> bytes:
    """The bytes of a body that says that it is JSON, safe to decode. Raises BadField, PayloadTooLarge."""
    _check_type(request.headers, "application/json")
    data = await Request(request.scope, receive=_limit(request.receive, limit_bytes)).body()
    await asyncio.to_thread(_check_values, data)
    return data


def read_object(data: bytes) -> dict[str, Any]:
    """A body that is a JSON object. Raises BadField."""
    try:
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        raise BadField("body", f"is no JSON: {str(error)[:100]}") from None
    if not isinstance(value, dict):
        raise BadField("body", "must be a JSON object")
    return value


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


class _Parser(MultiPartParser):
    """Starlette's, which says of a text that is too long neither its field nor what is wrong with it."""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._current_part
        if part.file is None and len(part.data) + end - start > self.max_part_size:
            raise BadField(
                part.field_name[:NAME_MAX],
                f"is text of more than {MAX_FIELD_BYTES} bytes; a prompt may have {PROMPT_MAX} characters,"
                " and a picture must be a file, sent with a filename",
            )
        super().on_part_data(data, start, end)


def _check_type(headers: Mapping[str, str], wanted: str) -> None:
    content_type = headers.get("content-type")
    if not content_type:
        raise BadField("content-type", "is required")
    if content_type.partition(";")[0].strip().lower() != wanted:
        raise BadField("content-type", f"must be {wanted}, got {content_type[:100]!r}")


def _check_values(data: bytes) -> None:
    """Every value but the first stands behind a comma or a bracket; those within texts count too."""
    if sum(data.count(one) for one in (b",", b"[", b"{")) > MAX_VALUES:
        raise BadField("body", f"must have at most {MAX_VALUES} values, counted by commas and brackets")


def _limit(receive: Receive, limit_bytes: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        if received:
            fault("api.mid_upload")
        received += len(message.get("body", b""))
        if received > limit_bytes:
            raise PayloadTooLarge(limit_bytes)
        return message

    return limited
