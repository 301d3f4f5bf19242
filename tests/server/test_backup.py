"""A backup is whole or is not there; what is restored of it is the installation as it was."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from enlarger.assets import Part, Upload, Uploads
from enlarger.assets.tables import UPLOADS
from enlarger.backup import make_backup, restore_backup
from enlarger.backup.making import copy_database, inspect, objects_of
from enlarger.database import connect, now_ms, write
from enlarger.errors import BadParameter, NotReady
from enlarger.jobs.submission import DoorTerms, ResultAsset
from enlarger.models import ModelStore
from enlarger.settings import Settings
from enlarger.storage import open_store
from tests.conftest import MODELS
from tests.support.desk import DAY_MS, OUTCOME, Desk
from tests.support.photos import crop, encoded
from tests.support.running import RunningServer, wait_for

PATH = "/v2beta/stable-image/upscale/fast"
PICTURE = encoded(crop("coffee", 200, 160))


def run(*arguments: str | Path, data_dir: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ENLARGER_DATA_DIR": str(data_dir)}
    command = [sys.executable, "-m", "enlarger", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_restored_server_opens_to_old_keys_and_replays_old_answers(
    store: ModelStore, tmp_path: Path
) -> None:
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "backup.tar"
    first.mkdir()
    headers = {"idempotency-key": "the one"}
    with RunningServer.start(first, MODELS) as server, server.client() as client:
        secret = run("keys", "create", data_dir=first).stdout.strip()
        answer = client.post(PATH, files={"image": PICTURE}, headers=headers)
        balance = client.get("/v1/user/balance").json()
        made = run("backup", file, data_dir=first)
        assert made.returncode == 0, made.stderr
        assert "1 jobs, 3 pictures" in made.stdout, "input, result and the answer that is kept"
        client.post(PATH, files={"image": PICTURE})
        running = run("restore", file, data_dir=first)
        assert (running.returncode, "a server runs in" in running.stderr) == (1, True)
    assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    restored = run("restore", file, data_dir=second)
    assert restored.returncode == 0, restored.stderr
    for path in (second / "enlarger.db", *(second / "secrets").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    again = run("restore", file, data_dir=second)
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
    with RunningServer.start(second, MODELS) as server, server.client() as client:
        key = {"authorization": f"Bearer {secret}"}
        assert httpx.get(f"{server.url}/v1/user/balance", headers=key).json() == balance
        replay = client.post(PATH, files={"image": PICTURE}, headers=headers)
        assert (answer.status_code, replay.status_code) == (200, 200)
        assert replay.content == answer.content
        assert server.query("SELECT COUNT(*) FROM jobs") == [(1,)], "it was not done again"
        assert client.post(PATH, files={"image": PICTURE}).status_code == 200


def test_every_object_that_a_row_speaks_of_is_copied_once(sqlite_desk: Path, tmp_path: Path) -> None:
    database = tmp_path / "copy.db"
    shutil.copy(sqlite_desk, database)
    styles = ("ws/a/inputs/b-style-0", "ws/a/inputs/b-style-1")
    with Desk.at(f"sqlite:///{database}") as desk:
        caller = desk.caller()
        wanted = ResultAsset(id="asset_1", name="", source="upscale")
        job = desk.submit(caller, terms=DoorTerms(asset=wanted, keep_ms=0), style_keys=styles).job_id
        waiting = desk.submit(caller, input_key="ws/a/inputs/c")
        uploads = Uploads(desk.engine)
        for number, left_ms in ((1, DAY_MS), (2, -1)):
            upload = Upload(
                id=f"upload_{number}",
                workspace_id=caller.workspace.id,
                door="test",
                file_name="",
                media_type="image/png",
                size_bytes=9,
                part_count=1,
                asset={"id": f"asset_{number + 1}"},
                expires_ms=now_ms() + DAY_MS,
            )
            uploads.begin(upload, 20)
            uploads.put(upload.id, Part(1, f"ws/a/uploads/{number}", 9))
            with write(desk.engine) as connection:
                values = {"expires_ms": now_ms() + left_ms}
                connection.execute(UPLOADS.update().where(UPLOADS.c.id == upload.id).values(**values))
        before = list(objects_of(database))
        assert set(before) == {"ws/a/inputs/b", *styles, "ws/a/inputs/c", "ws/a/uploads/1"}
        desk.run(job)
        after = list(objects_of(database))
        assert set(after) == {"ws/a/inputs/c", OUTCOME.result_key, "ws/a/uploads/1"}, "the asset stays"
        assert len(after) == len(set(after))
        desk.run(waiting.job_id, replace(OUTCOME, result_key="ws/a/results/c.png"))
        assert {"ws/a/inputs/c", "ws/a/results/c.png"} <= set(objects_of(database))


def test_copies_that_are_made_under_load_are_whole(store: ModelStore, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    is_over = threading.Event()
    with RunningServer.start(first, MODELS, ENLARGER_MAX_WORKSPACE_JOBS="8") as server:

        def ask() -> None:
            with server.client() as client:
                while not is_over.is_set():
                    client.post(PATH, files={"image": encoded(crop("coffee", 40, 36))})

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(5):
                enough = "SELECT COUNT(*) FROM jobs WHERE state = 'succeeded'"
                wait_for(lambda: server.query(enough)[0][0] > 6 * number, 60, "jobs are done")  # noqa: B023
                made = run("backup", tmp_path / f"{number}.tar", data_dir=first)
                assert made.returncode == 0, made.stderr
                assert "missing" not in made.stderr
        finally:
            is_over.set()
            for thread in threads:
                thread.join(60)
    under_way = 0
    for number in range(5):
        folder = tmp_path / f"restored-{number}"
        restored = run("restore", tmp_path / f"{number}.tar", data_dir=folder)
        assert restored.returncode == 0, restored.stderr
        assert inspect(folder / "enlarger.db") == []
        with contextlib.closing(sqlite3.connect(folder / "enlarger.db")) as database:
            rows = database.execute("SELECT id, state, input_key, result_key, output_bytes FROM jobs")
            held = dict(database.execute("SELECT job_id, state FROM holds"))
            for job_id, state, input_key, result_key, size in rows.fetchall():
                assert (folder / "objects" / input_key).is_file()
                if state == "succeeded":
                    assert (folder / "objects" / result_key).stat().st_size == size
                under_way += state in ("queued", "running")
                assert held[job_id] == ("captured" if state == "succeeded" else "open")
    print(f"{under_way} jobs were under way in five copies")
    assert under_way, "the copies must be made in the middle of something"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with a job, without processes."""
    settings = Settings(data_dir=tmp_path / "here")
    settings.data_dir.mkdir()
    with Desk.open(settings.database) as desk:
        job_id = desk.submit(desk.caller(), input_key="ws/a/inputs/b").job_id
        desk.run(job_id)
    objects = open_store(settings.object_store)
    objects.create("ws/a/inputs/b", b"input")
    objects.create("ws/a/results/b.png", b"result")
    settings.secrets_path.mkdir()
    settings.pepper_path.write_text("00" * 32)
    settings.link_keys_path.mkdir()
    (settings.link_keys_path / "5").write_text("11" * 32)
    return settings


def test_a_backup_has_what_rows_speak_of_and_says_what_is_missing(
    settings: Settings, tmp_path: Path
) -> None:
    store = open_store(settings.object_store)
    store.create("ws/a/results/orphan.png", b"an attempt that lost")
    store.delete(["ws/a/results/b.png"])
    made = make_backup(settings, tmp_path, with_objects=True)
    assert made.path.parent == tmp_path
    assert made.path.stat().st_mode & 0o077 == 0, "it has the secrets, whoever called"
    assert made.missing == ("ws/a/results/b.png",)
    with tarfile.open(made.path) as tar:
        assert tar.getnames() == [
            "enlarger.db",
            "secrets/key-pepper",
            "secrets/link-keys/5",
            "objects/ws/a/inputs/b",
            "manifest.json",
        ]
        assert {member.mode for member in tar} == {0o600}
    bare = make_backup(settings, tmp_path / "bare.tar", with_objects=False)
    there = Settings(data_dir=tmp_path / "there", secrets_dir=tmp_path / "vault")
    restored = restore_backup(there, bare.path)
    assert (restored.jobs, restored.objects, restored.with_objects) == (1, 0, False)
    assert there.pepper_path.read_text() == "00" * 32
    assert not (there.data_dir / "objects").exists()
    assert not list(there.data_dir.glob(".*"))


def test_pictures_can_go_to_another_store(settings: Settings, tmp_path: Path) -> None:
    made = make_backup(settings, tmp_path / "b.tar", with_objects=True)
    bucket = tmp_path / "elsewhere"
    there = Settings(data_dir=tmp_path / "there", object_store_url=bucket.as_uri())
    assert restore_backup(there, made.path).objects == 2
    assert (bucket / "ws/a/results/b.png").read_bytes() == b"result"


def test_what_is_there_is_never_overwritten(settings: Settings, tmp_path: Path) -> None:
    made = make_backup(settings, tmp_path / "b.tar", with_objects=True)
    with pytest.raises(BadParameter, match="exists already"):
        make_backup(settings, made.path, with_objects=True)
    with pytest.raises(NotReady, match="is not empty"):
        restore_backup(settings, made.path)
    vault = tmp_path / "vault"
    vault.mkdir()
    (vault / "key-pepper").write_text("mine")
    with pytest.raises(NotReady, match="vault is not empty"):
        restore_backup(Settings(data_dir=tmp_path / "there", secrets_dir=vault), made.path)
    assert (vault / "key-pepper").read_text() == "mine"


def test_postgres_is_left_to_its_own_tools(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://localhost/enlarger")
    with pytest.raises(BadParameter, match="pg_dump"):
        make_backup(settings, tmp_path / "b.tar", with_objects=True)
    with pytest.raises(BadParameter, match="ENLARGER_DATABASE_URL"):
        restore_backup(settings, tmp_path / "b.tar")


def test_a_database_that_is_damaged_is_not_passed_off_as_a_backup(
    settings: Settings, tmp_path: Path
) -> None:
    engine = connect(settings.database, pool_size=1)
    with write(engine) as connection:
        connection.exec_driver_sql("UPDATE balances SET micros = micros + 1")
    engine.dispose()
    with pytest.raises(NotReady, match="damaged and was not backed up: account"):
        make_backup(settings, tmp_path / "b.tar", with_objects=True)
    assert not (tmp_path / "b.tar").exists()


def changed(path: Path, change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    with tarfile.open(path) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    change(members)
    with tarfile.open(path, "w") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def renamed(name: str) -> Callable[[list[tuple[tarfile.TarInfo, bytes]]], None]:
    def change(members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        manifest = json.loads(members[-1][1])
        manifest["members"][name] = manifest["members"].pop(members[1][0].name)
        members[1][0].name = name
        members[-1] = members[-1][0], json.dumps(manifest).encode()

    return change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda members: members.pop(), "cut off"),
        (lambda members: members.pop(0), "a digest differs"),
        (lambda members: members.__setitem__(1, (members[1][0], b"other")), "a digest differs"),
        (lambda members: members.__setitem__(-1, (members[-1][0], b"{}")), "another version"),
        (renamed("../outside"), "which no backup has"),
        (renamed("/absolute"), "which no backup has"),
        (renamed("secrets/../../outside"), "which no backup has"),
        (renamed("objects//twice"), "which no backup has"),
        (renamed("slots/other"), "which no backup has"),
    ],
)
def test_what_is_no_whole_backup_is_refused_and_leaves_nothing(
    settings: Settings,
    tmp_path: Path,
    change: Callable[[list[tuple[tarfile.TarInfo, bytes]]], None],
    reason: str,
) -> None:
    made = make_backup(settings, tmp_path / "b.tar", with_objects=True)
    changed(made.path, change)
    there = Settings(data_dir=tmp_path / "there")
    with pytest.raises(BadParameter, match=reason):
        restore_backup(there, made.path)
    assert list(there.data_dir.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    there = Settings(data_dir=tmp_path / "there")
    (tmp_path / "text").write_text("no tar")
    for name in ("text", "nothing"):
        with pytest.raises(BadParameter, match="cannot be read as a backup"):
            restore_backup(there, tmp_path / name)


def test_what_a_killed_restore_left_is_no_installation_and_is_cleared(
    settings: Settings, tmp_path: Path
) -> None:
    made = make_backup(settings, tmp_path / "b.tar", with_objects=True)
    there = Settings(data_dir=tmp_path / "there")
    left = there.data_dir / ".restoring-abc"
    left.mkdir(parents=True)
    (left / "enlarger.db").write_text("half")
    assert restore_backup(there, made.path).jobs == 1
    assert not list(there.data_dir.glob(".*"))


def test_a_copy_of_a_database_with_an_open_log_has_what_is_in_the_log(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "live.db")) as live:
        live.execute("PRAGMA journal_mode=WAL")
        live.execute("CREATE TABLE t (n INTEGER)")
        live.execute("INSERT INTO t VALUES (1)")
        live.commit()
        assert (tmp_path / "live.db-wal").stat().st_size
        copy_database(tmp_path / "live.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db-wal").exists()
    with contextlib.closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT n FROM t").fetchall() == [(1,)]
