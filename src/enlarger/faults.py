"""Named points at which a test may end or stop a process, to see that nothing is lost or doubled.

They do nothing unless ENLARGER_FAULT_PLAN names a folder. A file in it, named for a point, arms it:
its text is `kill` or `pause`, and how many passes to let go by first. Whoever gets there takes the
file away, so that each is hit once and by one process, and leaves NAME.hit with its process id, so that
the test knows.
Names: `api.*`, `worker.*` and `child.*`, wherever `fault(...)` stands in the code.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

VARIABLE = "ENLARGER_FAULT_PLAN"
_PLAN = os.environ.get(VARIABLE)
_PASSES: Counter[str] = Counter()


def fault(point: str) -> None:
    """Pass a point; in production, nothing."""
    if _PLAN is not None:
        _pass(Path(_PLAN) / point)


def _pass(armed: Path) -> None:
    try:
        action, passes = armed.read_text("ascii").split()
    except (FileNotFoundError, ValueError):
        return
    _PASSES[armed.name] += 1
    if _PASSES[armed.name] <= int(passes):
        return
    _PASSES[armed.name] = 0
    # Under a name of its own first: of two that get here at once one has the file, and NAME.hit is whole.
    mine = armed.with_name(f".{armed.name}.{os.getpid()}")
    try:
        armed.rename(mine)
    except FileNotFoundError:
        return
    mine.write_text(str(os.getpid()), "ascii")
    mine.rename(armed.with_name(f"{armed.name}.hit"))
    os.kill(os.getpid(), signal.SIGKILL if action == "kill" else signal.SIGSTOP)
