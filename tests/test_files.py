"""Files appear whole or not at all, and what a killed process left goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from enlarger.files import clear_abandoned, replacing


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    left = tmp_path / ".photo.png.0123abcd.part"
    left.write_bytes(b"half")
    own = tmp_path / ".notes.part"
    own.write_bytes(b"someone's")
    with replacing(tmp_path / "other.png") as file:
        file.write(b"whole")
        clear_abandoned(tmp_path)
        assert not left.exists()
        assert len(list(tmp_path.glob(".other.png.*.part"))) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".notes.part", "other.png"]
    clear_abandoned(tmp_path / "missing")


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "photo.png"
    target.write_bytes(b"before")

    def write_half() -> None:
        with replacing(target) as file:
            file.write(b"half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write_half()
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
