"""How much of the tests is asked for; and what the fault suite attempted, for the table at its end."""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Tally:
    """How much is run, from which seed, and what came of it."""

    is_whole: bool
    """Everything, and not the share that `make test` has time for."""
    seed: int
    attempts: Counter[tuple[str, str]] = field(default_factory=Counter)
    violations: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: dict[tuple[str, str], str] = field(default_factory=dict)
    """Figures beside a scenario's attempts."""

    def either(self, whole: int, share: int) -> int:
        """How much of something to do."""
        return whole if self.is_whole else share

    @contextlib.contextmanager
    def attempt(self, scenario: str, database: str, turn: int = 0) -> Iterator[random.Random]:
        """The randomness of one attempt, whose seed is printed; what fails in the block is a violation."""
        seed = f"{self.seed}/{scenario}/{database}/{turn}"
        print(f"seed {seed}")
        self.attempts[scenario, database] += 1
        try:
            yield random.Random(seed)
        except BaseException:
            self.violations[scenario, database] += 1
            raise

    def note(self, scenario: str, database: str, text: str) -> None:
        """A figure for the table."""
        self.notes[scenario, database] = text

    def lines(self) -> list[str]:
        """The table, in Markdown."""
        rows = [
            f"| {scenario} | {database} | {count} | {self.violations[scenario, database]} |"
            f" {self.notes.get((scenario, database), '')} |"
            for (scenario, database), count in sorted(self.attempts.items())
        ]
        return [
            "| scenario | database | attempts | violations | |",
            "| --- | --- | ---: | ---: | --- |",
            *rows,
        ]


KEY = pytest.StashKey[Tally]()


def add_options(parser: pytest.Parser) -> None:
    """`--whole` and `--fault-seed`."""
    group = parser.getgroup("enlarger")
    group.addoption(
        "--whole",
        action="store_true",
        help="every fault as often as it should be, and every photograph; not the share of a few minutes",
    )
    group.addoption("--fault-seed", type=int, help="repeat a run that printed this seed")


def configure(config: pytest.Config) -> None:
    """Begin a tally."""
    config.addinivalue_line("markers", "both_databases: on SQLite and Postgres in `make test` too")
    config.addinivalue_line("markers", "whole: not in `make test`, which has others like it")
    if config.option.fault_seed is None:
        # Kept among the options, so that processes which share the tests have the same.
        config.option.fault_seed = random.randrange(2**32)
    config.stash[KEY] = Tally(config.option.whole, config.option.fault_seed)


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without `--whole`, the tests that are marked so; pytest counts them as deselected."""
    if config.stash[KEY].is_whole:
        return
    left_out = [item for item in items if item.get_closest_marker("whole")]
    items[:] = [item for item in items if not item.get_closest_marker("whole")]
    config.hook.pytest_deselected(items=left_out)


def hand_over(config: pytest.Config) -> None:
    """Give what this process attempted to the one that shares out the tests, if there is one."""
    if hasattr(config, "workeroutput"):
        tally = config.stash[KEY]
        config.workeroutput["tally"] = [
            (*which, count, tally.violations[which], tally.notes.get(which))
            for which, count in tally.attempts.items()
        ]


def take_over(config: pytest.Config, worker_output: dict[str, Any]) -> None:
    """Add what another process attempted."""
    tally = config.stash[KEY]
    for scenario, database, count, violations, note in worker_output.get("tally", ()):
        tally.attempts[scenario, database] += count
        tally.violations[scenario, database] += violations
        if note is not None:
            tally.note(scenario, database, note)


def report(config: pytest.Config, write: pytest.TerminalReporter) -> None:
    """Print the table, if anything was attempted."""
    tally = config.stash[KEY]
    if tally.attempts:
        write.section(f"faults, seed {tally.seed}")
        for line in tally.lines():
            write.write_line(line)
