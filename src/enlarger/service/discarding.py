"""Removing objects that no row will speak of."""

from __future__ import annotations

import structlog

from enlarger.storage import ObjectStore

LOG = structlog.get_logger()


def discard(store: ObjectStore, *keys: str) -> None:
    """Remove objects; what this misses is swept later, with what crashes leave behind."""
    try:
        store.delete(keys)
    except Exception as error:
        LOG.warning("object.not_removed", error=repr(error))
