"""What the tests of the command line share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.photos import crop, encoded


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """`photo.jpg`, 80x60."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(crop("coffee", 80, 60), "JPEG"))
    return path
