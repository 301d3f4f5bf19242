"""Logs: events with fields, to standard error."""

from __future__ import annotations

import logging
import sys
import warnings

import structlog


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
    # What a decoder thinks of a stranger's file belongs in the answer to the stranger.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    # The durable engine's own lines carry no field of ours; only its trouble is worth reading.
    logging.getLogger("dbos").setLevel(logging.WARNING)
