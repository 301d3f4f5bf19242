"""`enlarger doctor` sees what is wrong and says what to do about it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from enlarger.database import connect, now_ms, write
from enlarger.database.migrate import migrate
from enlarger.database.place import file_system, network_file_system
from enlarger.doctor import Finding, Level, examine, machine
from enlarger.doctor.examination import CHECKS
from enlarger.errors import NotReady
from enlarger.jobs.tables import JOBS, SLOTS
from enlarger.models import ModelStore
from enlarger.server.setup import check_place
from enlarger.settings import Settings
from tests.conftest import MODELS
from tests.support.desk import Desk
from tests.support.running import RunningServer

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/pictures rw,relatime - nfs4 nas:/pictures rw
31 30 0:41 / /srv/pictures/local rw - xfs /dev/sdb1 rw
32 22 0:42 / /srv/a\\040b rw - fuse.sshfs host:/ rw
33 22 0:43 / /srv/twice rw - ext4 /dev/sdc1 rw
34 22 0:44 / /srv/twice rw - cifs //nas/twice rw
"""


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "enlarger", "doctor", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_server_that_runs_is_well(server: RunningServer) -> None:
    port = server.url.rsplit(":", 1)[1]
    done = run("--json", ENLARGER_DATA_DIR=str(server.data_dir), ENLARGER_PORT=port)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"] is True
    checks = {check["check"]: check for check in report["checks"]}
    assert list(checks) == [name for name, _ in CHECKS]
    for name in ("models", "secrets", "database", "ledger", "objects", "workers", "queue", "clock", "port"):
        assert checks[name]["level"] == "ok", checks[name]
    assert checks["workers"]["message"] == "1 live, 1 ready"
    assert "the server answers" in checks["port"]["message"]
    assert not list(server.data_dir.glob("objects/health/*")), "and leaves nothing behind"


def test_a_machine_without_an_installation_is_told_how_to_begin(tmp_path: Path) -> None:
    done = run(ENLARGER_DATA_DIR=str(tmp_path / "none"), ENLARGER_PORT="0")
    assert done.returncode == 0, done.stdout
    assert "warn  database     there is no installation yet  ->  start the server once" in done.stdout
    assert not (tmp_path / "none").exists(), "nothing was made by looking"


def test_settings_that_cannot_be_read_are_the_finding() -> None:
    done = run(ENLARGER_PORT="many")
    assert done.returncode == 1
    assert done.stdout.startswith("fail  settings     setting ENLARGER_PORT:")
    assert "Traceback" not in done.stderr


@pytest.fixture
def settings(tmp_path: Path, store: ModelStore) -> Settings:
    """An installation that is well, without processes."""
    settings = Settings(data_dir=tmp_path / "here", models_dir=MODELS, port=0)
    settings.secrets_path.mkdir(parents=True, mode=0o700)
    settings.pepper_path.write_text("00" * 32)
    settings.pepper_path.chmod(0o600)
    with Desk.open(settings.database) as desk:
        desk.submit(desk.caller())
    return settings


def found(settings: Settings, check: str) -> Finding:
    [finding] = [finding for finding in examine(settings) if finding.check == check]
    return finding


def change(settings: Settings, statement: str) -> None:
    engine = connect(settings.database, pool_size=1)
    with write(engine) as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def test_without_workers_it_warns_and_fails_nothing(settings: Settings) -> None:
    levels = {finding.check: finding.level for finding in examine(settings)}
    assert levels.pop("workers") is Level.WARN
    assert Level.FAIL not in levels.values(), levels


def test_secrets_that_others_can_read(settings: Settings) -> None:
    settings.pepper_path.chmod(0o644)
    finding = found(settings, "secrets")
    assert (finding.level, finding.remedy) == (Level.FAIL, f"chmod go= {settings.pepper_path}")


def test_secrets_that_are_gone_or_damaged(settings: Settings) -> None:
    settings.pepper_path.write_text("no secret")
    assert "is damaged" in found(settings, "secrets").message
    shutil.rmtree(settings.secrets_path)
    assert found(settings, "secrets").level is Level.FAIL


def test_books_that_do_not_sum_up(settings: Settings) -> None:
    change(settings, "UPDATE balances SET micros = micros + 1")
    finding = found(settings, "ledger")
    assert finding.level is Level.FAIL
    assert "its entries sum to" in finding.message


def test_a_schema_of_another_version(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    engine = connect(settings.database, pool_size=1)
    migrate(engine, "0002")
    engine.dispose()
    assert found(settings, "database").level is Level.FAIL


def test_a_database_that_is_away(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://nobody@127.0.0.1:1/none")
    finding = found(settings, "database")
    assert (finding.level, finding.message) == (Level.FAIL, "cannot be checked: OperationalError")


def test_weights_that_are_missing_or_changed(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"models_dir": tmp_path / "none"})
    finding = found(away, "models")
    assert finding.level is Level.FAIL
    assert finding.remedy.startswith("enlarger models pull ")


def test_a_queue_that_stands_still(settings: Settings) -> None:
    assert found(settings, "queue").message.startswith("1 jobs wait")
    change(settings, f"UPDATE {JOBS.name} SET created_ms = created_ms - 600000")
    assert found(settings, "queue").level is Level.WARN


def test_clocks_that_differ(settings: Settings) -> None:
    values = f"'a-0', 'a', 1, 1, true, 0, {now_ms() + 60_000}"
    columns = "id, host, pid, fence, ready, started_ms, heartbeat_ms"
    change(settings, f"INSERT INTO {SLOTS.name} ({columns}) VALUES ({values})")
    finding = found(settings, "clock")
    assert finding.level is Level.FAIL
    assert "in the future" in finding.message


def test_a_port_that_somebody_else_has(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(0.1)
        taken = settings.model_copy(update={"port": other.getsockname()[1]})
        other.close()
        assert found(taken, "port").level is Level.OK
    with socket.create_server(("127.0.0.1", 0), backlog=0) as other:
        taken = settings.model_copy(update={"port": other.getsockname()[1]})
        assert found(taken, "port").level is Level.FAIL


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert found(Settings(data_dir=tmp_path / "file"), "data folder").level is Level.FAIL


def test_memory_and_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for gib, level in ((1.2, Level.FAIL), (2.0, Level.WARN), (3.0, Level.OK)):
        monkeypatch.setattr(machine, "memory_bytes", lambda gib=gib: round(gib * machine.GIB))
        assert machine.memory(settings).level is level
    usage = shutil.disk_usage("/")
    for free, level in ((machine.GIB // 2, Level.FAIL), (5 * machine.GIB, Level.WARN)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage._replace(free=free))
        assert machine.disk(settings).level is level


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/opt/a", "ext4", None),
        ("/srv/pictures/data/enlarger.db", "nfs4", "nfs4"),
        ("/srv/pictures/local/enlarger.db", "xfs", None),
        ("/srv/pictures2/enlarger.db", "ext4", None),
        ("/srv/a b/c", "fuse.sshfs", "fuse.sshfs"),
        ("/srv/twice/c", "cifs", "cifs"),
    ],
)
def test_network_file_systems_are_told_from_local_ones(
    tmp_path: Path, path: str, kind: str, network: str | None
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert file_system(Path(path), mounts) == kind
    assert network_file_system(Path(path), mounts) == network


def test_where_nobody_says_what_is_mounted_nothing_is_refused(tmp_path: Path) -> None:
    assert network_file_system(tmp_path, tmp_path / "none") is None


def test_the_server_does_not_start_on_a_network_file_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.server.setup.network_file_system", lambda path: "nfs4")
    with pytest.raises(NotReady, match=r"network file system \(nfs4\)"):
        check_place("sqlite:////srv/pictures/enlarger.db")
    check_place("postgresql+psycopg://localhost/enlarger")
