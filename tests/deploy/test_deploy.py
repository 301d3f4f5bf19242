"""The files for systemd and for containers name what is there, and give a stop the time that it takes."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from enlarger.settings import Settings
from tests.conftest import REPOSITORY

UNIT = REPOSITORY / "deploy" / "enlarger.service"
COMPOSE = REPOSITORY / "deploy" / "compose.yaml"
VARIABLES = {f"ENLARGER_{name.upper()}" for name in Settings.model_fields}
STOP_S = 2 * Settings.model_fields["drain_timeout_s"].default + 10
"""Requests drain, then jobs, and each process that does not stop is given 5 s more."""


@pytest.fixture
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


@pytest.fixture
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return document


def test_the_unit_stops_the_supervisor_alone_and_waits_for_it(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > STOP_S
    assert service["ExecStart"].endswith("/enlarger serve")
    assert service["User"] not in ("", "root")
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_the_unit_sets_only_settings_that_exist(unit: configparser.ConfigParser) -> None:
    named = set(re.findall(r"ENLARGER_[A-Z_]+", unit["Service"]["Environment"]))
    assert named
    assert named <= VARIABLES


def test_the_unit_is_right_for_systemd(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze here")
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text()))
    run = subprocess.run([program, "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_every_service_names_what_the_file_has(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"database", "install", "api", "worker"}
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (COMPOSE.parent / source).resolve() == REPOSITORY


def test_the_containers_get_only_settings_that_exist(compose: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        service = compose["services"][name]
        environment = service["environment"]
        assert {key for key in environment if key.startswith("ENLARGER_")} <= VARIABLES
        assert environment["ENLARGER_DATABASE_URL"].startswith("postgresql+psycopg://")
        assert int(service["stop_grace_period"].removesuffix("s")) > STOP_S
    assert compose["services"]["api"]["environment"]["ENLARGER_WORKERS"] == "0"
    assert compose["services"]["worker"]["command"].endswith("enlarger worker")


def test_nothing_is_open_to_the_world_and_no_secret_is_in_the_file(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY|TOKEN", name):
                assert value is None or value.startswith("${"), name
