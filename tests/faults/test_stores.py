"""The place where pictures are kept fails, hangs or is full, and jobs go on when it is well again."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.conftest import Install
from tests.support import callers
from tests.support.installation import Installation
from tests.support.running import wait_for
from tests.support.s3 import BUCKET, S3
from tests.support.tally import Tally

DISK_BYTES = 256 * 2**20


@pytest.mark.parametrize(("way", "share"), [("503", 0.2), ("503", 1.0), ("hang", 0.3)])
def test_a_bucket_fails_or_hangs_for_a_while(
    install: Install, database: str, way: str, share: float, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = f"S3: {share:.0%} of requests {'hang' if way == 'hang' else 'answered 503'}"
    with tally.attempt(scenario, database) as order, S3.start(order) as s3:
        for name, value in s3.variables.items():
            monkeypatch.setenv(name, value)
        url = f"s3://{BUCKET}/here"
        installation = install(database, pictures=url, ENLARGER_OBJECT_STORE_URL=url)
        with installation.running():
            installation.wait_until_ready()
            first = installation.call(order, 4)
            callers.join(first)
            s3.fail(way, share)
            waiting = installation.call(order, tally.either(40, 12))
            if share == 1.0:
                wait_for(lambda: refused(waiting), 60, "somebody is refused")
                assert httpx.get(f"{installation.url}/readyz", timeout=30).status_code == 503
            else:
                time.sleep(5)
            s3.heal()
            installation.check([*first, *waiting])
            statuses = {caller.answer and caller.answer.status_code for caller in waiting}
            assert statuses <= {200, 503}
            assert s3.failed
            good = sum(caller.answer is not None and caller.answer.is_success for caller in waiting)
            tally.note(
                scenario, database, f"{s3.failed} requests failed, {good} of {len(waiting)} jobs done"
            )


def refused(waiting: list[callers.Caller]) -> bool:
    return any(caller.troubles["503"] for caller in waiting)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for a small installation."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small disk that this fills")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip(f"no small disk can be mounted here: {mount.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: the test's own connections to the database on it are open still.
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_refuses_and_recovers(
    install: Install, database: str, tally: Tally, small_disk: Path
) -> None:
    """On SQLite the database is on it as well: nothing can be committed until there is room again."""
    installation = install(database, folder=small_disk)
    refusals = 0
    with installation.running():
        installation.wait_until_ready()
        for turn in range(tally.either(5, 1)):
            with tally.attempt("disk full", database, turn) as order:
                waiting = installation.call(order, 8, side_px=256)
                wait_for(lambda: installation.jobs("state = 'running'"), 30, "a job runs")
                fill(small_disk)
                waiting += installation.call(order, 4, side_px=256)
                wait_for(partial(refused_for_room, waiting), 60, "somebody is refused")
                wait_for(partial(says_that_it_is_full, installation, small_disk), 60, "readyz says so")
                time.sleep(2)
                (small_disk / "filler").unlink()
                installation.check(waiting)
                statuses = {caller.answer and caller.answer.status_code for caller in waiting}
                assert statuses <= {200, 503, 507}
                assert not begun(installation)
                refusals += sum(caller.troubles.total() for caller in waiting)
                installation.wait_until_ready()
    codes = {row.error_code for row in installation.rows("SELECT DISTINCT error_code FROM jobs")}
    assert codes <= {None, "storage_full", "storage_unavailable"}
    tally.note("disk full", database, f"{refusals} refusals that were sent again")


def fill(disk: Path) -> None:
    with (disk / "filler").open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return


def says_that_it_is_full(installation: Installation, disk: Path) -> bool:
    """The room of a result that had no room for its end is free again: it is filled too."""
    fill(disk)
    return httpx.get(f"{installation.url}/readyz", timeout=60).status_code == 503


def refused_for_room(waiting: list[callers.Caller]) -> bool:
    return any(caller.troubles["503"] + caller.troubles["507"] for caller in waiting)


def begun(installation: Installation) -> list[Path]:
    """Files that were begun and are nobody's."""
    return list((installation.folder / "objects" / ".partial").iterdir())
