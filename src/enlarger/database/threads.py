"""How what waits for the database runs beside an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

from enlarger.database.connection import AWAY
from enlarger.errors import NotReady

LOG = structlog.get_logger()
T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run what waits for the database or the store beside the event loop. Raises NotReady if it is away."""
    try:
        return await asyncio.to_thread(work)
    except AWAY as error:
        LOG.warning("database.away", error=type(error).__name__)
        raise NotReady("the database cannot be reached; try again later") from error
