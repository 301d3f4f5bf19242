"""What is logged within the tests' own process."""

from __future__ import annotations

import structlog


def log_plainly() -> None:
    """As the server logs to people. structlog's own way draws the values of all variables, for seconds."""
    structlog.reset_defaults()
    renderer = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, renderer])
