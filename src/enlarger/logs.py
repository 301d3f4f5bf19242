"""Logs: events with fields, to standard error.

No line has a prompt, a key, a picture, a query or a client's file name. What says that of an error's
text: `database.connect` hides the values of statements, and our own messages name limits, not content.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import warnings
from types import TracebackType
from typing import TextIO, cast

import structlog

LOG = structlog.get_logger()
LIBRARIES = ("dbos", "uvicorn")
"""Libraries that bring handlers of their own, whose lines would be neither form."""


def configure_logging(form: str) -> None:
    """Log events with fields to standard error; what libraries log and what nobody caught too.

    form  `console` for people, `json` for machines: one object a line.
    """
    renderers: dict[str, structlog.typing.Processor] = {
        "json": structlog.processors.JSONRenderer(),
        "console": structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
    }
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, renderers[form]],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderers[form]],
        )
    )
    logging.root.handlers = [handler]
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers = [handler]
        library.propagate = False
        # Their lines carry no field of ours; only trouble is worth reading.
        library.setLevel(logging.WARNING)
    # What a decoder thinks of a stranger's file belongs in the answer to the stranger.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
    sys.excepthook = _on_uncaught
    threading.excepthook = lambda uncaught: _on_uncaught(
        uncaught.exc_type, uncaught.exc_value or uncaught.exc_type(), uncaught.exc_traceback
    )


class Unfailing:
    """A file whose troubles stay its own: a log on a full disk must not fail the work that it tells of."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """As the file's own, but what cannot be written is lost."""
        with contextlib.suppress(OSError):
            return self._file.write(text)
        return 0

    def flush(self) -> None:
        """As the file's own, but what cannot be written stays behind."""
        with contextlib.suppress(OSError):
            self._file.flush()


def _on_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    LOG.error("process.uncaught", exc_info=(kind, error, traceback))
