"""A worker of a house: it ends every job as it comes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from tests.support.house import House

PAUSE_S = 0.005


@contextlib.contextmanager
def working(house: House, end: Callable[[str], object] | None = None) -> Iterator[None]:
    """While this is open, jobs end by themselves.

    end  what to do with a job's id; None ends it well, its picture being the one that was sent.
    """
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(PAUSE_S):
            for row in house.desk.rows("SELECT id FROM jobs WHERE state = 'queued'"):
                (end or house.finish)(row.id)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
