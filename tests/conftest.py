"""What all tests share: real photographs, the real weights, and a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from enlarger.engine.engine import Engine
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.models import ModelStore, known_assets
from enlarger.models.pull import pull
from tests.support.desk import Desk
from tests.support.house import House
from tests.support.photos import photo
from tests.support.postgres import Postgres
from tests.support.quiet import log_plainly
from tests.support.running import RunningServer
from tests.support.tally import KEY, Tally, add_options, configure, hand_over, leave_out, report, take_over

REPOSITORY = Path(__file__).resolve().parents[1]
MODELS = Path(os.environ.get("ENLARGER_MODELS_DIR", REPOSITORY / ".cache" / "models"))


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    configure(config)
    # What lives as long as the session is made before the fixture below has cleared the way for a test.
    for name in [name for name in os.environ if name.startswith("ENLARGER_")]:
        del os.environ[name]
    log_plainly()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    leave_out(config, items)


def pytest_report_header(config: pytest.Config) -> str:
    return f"faults: --fault-seed={config.stash[KEY].seed}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    hand_over(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    take_over(node.config, node.workeroutput)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report(config, terminalreporter)


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """How much of the fault suite to run, and where to say what came of it."""
    return request.config.stash[KEY]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads the settings, or touches the data, of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("ENLARGER_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ENLARGER_MODELS_DIR", str(MODELS))
    monkeypatch.setenv("ENLARGER_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def store() -> ModelStore:
    """The model store with everything of the catalogue in it."""
    store = ModelStore(MODELS)
    pull(store, known_assets().values())
    return store


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> OpenVinoRuntime:
    return OpenVinoRuntime(cache_dir=tmp_path_factory.mktemp("compiled"))


@pytest.fixture(scope="session")
def engine(runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    """At the precision that the product chooses on this machine."""
    return Engine(runtime, store, known_assets())


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A face, 512x512: NASA, public domain."""
    return photo("astronaut")


@pytest.fixture(scope="session")
def server(store: ModelStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that several tests share; none of them may break it."""
    with RunningServer.start(tmp_path_factory.mktemp("server"), MODELS) as running:
        yield running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres server that many tests share; each has a database of its own in it."""
    with Postgres.start() as running:
        running.hurry()
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind that the server runs on."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create_database()


@pytest.fixture(scope="session")
def sqlite_desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that a desk was made in once, to be copied."""
    path = tmp_path_factory.mktemp("desk") / "desk.db"
    with Desk.open(f"sqlite:///{path}"):
        pass
    return path


@pytest.fixture(scope="session")
def postgres_desk(postgres: Postgres) -> str:
    """The same in Postgres."""
    url = postgres.create_database()
    with Desk.open(url):
        pass
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """A database with everything that accepts and ends jobs, on SQLite and on Postgres."""
    if request.param == "sqlite":
        url = f"sqlite:///{shutil.copy(request.getfixturevalue('sqlite_desk'), tmp_path / 'test.db')}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database(request.getfixturevalue("postgres_desk"))
    with Desk.at(url) as desk:
        yield desk


@pytest.fixture(scope="session")
def shared_house(sqlite_desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same once for all, for tables of what is refused and what is taken; on SQLite.

    Nothing that a test does there may be felt by the next one: its jobs stay queued for ever.
    """
    folder = tmp_path_factory.mktemp("shared-house")
    url = f"sqlite:///{shutil.copy(sqlite_desk, folder / 'test.db')}"
    with Desk.at(url) as desk, House.open(desk, folder / "house") as house:
        yield house


@pytest.fixture
def house(desk: Desk, tmp_path: Path) -> Iterator[House]:
    """Every door of the server in this process, on SQLite and on Postgres, with no worker beside it."""
    with House.open(desk, tmp_path / "house") as house:
        yield house
