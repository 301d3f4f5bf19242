"""Settings: from arguments, environment and file, refused with their name when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from enlarger.cli.report import read_settings
from enlarger.errors import BadParameter
from enlarger.settings import Settings


def test_arguments_beat_the_environment_which_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "enlarger.toml").write_text('port = 1111\nhost = "10.0.0.1"\nthreads = 3\n')
    monkeypatch.setenv("ENLARGER_CONFIG", str(tmp_path / "enlarger.toml"))
    monkeypatch.setenv("ENLARGER_PORT", "2222")
    monkeypatch.setenv("ENLARGER_HOST", "10.0.0.2")
    settings = Settings(host="10.0.0.3")
    assert (settings.host, settings.port, settings.threads) == ("10.0.0.3", 2222, 3)


def test_paths_follow_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENLARGER_MODELS_DIR")
    settings = Settings(data_dir=tmp_path / "with space")
    assert settings.models_path == tmp_path / "with space" / "models"
    assert settings.database == f"sqlite:///{tmp_path}/with space/enlarger.db"
    assert settings.object_store == f"file://{tmp_path}/with%20space/objects"


@pytest.mark.parametrize(
    ("text", "micros"), [("1000.000000", 1_000_000_000), ("0", 0), ("0.000001", 1), ("unlimited", None)]
)
def test_credit_is_exact(text: str, micros: int | None) -> None:
    assert Settings(bootstrap_credit=text).bootstrap_credit_micros == micros


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOOTSTRAP_KEY", "too-short"),
        ("BOOTSTRAP_CREDIT", "0.0000001"),
        ("BOOTSTRAP_CREDIT", "-1"),
        ("BOOTSTRAP_CREDIT", "NaN"),
        ("BOOTSTRAP_CREDIT", "much"),
        ("PORT", "65536"),
        ("PRECISION", "f8"),
        ("THREADS", "-1"),
        ("WAIT_TIMEOUT_S", "0"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ENLARGER_{name}", value)
    with pytest.raises(BadParameter, match=f"ENLARGER_{name}"):
        read_settings()


def test_a_secret_is_not_in_what_is_printed() -> None:
    settings = Settings(bootstrap_key="x" * 40)
    assert "xxxx" not in repr(settings)
    with pytest.raises(ValidationError) as caught:
        Settings(bootstrap_key="hidden-but-short")
    assert "32 or more characters" in str(caught.value)
