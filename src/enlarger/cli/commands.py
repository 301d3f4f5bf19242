"""The list of commands, in which the one that everybody means need not be named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer.core

from enlarger.imaging import SUFFIXES

UP = "up"
UP_LETTERS = ("-i", "--input")
"""Options of `up` that may come first, as in other upscalers."""


class Commands(typer.core.TyperGroup):
    """`enlarger photo.jpg` is `enlarger up photo.jpg`; a command's own name always comes first."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and _means_up(args[0]):
            args = [UP, *args]
        return super().parse_args(ctx, args)


def _means_up(word: str) -> bool:
    """Whether the first word is a picture, a folder or what only `up` understands."""
    if word.startswith("-"):
        return word in UP_LETTERS
    return os.sep in word or Path(word).suffix.lower() in SUFFIXES or Path(word).exists()
