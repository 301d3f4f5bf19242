"""Files appear whole or not at all, and what a killed process left goes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import enlarger.files
from enlarger.files import NameTaken, clear_abandoned, creating, replacing


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_stays(tmp_path: Path) -> None:
    left = tmp_path / ".enlarger-0123abcd0123abcd.part"
    left.write_bytes(b"half")
    own = [tmp_path / name for name in (".notes.part", ".notes.txt.0123abcd.part")]
    for path in own:
        path.write_bytes(b"someone's")
    with replacing(tmp_path / "other.png") as file:
        file.write(b"whole")
        clear_abandoned(tmp_path)
        assert not left.exists()
        assert len(list(tmp_path.glob(".enlarger-*.part"))) == 1
    assert sorted(tmp_path.iterdir()) == sorted([*own, tmp_path / "other.png"])
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


@pytest.mark.parametrize("refusal", [None, errno.EPERM, errno.EOPNOTSUPP])
def test_a_file_that_appears_while_another_is_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int | None
) -> None:
    """With hard links, and where a file system says in either way that it has none."""

    def refuse(source: Path, target: Path) -> None:
        assert refusal is not None
        raise OSError(refusal, os.strerror(refusal))

    if refusal is not None:
        monkeypatch.setattr(enlarger.files.os, "link", refuse)
    target = tmp_path / "new" / "photo.png"

    def meet_another() -> None:
        with creating(target) as file:
            file.write(b"ours")
            target.write_bytes(b"theirs")

    with pytest.raises(NameTaken):
        meet_another()
    assert target.read_bytes() == b"theirs"
    target.unlink()
    with creating(target) as file:
        file.write(b"ours")
    assert target.read_bytes() == b"ours"
    assert [path.name for path in target.parent.iterdir()] == ["photo.png"]


def test_a_name_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    with replacing(tmp_path / ("x" * 251 + ".png")) as file:
        file.write(b"whole")
