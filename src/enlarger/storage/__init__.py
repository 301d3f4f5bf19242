"""Pictures at rest: a folder or an S3 bucket. Keys are ours, never a client's words."""

from enlarger.storage.links import Links
from enlarger.storage.store import Download, ObjectInfo, ObjectStore, open_store

__all__ = ["Download", "Links", "ObjectInfo", "ObjectStore", "open_store"]
