"""Assets: found by their workspace alone, paged, tagged, gone when their time is over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from enlarger.assets import Asset, Assets
from enlarger.errors import BadParameter, NotFound
from tests.support.desk import Desk


def asset(workspace_id: str, number: int, **changes: Any) -> Asset:
    values: dict[str, Any] = {
        "id": f"asset_{number}",
        "workspace_id": workspace_id,
        "door": "test",
        "object_key": f"ws/{workspace_id}/assets/{number}.png",
        "name": f"picture {number}",
        "media_type": "image/png",
        "size_bytes": 10,
        "width": 4,
        "height": 3,
        "source": "upload",
        "created_ms": 1000 + number // 2,
        "memo": {"a": [1]},
    }
    return Asset(**values | changes)


@pytest.fixture
def mine(desk: Desk) -> str:
    return desk.accounts.workspaces.get("default").id


@pytest.fixture
def theirs(desk: Desk) -> str:
    return desk.accounts.workspaces.create("theirs").id


def test_an_asset_is_its_workspaces_alone(desk: Desk, mine: str, theirs: str) -> None:
    assets = Assets(desk.engine)
    kept = asset(mine, 1, tags=("a", 'b"c'))
    assets.add(kept)
    assert assets.get("asset_1", mine) == kept
    with pytest.raises(NotFound, match="asset_1"):
        assets.get("asset_1", theirs)
    with pytest.raises(NotFound):
        assets.change("asset_1", theirs, lambda asset: replace(asset, name="stolen"))
    assert assets.remove(["asset_1"], theirs) == []
    assert assets.page(theirs).assets == ()
    assert assets.remove(["asset_1", "asset_2"], mine) == [kept]
    assert assets.get_many(["asset_1"], mine) == []


def test_pages_meet_without_gap_or_overlap(desk: Desk, mine: str) -> None:
    assets = Assets(desk.engine)
    for number in range(7):
        assets.add(asset(mine, number))
    seen: list[str] = []
    while True:
        page = assets.page(mine, limit=3, after=seen[-1] if seen else None)
        seen += [one.id for one in page.assets]
        if not page.has_more:
            break
    assert seen == [f"asset_{number}" for number in reversed(range(7))]
    assert [one.id for one in assets.get_many(["asset_5", "nothing", "asset_0"], mine)] == [
        "asset_5",
        "asset_0",
    ]


def test_tags_are_found_whole(desk: Desk, mine: str) -> None:
    assets = Assets(desk.engine)
    for number, tags in enumerate([("cat",), ("cats",), ('c"at%_',), ()]):
        assets.add(asset(mine, number, tags=tags))
    assert [one.id for one in assets.page(mine, tag="cat").assets] == ["asset_0"]
    assert [one.id for one in assets.page(mine, tag='c"at%_').assets] == ["asset_2"]
    assert assets.page(mine, tag="Cat").assets == (), "to the letter, whatever the database"
    changed = assets.change(
        "asset_3", mine, lambda asset: replace(asset, tags=("cat", "cat", "dog"), name="")
    )
    assert assets.get("asset_3", mine) == changed
    assert (changed.tags, changed.name) == (("cat", "dog"), "")
    assert len(assets.page(mine, tag="cat").assets) == 2
    for wrong in ([""], ["x" * 101], [str(number) for number in range(101)]):
        with pytest.raises(BadParameter, match="tags"):
            assets.change("asset_3", mine, partial(replace, tags=wrong))
    with pytest.raises(BadParameter, match="name"):
        assets.change("asset_3", mine, lambda asset: replace(asset, name="x" * 501))
    assert assets.get("asset_3", mine) == changed


def test_a_change_waits_for_the_one_before(desk: Desk, mine: str) -> None:
    assets = Assets(desk.engine)
    assets.add(asset(mine, 1))

    def add(tag: str) -> Asset:
        return assets.change("asset_1", mine, lambda asset: replace(asset, tags=(*asset.tags, tag)))

    with ThreadPoolExecutor(1) as pool:

        def slow(asset: Asset) -> Asset:
            other = pool.submit(add, "second")
            with pytest.raises(TimeoutError):
                other.result(0.2)
            return replace(asset, tags=(*asset.tags, "first"))

        assets.change("asset_1", mine, slow)
    assert assets.get("asset_1", mine).tags == ("first", "second")


def test_an_asset_whose_time_is_over_is_not_there(desk: Desk, mine: str) -> None:
    now = 5000
    assets = Assets(desk.engine, lambda: now)
    assets.add(asset(mine, 1, expires_ms=5001))
    assert assets.get("asset_1", mine).expires_ms == 5001
    now = 5001
    with pytest.raises(NotFound):
        assets.get("asset_1", mine)
    assert assets.page(mine).assets == ()
