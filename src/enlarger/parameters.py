"""Plain values, as people and programs write them, to ours; each refusal names what there is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from enlarger.errors import BadParameter
from enlarger.imaging import DPI_MAX, SUFFIXES, Dpi, DpiPolicy, Format, MetadataPolicy
from enlarger.request import Mode

Choice = TypeVar("Choice", bound=StrEnum)


def parse_mode(text: str) -> Mode:
    """Raises BadParameter, listing the modes, for anything else."""
    return parse_choice(Mode, "mode", text)


def parse_metadata(text: str) -> MetadataPolicy:
    """Raises BadParameter, listing the policies, for anything else."""
    return parse_choice(MetadataPolicy, "metadata", text)


def parse_choice(kind: type[Choice], name: str, text: str) -> Choice:
    """A member of `kind` by its value. Raises BadParameter for `name`, listing all, for anything else."""
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(kind)
        raise BadParameter(f"{name} is {text!r}; it must be one of: {known}", param=name) from None


def parse_quality(quality: int | None) -> int | None:
    """Raises BadParameter for what is not 1 to 100."""
    if quality is not None and not 1 <= quality <= 100:
        raise BadParameter(f"quality is {quality}; it must be 1 to 100", param="quality")
    return quality


def parse_dpi(text: str) -> Dpi:
    """Raises BadParameter for what is neither a policy nor 1 to DPI_MAX."""
    try:
        return DpiPolicy(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= DPI_MAX:
        raise BadParameter(
            f"dpi is {text!r}; it must be {', '.join(DpiPolicy)} or a number from 1 to {DPI_MAX}",
            param="dpi",
        )
    return number


def parse_format(text: str) -> Format:
    """Raises BadParameter, listing the formats, for anything else. `jpg` is `jpeg`."""
    wanted = SUFFIXES.get(f".{text.lower()}")
    if wanted is None:
        known = ", ".join(Format)
        raise BadParameter(f"format is {text!r}; it must be one of: {known}", param="format")
    return wanted


def format_for(path: Path) -> Format:
    """The format that a file name's ending asks for; BadParameter if it asks for none we write."""
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise BadParameter(f"{path.name} must end in one of: {known}", param="output")
    return SUFFIXES[path.suffix.lower()]
