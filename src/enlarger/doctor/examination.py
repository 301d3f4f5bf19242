"""All checks, one after another; one that breaks is a finding and ends no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from enlarger.doctor import installation, machine
from enlarger.doctor.finding import Level, Verdict, fail
from enlarger.errors import EnlargerError
from enlarger.settings import Settings

CHECKS: tuple[tuple[str, Callable[[Settings], Verdict]], ...] = (
    ("python", machine.python),
    ("packages", machine.packages),
    ("processor", machine.processor),
    ("memory", machine.memory),
    ("models", installation.models),
    ("data folder", machine.folder),
    ("disk", machine.disk),
    ("file system", machine.place),
    ("secrets", installation.secrets),
    ("database", installation.database),
    ("ledger", installation.books),
    ("objects", installation.objects),
    ("workers", installation.workers),
    ("queue", installation.queue),
    ("clock", installation.clock),
    ("port", installation.port),
)
"""Name and check, in the order in which trouble is best looked at."""


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    check: str
    level: Level
    message: str
    remedy: str


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, as soon as it is there."""
    for name, check in CHECKS:
        try:
            verdict = check(settings)
        except EnlargerError as error:
            verdict = fail(error.message, "mend that and run this again")
        except Exception as error:
            # Whatever is wrong with one part, the others must still be looked at.
            verdict = fail(
                f"cannot be checked: {type(error).__name__}", "see whether it is there and answers"
            )
        yield Finding(name, verdict.level, verdict.message, verdict.remedy)


def unreadable(error: EnlargerError) -> Finding:
    """The finding where the settings themselves cannot be read; then there is nothing to look at."""
    return Finding("settings", Level.FAIL, error.message, "correct it and run this again")
