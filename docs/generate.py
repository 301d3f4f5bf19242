"""Writes the reference pages from the code: `make docs`. A test fails when they differ from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from enlarger import errors
from enlarger.cli import app
from enlarger.models import Entry, known_assets, known_networks
from enlarger.settings import Settings

REFERENCE = Path(__file__).parent / "reference"
WIDTH = 100
NOTE = "<!-- Written by `make docs`; change the code instead. -->\n\n"


def settings_page() -> str:
    """Every setting with its variable, default and meaning."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "the user's data folder" if field.default_factory else field.default
        shown = "" if default is None else f"`{default}`" if not field.default_factory else default
        rows.append(f"| `ENLARGER_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(
        [
            "# Settings\n",
            inspect.cleandoc(
                """
                A setting is read from the variable below; else from the TOML file that `ENLARGER_CONFIG`
                names, under the part after `ENLARGER_` in lower case; else it has the default.
                """
            ),
            "",
            "| variable | default | meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def errors_page() -> str:
    """Every error with its code, status and default message."""
    classes = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, errors.EnlargerError)
    ]
    rows = [
        f"| `{cls.code}` | {cls.status} | `{cls.__name__}` | {inspect.cleandoc(cls.__doc__ or '')} |"
        for cls in sorted(classes, key=lambda cls: (cls.status, cls.code))
    ]
    return "\n".join(
        [
            "# Errors\n",
            "`status` is the HTTP status where a vendor's contract does not say another.\n",
            "| code | status | class | meaning |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def networks_page() -> str:
    """Everything of the catalogue."""
    rows = [
        f"| `{entry.name}` | {entry.scale}x | {entry.purpose} | {entry.licence} | "
        f"`{entry.package.name}` {entry.package.version} | {'yes' if entry.default else ''} |"
        for entry in known_networks().values()
    ]
    helpers = [
        f"| `{asset.name}` | {asset.purpose} | {asset.licence} | "
        f"`{asset.package.name}` {asset.package.version} |"
        for asset in known_assets().values()
        if not isinstance(asset, Entry)
    ]
    return "\n".join(
        [
            "# Networks\n",
            "The weights are fetched from the package on your Python index and checked by digest.\n",
            "| name | scale | purpose | licence of the weights | package | fetched by default |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "\n## What helps them\n",
            "| name | purpose | licence | package |",
            "| --- | --- | --- | --- |",
            *helpers,
            "",
        ]
    )


def cli_page() -> str:
    """The help of every command."""
    root = typer.main.get_command(app)
    parts = ["# Command line\n"]
    for path, command in _commands("enlarger", root):
        context = typer.Context(command, info_name=path, terminal_width=WIDTH, max_content_width=WIDTH)
        parts.append(f"## `{path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not command.hidden:
        yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from _commands(f"{path} {name}", child)


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "networks.md": networks_page,
    "cli.md": cli_page,
}
"""File below `docs/reference` to what it must say."""


if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(NOTE + page())
