"""On what kind of file system a file lies: SQLite's log needs locks and memory shared by all its users."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = (
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.davfs2", "fuse.glusterfs",
    "fuse.gcsfuse", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb2", "smb3", "smbfs",
)  # fmt: skip
"""File systems whose files other machines may have open (sqlite.org/wal.html: all must be on one host)."""


def network_file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system that `path` lies on, or would lie on; None for a local one.

    Where the system does not say what is mounted (not Linux) the answer is None.
    """
    kind = file_system(path, mounts)
    return kind if kind in NETWORK else None


def file_system(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of file system of `path` as the kernel names it, `ext4`; None if it does not say."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None
    target = path.absolute().resolve()
    best: tuple[int, str] | None = None
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(_plain(before.split(" ")[4]))
        # Of equally long ones the last: it was mounted over the others.
        if target.is_relative_to(point) and (best is None or len(point.parts) >= best[0]):
            best = len(point.parts), after.split(" ")[0]
    return None if best is None else best[1]


def _plain(text: str) -> str:
    """A path of the kernel's table, which writes odd characters in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
