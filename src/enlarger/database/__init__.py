"""The one database: how it is opened, its tables' registry, its migrations.

Every room that keeps rows declares its own tables on `METADATA`; this room knows none of them.
"""

from enlarger.database.connection import AWAY, METADATA, SERIAL, connect, now_ms, snapshot, write

__all__ = ["AWAY", "METADATA", "SERIAL", "connect", "now_ms", "snapshot", "write"]
