"""The way through the house has one direction. This reads the imports and holds them against it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "enlarger"

BASE = {
    "bells",
    "errors",
    "files",
    "faults",
    "lifeline",
    "logs",
    "moment",
    "money",
    "progress",
    "recipe",
    "request",
    "setting_values",
    "settings",
    "target",
}
ROOMS: dict[str, set[str]] = {
    # room: what it may import; the names of DESIGN's drawing, left to right, from the right end.
    "errors": set(),
    "files": set(),
    "faults": set(),
    "moment": {"errors"},
    "money": {"errors"},
    "secret_file": {"errors", "files"},
    "bells": set(),
    "progress": set(),
    "lifeline": set(),
    "logs": set(),
    "target": {"errors"},
    "request": {"errors", "target"},
    "recipe": {"errors", "request", "target"},
    "setting_values": {"errors", "money", "limits.rule"},
    "settings": {"errors", "money", "request", "limits.rule", "setting_values"},
    "imaging": {"errors"},
    "models": {"errors"},
    "engine": {"errors", "progress", "recipe", "request", "target", "imaging", "models", "__init__"},
    "output": {"recipe", "engine", "imaging"},
    "intake": {"errors", "imaging"},
    "parameters": {"errors", "request", "imaging"},
    "moving": {"errors", "progress", "engine", "imaging"},
    "library": BASE | {"intake", "moving", "output", "parameters", "engine", "imaging", "models"},
    "database": {"errors"},
    "fetching": {"errors"},
    "storage": {"errors", "files", "secret_file"},
    "ledger": {"errors", "moment", "money", "database"},
    "accounts": {"errors", "money", "secret_file", "database", "ledger"},
    "limits": {"errors", "database"},
    "assets": {"errors", "database"},
    "routing": set(),
    "jobs": {"bells", "errors", "faults", "request", "database", "ledger", "accounts", "assets", "routing"},
    "worker": BASE | {"library", "output", "engine", "imaging", "models", "database", "storage", "jobs"},
    "service": {
        "bells",
        "errors",
        "faults",
        "request",
        "target",
        "engine.geometry",
        "engine.look.presets",
        "imaging",
        "database",
        "storage",
        "ledger",
        "accounts",
        "assets",
        "fetching",
        "jobs",
        "limits",
    },
    "administration": {"errors", "database", "ledger", "accounts", "limits"},
    "dialects": {
        "errors",
        "faults",
        "moment",
        "money",
        "request",
        "target",
        "imaging",
        "ledger.usage",
        "accounts",
        "assets",
        "routing",
        "jobs",
        "service",
        "administration",
    },
    "backup": {"errors", "files", "settings", "database", "storage", "ledger", "assets", "jobs"},
    "doctor": {
        "errors",
        "secret_file",
        "settings",
        "engine.runtimes",
        "models",
        "database",
        "storage",
        "ledger",
        "accounts",
        "jobs",
    },
    "server": BASE
    | {
        "engine.engine",
        "models",
        "database",
        "storage",
        "ledger",
        "accounts",
        "fetching",
        "jobs",
        "limits",
        "service",
        "administration",
        "dialects",
    },
    "samples": set(),
    "cli": BASE
    | {
        "library",
        "intake",
        "parameters",
        "engine",
        "imaging",
        "models",
        "database",
        "ledger",
        "accounts",
        "storage",
        "backup",
        "doctor",
        "server",
        "worker",
        "__init__",
    },
    "__main__": {"cli"},
    "__init__": BASE | {"library"},
}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Dotted names below `enlarger` that a module imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("enlarger.") for name in names if name.startswith("enlarger.")}


def wrong_arrows(room: str, imported: set[str]) -> set[str]:
    allowed = ROOMS[room] | {room}
    wrong = set()
    for name in imported:
        target = name.split(".")[0]
        if not (SOURCE / f"{target}.py").exists() and not (SOURCE / target).is_dir():
            target = "__init__"
        if target not in allowed and not any(name.startswith(f"{entry}.") for entry in allowed):
            wrong.add(name)
    return wrong


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_one_way(path: Path) -> None:
    assert not wrong_arrows(room_of(path), imports_of(path))


def test_every_room_is_in_the_table() -> None:
    assert {room_of(path) for path in modules()} <= ROOMS.keys()


@pytest.mark.parametrize(
    ("room", "name"),
    [
        ("imaging", "engine.fast"),
        ("engine", "server.app"),
        ("service", "engine.engine"),
        ("jobs", "worker.work"),
        ("dialects", "engine.fast"),
    ],
)
def test_a_wrong_arrow_is_seen(room: str, name: str) -> None:
    assert wrong_arrows(room, {name})


def test_a_dialect_never_imports_another() -> None:
    for path in (SOURCE / "dialects").glob("*/*.py"):
        doors = {folder.name for folder in (SOURCE / "dialects").iterdir() if folder.is_dir()}
        imported = {name.split(".")[1] for name in imports_of(path) if name.startswith("dialects.")}
        assert imported & doors <= {path.parent.name}, path


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_stay_small(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_loads_no_runtime_and_no_server() -> None:
    loaded = loaded_by("import enlarger")
    assert not loaded & {"torch", "openvino", "numpy", "fastapi", "sqlalchemy", "dbos"}


def test_the_api_process_never_loads_a_runtime() -> None:
    loaded = loaded_by("import enlarger.server.process")
    assert "fastapi" in loaded
    assert not loaded & {"torch", "openvino", "enlarger.worker", "enlarger.library"}


def test_the_core_needs_no_torch() -> None:
    loaded = loaded_by("import enlarger.library, enlarger.worker.process, enlarger.cli")
    assert "openvino" in loaded
    assert "torch" not in loaded
