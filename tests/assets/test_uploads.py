"""Pictures that arrive in parts: rows, links, and what goes away by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from enlarger.assets import Asset, Assets, Part, Upload, Uploads, UploadState
from enlarger.database import now_ms
from enlarger.errors import AssetExists, NotFound, PictureTooLarge, TooManyUploads, UnsupportedPicture
from enlarger.jobs.expiry import ORPHAN_AGE_MS, expire_uploads, sweep_orphans
from enlarger.storage import ObjectStore, open_store
from tests.support.desk import DAY_MS, Desk


def upload(workspace_id: str, number: int = 1, **changes: Any) -> Upload:
    values: dict[str, Any] = {
        "id": f"upload_{number}",
        "workspace_id": workspace_id,
        "door": "test",
        "file_name": "a cup.png",
        "media_type": "image/png",
        "size_bytes": 100,
        "part_count": 3,
        "asset": {"id": f"asset_{number}", "tags": ["a"]},
        "expires_ms": now_ms() + DAY_MS,
    }
    return Upload(**values | changes)


def asset(of: Upload) -> Asset:
    return Asset(
        id=of.asset_id,
        workspace_id=of.workspace_id,
        door="test",
        object_key=f"ws/{of.workspace_id}/assets/x.png",
        name="x",
        media_type="image/png",
        size_bytes=100,
        width=4,
        height=3,
        source="upload",
    )


@pytest.fixture
def mine(desk: Desk) -> str:
    return desk.accounts.workspaces.get("default").id


def keys(objects: ObjectStore) -> set[str]:
    return {one.key for one in objects.list("ws")}


def test_parts_come_in_any_order_and_the_last_one_of_a_number_counts(desk: Desk, mine: str) -> None:
    uploads = Uploads(desk.engine)
    begun = upload(mine)
    uploads.begin(begun, 20)
    assert uploads.get("upload_1", mine) == begun
    assert begun.missing == (1, 2, 3)
    for number, size in ((3, 20), (1, 40)):
        assert uploads.put("upload_1", Part(number, f"ws/p/{number}", size)) is None
    assert uploads.put("upload_1", Part(3, "ws/p/3b", 30)) == "ws/p/3"
    with pytest.raises(PictureTooLarge, match="part 2 may have at most 30 bytes: 100 were announced"):
        uploads.put("upload_1", Part(2, "ws/p/2", 31))
    now = uploads.get("upload_1", mine)
    assert now.parts == (Part(1, "ws/p/1", 40), Part(3, "ws/p/3b", 30))
    assert (now.missing, now.room_for(2), now.room_for(3)) == ((2,), 30, 60)


def test_an_upload_ends_once(desk: Desk, mine: str) -> None:
    uploads = Uploads(desk.engine)
    begun = upload(mine)
    uploads.begin(begun, 20)
    uploads.put("upload_1", Part(1, "ws/p/1", 40))
    ended, left = uploads.finish(begun, asset(begun))
    assert (ended.state, ended.parts, left) == (UploadState.IMPORTED, (), ["ws/p/1"])
    assert Assets(desk.engine).get("asset_1", mine).name == "x"
    again, left = uploads.finish(begun, asset(begun))
    assert (again, left) == (ended, [f"ws/{mine}/assets/x.png"]), "the second picture is nobody's"
    assert uploads.finish(begun, UnsupportedPicture("no")) == (ended, [])
    with pytest.raises(NotFound):
        uploads.put("upload_1", Part(2, "ws/p/2", 1))
    other = upload(mine, 2, asset={"id": "asset_1", "tags": []})
    uploads.begin(other, 20)
    with pytest.raises(AssetExists, match="asset_1"):
        uploads.finish(other, asset(other))
    assert uploads.get("upload_2", mine).state == UploadState.PENDING, "nothing of it was kept"


def test_an_upload_is_its_workspaces_alone_and_there_are_not_too_many(desk: Desk, mine: str) -> None:
    uploads = Uploads(desk.engine)
    theirs = desk.accounts.workspaces.create("theirs").id
    for number in (1, 2):
        uploads.begin(upload(mine, number), 2)
    with pytest.raises(TooManyUploads, match="has 2 uploads under way"):
        uploads.begin(upload(mine, 3), 2)
    uploads.begin(upload(theirs, 4), 2)
    with pytest.raises(NotFound):
        uploads.get("upload_1", theirs)
    uploads.finish(upload(mine, 1), UnsupportedPicture("no"))
    uploads.begin(upload(mine, 3), 2)


def test_what_was_never_completed_goes_after_a_day_and_not_before(
    desk: Desk, mine: str, tmp_path: Path
) -> None:
    objects = open_store((tmp_path / "objects").as_uri())
    uploads = Uploads(desk.engine)
    begun = upload(mine)
    uploads.begin(begun, 20)
    done = upload(mine, 2)
    uploads.begin(done, 20)
    uploads.finish(done, asset(done))
    for key in ("ws/p/1", "ws/p/lost", f"ws/{mine}/assets/x.png"):
        objects.create(key, b"part")
    uploads.put("upload_1", Part(1, "ws/p/1", 4))
    assert sweep_orphans(desk.engine, objects, lambda: now_ms() + ORPHAN_AGE_MS + 10_000) == 1
    assert keys(objects) == {"ws/p/1", f"ws/{mine}/assets/x.png"}, "a part that a row speaks of stays"
    assert expire_uploads(desk.engine, objects, lambda: now_ms() + DAY_MS - 10_000) == 0
    late = Uploads(desk.engine, lambda: now_ms() + DAY_MS + 10_000)
    with pytest.raises(NotFound):
        late.get("upload_1", mine)
    with pytest.raises(NotFound):
        late.put("upload_1", Part(2, "ws/p/2", 1))
    late.begin(upload(mine, 5, expires_ms=now_ms() + 3 * DAY_MS), 1)
    assert expire_uploads(desk.engine, objects, lambda: now_ms() + DAY_MS + 10_000) == 2
    assert keys(objects) == {f"ws/{mine}/assets/x.png"}, "and so does what became an asset"
    assert desk.rows("SELECT * FROM upload_parts") == []
    assert [row.id for row in desk.rows("SELECT id FROM uploads")] == ["upload_5"]
