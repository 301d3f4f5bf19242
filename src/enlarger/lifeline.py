"""How a process notices that the supervisor that started it is gone."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

LIFELINE_VARIABLE = "ENLARGER_LIFELINE_FD"
"""Descriptor of a pipe whose other end only the supervisor holds."""


def watch_lifeline(on_end: Callable[[], object]) -> None:
    """Call `on_end` when the supervisor is gone, however it went; nothing if there is none.

    A pipe and not a process id: the kernel closes it with the process, and ids are used again.
    """
    descriptor = os.environ.get(LIFELINE_VARIABLE)
    if descriptor is None:
        return

    def watch(fd: int) -> None:
        os.read(fd, 1)
        on_end()

    threading.Thread(target=watch, args=(int(descriptor),), daemon=True).start()
