"""Uploads in parts with the pictures in either kind of store."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from enlarger.imaging import Header, probe
from enlarger.service import NewAsset, NewUpload, Uploading
from enlarger.storage import Links, ObjectStore
from tests.support.desk import Desk
from tests.support.photos import crop, encoded


async def examine(picture: bytes) -> Header:
    return probe(picture)


@contextlib.asynccontextmanager
async def admit(size_bytes: int) -> AsyncIterator[None]:
    yield


def test_parts_are_joined_and_gone(desk: Desk, store: ObjectStore, tmp_path: Path) -> None:
    caller = desk.caller()
    picture = encoded(crop("coffee", 64, 48))
    uploads = Uploading(desk.engine, store, Links(tmp_path / "keys"), examine=examine, admit=admit)
    new = NewUpload(
        id="upload_1",
        asset=NewAsset(id="asset_1", door="test", name=""),
        file_name="",
        media_type="image/png",
        size_bytes=len(picture),
        part_count=2,
    )

    async def send() -> None:
        upload = await uploads.begin(caller, new)
        links = await uploads.links(upload, "http://here.example")
        # Not to the bucket: the parts' sizes are ours to check.
        assert all(link.url.startswith("http://here.example/files/uploads/upload_1/") for link in links)
        for number, piece in ((2, picture[1000:]), (1, b"wrong"), (1, picture[:1000])):
            part = tmp_path / "part"
            part.write_bytes(piece)
            await uploads.put(upload, number, part, len(piece))
            part.unlink()
        assert (await uploads.complete(caller, "upload_1")).state == "imported"

    asyncio.run(send())
    [kept] = store.list("ws")
    assert store.read(kept.key) == picture
