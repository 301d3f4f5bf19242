"""Installations for the fault suite: `make faults` runs all of it, `make test` a share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enlarger.models import ModelStore
from tests.conftest import MODELS
from tests.support.installation import Installation
from tests.support.postgres import Postgres
from tests.support.tally import KEY, Tally

DATABASES = ("sqlite", "postgres")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`database` is both kinds in `make faults`; in `make test` SQLite, and both for what says so."""
    if "database" in metafunc.fixturenames:
        is_on_both = metafunc.config.stash[KEY].is_whole or any(
            metafunc.definition.iter_markers("both_databases")
        )
        metafunc.parametrize("database", DATABASES if is_on_both else DATABASES[:1])


@pytest.fixture
def whole_only(tally: Tally) -> None:
    """For what takes longer than `make test` has."""
    if not tally.is_whole:
        pytest.skip("in `make faults` alone")


Install = Callable[..., Installation]


@pytest.fixture(scope="module")
def install(
    store: ModelStore, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Install]:
    """Makes installations: `install("sqlite", ENLARGER_WORKERS="2")`."""
    with contextlib.ExitStack() as engines:

        def make(
            database: str,
            *,
            folder: Path | None = None,
            url: str | None = None,
            pictures: str | None = None,
            **variables: str,
        ) -> Installation:
            folder = folder or tmp_path_factory.mktemp("installation")
            if database == "sqlite":
                url = f"sqlite:///{folder / 'enlarger.db'}"
            elif url is None:
                server: Postgres = request.getfixturevalue("postgres")
                url = server.create_database()
            installation = Installation(folder, MODELS, url, variables, pictures)
            engines.callback(installation.engine.dispose)
            return installation

        yield make
