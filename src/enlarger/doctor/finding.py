"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check came out; the worst of all is the exit code."""

    OK = "ok"
    """As it should be."""
    WARN = "warn"
    """The server works; something is slow, or about to be trouble."""
    FAIL = "fail"
    """The server does not work, or must not be used like this."""


@dataclass(frozen=True)
class Verdict:
    """What a check has to say."""

    level: Level
    message: str
    remedy: str = ""
    """What to do, where something is to be done."""


def ok(message: str) -> Verdict:
    """All is well."""
    return Verdict(Level.OK, message)


def warn(message: str, remedy: str) -> Verdict:
    """Worth doing something about."""
    return Verdict(Level.WARN, message, remedy)


def fail(message: str, remedy: str) -> Verdict:
    """Has to be mended."""
    return Verdict(Level.FAIL, message, remedy)
