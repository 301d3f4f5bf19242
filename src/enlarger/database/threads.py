"""How what waits for the database runs beside an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy.exc import DataError

from enlarger.database.connection import AWAY
from enlarger.errors import BadParameter, NotReady

LOG = structlog.get_logger()
T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run what waits for the database or the store beside the event loop.

    Raises NotReady if it is away, BadParameter for a text that no column holds.
    """
    try:
        return await asyncio.to_thread(work)
    except AWAY as error:
        LOG.warning("database.away", error=type(error).__name__)
        raise NotReady("the database cannot be reached; try again later") from error
    except DataError as error:
        # Postgres keeps no NUL in a text, and is asked for it by ids and filters that are strangers'.
        raise BadParameter("a text of the request has a NUL or is too long; correct it") from error
