"""How work says how far it is."""

from collections.abc import Callable

OnTile = Callable[[int, int], None]
"""Called with tiles done and tiles in all passes. It may raise to stop the work at that tile."""


def ignore_progress(done: int, total: int) -> None:
    """An OnTile that does nothing."""
