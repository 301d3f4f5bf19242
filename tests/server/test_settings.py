"""Settings: from arguments, environment and file, refused with their name when wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import make_url

from enlarger.cli.console import read_settings
from enlarger.errors import BadParameter
from enlarger.limits.rule import Rule
from enlarger.settings import Settings
from enlarger.storage import open_store


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
    folder = tmp_path / "od?d %41#x"
    settings = Settings(data_dir=folder)
    assert settings.models_path == folder / "models"
    assert make_url(settings.database).database == str(folder / "enlarger.db")
    open_store(settings.object_store)
    assert (folder / "objects").is_dir()


@pytest.mark.parametrize(
    ("text", "micros"), [("1000.000000", 1_000_000_000), ("0", 0), ("0.000001", 1), ("unlimited", None)]
)
def test_credit_is_exact(text: str, micros: int | None) -> None:
    assert Settings(bootstrap_credit=text).bootstrap_credit_micros == micros


def test_the_default_limits_are_the_vendors() -> None:
    settings = Settings()
    assert settings.rate_rule == Rule(150, 10, 60)
    assert settings.address_rate_rule == Rule(1000, 10, 60)
    assert Settings(rate_limit="off").rate_rule is None
    assert Settings(trusted_proxies="10.0.0.7, fd00::/8").trusted_proxies == "10.0.0.7, fd00::/8"


def test_the_limits_have_a_file_of_their_own_or_the_database(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    assert make_url(settings.limits_database).database == str(tmp_path / "limits.db")
    postgres = "postgresql+psycopg://user@host/enlarger"
    assert Settings(data_dir=tmp_path, database_url=postgres).limits_database == postgres


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOOTSTRAP_KEY", "too-short"),
        ("BOOTSTRAP_CREDIT", "0.0000001"),
        ("BOOTSTRAP_CREDIT", "-1"),
        ("BOOTSTRAP_CREDIT", "NaN"),
        ("BOOTSTRAP_CREDIT", "much"),
        ("PORT", "65536"),
        ("SIGN_ON_HEADER", "X-Forwarded-Email"),
        ("SIGN_ON_HEADER", "no header"),
        ("SIGN_IN_LIMIT", "ten"),
        ("SESSION_H", "0"),
        ("PRECISION", "f8"),
        ("THREADS", "-1"),
        ("WAIT_TIMEOUT_S", "0"),
        ("PUBLIC_URL", "enlarger.example.org"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("PUBLIC_URL", "https://example.org/?a=1"),
        ("RATE_LIMIT", "150 per 10 s"),
        ("ADDRESS_RATE_LIMIT", "0/10s"),
        ("RATE_PENALTY_S", "-1"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1, a-name"),
        ("MAX_BODY_BYTES_IN_FLIGHT", "0"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ENLARGER_{name}", value)
    with pytest.raises(BadParameter, match=f"ENLARGER_{name}"):
        read_settings()


@pytest.mark.parametrize("changes", [{"keep_results_h": 1, "keep_answers_h": 2}, {"keep_answers_h": 25}])
def test_answers_are_not_kept_longer_than_the_pictures_that_they_are_made_of(
    changes: dict[str, float],
) -> None:
    with pytest.raises(BadParameter, match=r"KEEP_ANSWERS_H.* at most ENLARGER_KEEP_RESULTS_H") as caught:
        read_settings(**changes)
    assert caught.value.param == "keep_answers_h"
    hour_ms = 3_600_000
    assert read_settings(keep_results_h=1, keep_answers_h=1).keep_answers_ms == hour_ms
    assert read_settings(keep_results_h=1).keep_answers_ms == hour_ms
    assert read_settings(keep_results_h=48).keep_answers_ms == 24 * hour_ms


def test_a_settings_file_that_is_missing_or_broken_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "enlarger.toml"
    monkeypatch.setenv("ENLARGER_CONFIG", str(path))
    with pytest.raises(BadParameter, match=r"enlarger\.toml, which is no file"):
        read_settings()
    path.write_text("port = = 1")
    with pytest.raises(BadParameter, match=r"enlarger\.toml is not TOML"):
        read_settings()
    path.write_text("prot = 1")
    with pytest.raises(BadParameter, match="ENLARGER_PROT"):
        read_settings()


@pytest.mark.parametrize("secret", ["short", "x" * 20 + " " + "x" * 20, "ä" * 40, "x" * 40 + "\n"])
def test_a_secret_that_no_header_could_carry_is_refused(secret: str) -> None:
    with pytest.raises(ValidationError, match="32 or more ASCII characters and no space"):
        Settings(bootstrap_key=secret)


def test_a_secret_is_not_in_what_is_printed() -> None:
    settings = Settings(bootstrap_key="x" * 40)
    assert "xxxx" not in repr(settings)
    with pytest.raises(ValidationError) as caught:
        Settings(bootstrap_key="hidden-but-short")
    assert "32 or more ASCII" in str(caught.value)
