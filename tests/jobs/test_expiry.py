"""What goes away by itself, and what must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.assets import Assets
from enlarger.database import now_ms, write
from enlarger.errors import NotFound
from enlarger.jobs import idempotency
from enlarger.jobs.expiry import (
    ORPHAN_AGE_MS,
    expire_answers,
    expire_assets,
    expire_pictures,
    sweep_orphans,
)
from enlarger.jobs.idempotency import KeptAnswer
from enlarger.jobs.submission import DoorTerms, ResultAsset
from enlarger.storage import ObjectStore, open_store
from tests.support.desk import DAY_MS, OUTCOME, Desk


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    return open_store((tmp_path / "objects").as_uri())


def keys(objects: ObjectStore) -> set[str]:
    return {one.key for one in objects.list("ws")}


def test_pictures_go_a_day_after_the_end_and_not_before(desk: Desk, objects: ObjectStore) -> None:
    caller = desk.caller()
    for key in ("ws/a/inputs/b", OUTCOME.result_key, "ws/a/inputs/c"):
        objects.create(key, b"picture")
    done = desk.submit(caller)
    waiting = desk.submit(caller, input_key="ws/a/inputs/c")
    desk.run(done.job_id)
    assert expire_pictures(desk.engine, objects, lambda: now_ms() + DAY_MS - 10_000) == 0
    assert len(keys(objects)) == 3
    assert expire_pictures(desk.engine, objects, lambda: now_ms() + DAY_MS + 10_000) == 1
    assert keys(objects) == {"ws/a/inputs/c"}, "a job under way keeps its picture"
    assert expire_pictures(desk.engine, objects, lambda: now_ms() + DAY_MS + 10_000) == 0
    assert desk.jobs.get(done.job_id).outcome == OUTCOME
    assert desk.jobs.get(waiting.job_id).expires_ms is None


def test_answers_go_with_their_keys(desk: Desk, objects: ObjectStore) -> None:
    caller = desk.caller()
    desk.submit(caller, key_hash="k" * 64)
    objects.create("ws/a/answers/x", b"a long body")
    with write(desk.engine) as connection:
        answer = KeptAnswer(200, (), None, "ws/a/answers/x")
        assert idempotency.keep_answer(connection, caller.workspace.id, "upscale/fast", "k" * 64, answer)
    assert expire_answers(desk.engine, objects, lambda: now_ms() + DAY_MS - 10_000) == 0
    assert expire_answers(desk.engine, objects, lambda: now_ms() + DAY_MS + 10_000) == 1
    assert keys(objects) == set()
    assert desk.rows("SELECT * FROM idempotency") == []


def test_a_result_that_became_an_asset_stays_as_long_as_the_asset(desk: Desk, objects: ObjectStore) -> None:
    caller = desk.caller()
    styles = ("ws/a/inputs/b-style-0", "ws/a/inputs/b-style-1")
    for key in ("ws/a/inputs/b", *styles, OUTCOME.result_key):
        objects.create(key, b"picture")
    wanted = ResultAsset(id="asset_1", name="big", source="upscale", parent_id="asset_0", memo={"seed": 1})
    terms = DoorTerms(alias="job_1", memo={"project": "p"}, keep_ms=1000, asset=wanted)
    ticket = desk.submit(caller, terms=terms, style_keys=styles)
    assets = Assets(desk.engine)
    assert assets.page(caller.workspace.id).assets == (), "there is none before the job has succeeded"
    assert sweep_orphans(desk.engine, objects, lambda: now_ms() + ORPHAN_AGE_MS + 10_000) == 1
    objects.create(OUTCOME.result_key, b"picture")
    desk.run(ticket.job_id)
    job = desk.jobs.by_alias("job_1", caller.workspace.id)
    assert (job.id, job.memo, job.style_keys) == (ticket.job_id, {"project": "p"}, styles)
    with pytest.raises(NotFound):
        desk.jobs.by_alias("job_1", "ws_other")
    asset = assets.get("asset_1", caller.workspace.id)
    assert (asset.object_key, asset.parent_id, asset.memo, asset.job_id, asset.width) == (
        OUTCOME.result_key,
        "asset_0",
        {"seed": 1},
        job.id,
        OUTCOME.width,
    )
    assert expire_pictures(desk.engine, objects, lambda: now_ms() + 5000) == 1
    assert keys(objects) == {OUTCOME.result_key}
    assert sweep_orphans(desk.engine, objects, lambda: now_ms() + ORPHAN_AGE_MS + 10_000) == 0
    assert expire_assets(desk.engine, objects, lambda: now_ms() + 10**12) == 0, "kept until deleted"


def test_an_asset_goes_when_its_time_is_over(desk: Desk, objects: ObjectStore) -> None:
    caller = desk.caller()
    objects.create(OUTCOME.result_key, b"picture")
    wanted = ResultAsset(id="asset_1", name="", source="upscale", keep_ms=DAY_MS)
    desk.run(desk.submit(caller, terms=DoorTerms(asset=wanted)).job_id)
    assert expire_assets(desk.engine, objects, lambda: now_ms() + DAY_MS - 10_000) == 0
    assert expire_assets(desk.engine, objects, lambda: now_ms() + DAY_MS + 10_000) == 1
    assert keys(objects) == set()
    assert Assets(desk.engine).page(caller.workspace.id).assets == ()


def test_what_no_row_speaks_of_goes_after_a_day(desk: Desk, objects: ObjectStore) -> None:
    caller = desk.caller()
    desk.submit(caller)
    for key in ("ws/a/inputs/b", "ws/a/inputs/never-accepted", "ws/a/results/lost-1.png"):
        objects.create(key, b"picture")
    assert sweep_orphans(desk.engine, objects) == 0
    assert sweep_orphans(desk.engine, objects, lambda: now_ms() + ORPHAN_AGE_MS + 10_000) == 2
    assert keys(objects) == {"ws/a/inputs/b"}
