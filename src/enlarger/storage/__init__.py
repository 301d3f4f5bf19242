"""Pictures at rest: one object store, a folder today. Keys are ours, never a client's words."""

from enlarger.storage.store import ObjectStore

__all__ = ["ObjectStore"]
