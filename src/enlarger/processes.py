"""Helpers for processes that a supervisor starts: the lifeline and logging."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable

import structlog

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


def configure_logging(form: str) -> None:
    """Log events with fields to standard error.

    form  `console` for people, `json` for machines: one object a line.
    """
    renderers: dict[str, structlog.typing.Processor] = {
        "json": structlog.processors.JSONRenderer(),
        "console": structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    }
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderers[form],
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    # The durable engine's own lines carry no field of ours; only its trouble is worth reading.
    logging.getLogger("dbos").setLevel(logging.WARNING)
