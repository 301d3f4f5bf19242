"""Arms the named points at which a running server is to be killed or stopped (enlarger.faults)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.running import wait_for

API_POINTS = (
    "api.mid_upload",
    "api.after_input",
    "api.before_commit",
    "api.after_commit",
    "api.mid_wait",
    "api.before_keep",
    "api.mid_response",
)
WORKER_POINTS = (
    "worker.after_dequeue",
    "worker.after_begin",
    "worker.after_input",
    "worker.after_render",
    "worker.after_object",
    "worker.before_commit",
    "worker.after_commit",
    "worker.in_drain",
)
CHILD_POINTS = ("child.mid_tile", "child.after_encode")
HIT_S = 60.0


@dataclass(frozen=True)
class Plan:
    """The folder that ENLARGER_FAULT_PLAN names."""

    folder: Path

    def arm(self, point: str, action: str = "kill", passes: int = 0) -> None:
        """Kill or `pause` the next process that gets to `point`, after `passes` have gone by."""
        (self.folder / f"{point}.hit").unlink(missing_ok=True)
        (self.folder / point).write_text(f"{action} {passes}", "ascii")

    def disarm(self, *points: str) -> None:
        """Let everybody pass."""
        for point in points:
            (self.folder / point).unlink(missing_ok=True)

    def is_hit(self, point: str) -> bool:
        """Whether a process got there and was killed or stopped."""
        return (self.folder / f"{point}.hit").exists()

    def wait_until_hit(self, point: str, timeout_s: float = HIT_S) -> int:
        """The id of the process that got there."""
        wait_for(lambda: self.is_hit(point), timeout_s, f"{point} is hit")
        return int((self.folder / f"{point}.hit").read_text("ascii"))
