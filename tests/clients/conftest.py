"""What the tests with other people's clients share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk


@pytest.fixture
def desk(sqlite_desk: Path, tmp_path: Path) -> Iterator[Desk]:
    """On SQLite alone: no client sees which database there is."""
    with Desk.at(f"sqlite:///{shutil.copy(sqlite_desk, tmp_path / 'test.db')}") as desk:
        yield desk
