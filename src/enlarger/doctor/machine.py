"""Checks of the machine: Python, processor, memory, disk."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import sqlalchemy as sa

from enlarger.database.place import file_system, network_file_system
from enlarger.doctor.finding import Verdict, fail, ok, warn
from enlarger.settings import Settings

PYTHON = (3, 11)
GIB = 2**30
FREE_LEAST, FREE_GOOD = GIB, 10 * GIB
"""Bytes of disk below which uploads are about to be refused, and below which it is worth a look."""
MAKE_ROOM = "make room, or lower ENLARGER_KEEP_RESULTS_H"
FAST_BYTES, EVERY_BYTES, REST_BYTES = GIB, 2 * GIB, GIB // 2
"""Memory that a worker needs for the fast mode, for every mode, and that the other processes need."""
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def python(settings: Settings) -> Verdict:
    """The version of Python."""
    if sys.version_info < PYTHON:
        return fail(f"Python {platform.python_version()}", "use Python 3.11 or newer")
    return ok(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")


def packages(settings: Settings) -> Verdict:
    """Every package that Enlarger needs is there."""
    try:
        wanted = metadata.requires("enlarger") or []
    except metadata.PackageNotFoundError:
        return warn("enlarger runs from its source and is not installed", "pip install --editable .")
    names = [re.split(r"[\s;<>=!~\[(]", line)[0] for line in wanted if "extra ==" not in line]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        return fail(f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return ok(f"{len(names)} packages, dbos {metadata.version('dbos')}")


def processor(settings: Settings) -> Verdict:
    """Whether the processor has the arithmetic that makes networks fast."""
    from enlarger.engine.runtimes.openvino import OpenVinoRuntime

    device = OpenVinoRuntime(threads=settings.threads or None).device
    precisions = ", ".join(device.precisions)
    told = f"{device.name}, {device.threads} threads, {precisions}"
    if "bf16" not in device.precisions:
        return warn(told, "nothing: without bf16 everything takes about twice as long")
    return ok(told)


def memory(settings: Settings) -> Verdict:
    """Memory of the machine, or of its container, against what the workers need."""
    total = memory_bytes()
    workers = max(1, settings.workers)
    told = f"{total / GIB:.1f} GiB for {workers} worker{'s' if workers > 1 else ''}"
    if total < workers * FAST_BYTES + REST_BYTES:
        return fail(told, f"needs {_gib(workers * FAST_BYTES + REST_BYTES)}; run fewer workers")
    if total < workers * EVERY_BYTES + REST_BYTES:
        every = _gib(workers * EVERY_BYTES + REST_BYTES)
        return warn(told, f"conservative and creative need {every}; run fewer workers")
    return ok(told)


def folder(settings: Settings) -> Verdict:
    """The data folder can be written."""
    place = existing(settings.data_dir)
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-") as file:
            file.write(b"?")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return fail(f"{place}: {error.strerror}", "make it writable, or set ENLARGER_DATA_DIR")
    if place != settings.data_dir:
        return ok(f"{settings.data_dir} will be made")
    return ok(f"{settings.data_dir} is writable")


def disk(settings: Settings) -> Verdict:
    """Room on the disk of the data folder."""
    usage = shutil.disk_usage(existing(settings.data_dir))
    told = f"{usage.free / GIB:.1f} of {usage.total / GIB:.0f} GiB free"
    if usage.free < FREE_LEAST:
        return fail(told, MAKE_ROOM)
    if usage.free < FREE_GOOD:
        return warn(told, MAKE_ROOM)
    return ok(told)


def place(settings: Settings) -> Verdict:
    """SQLite is not on a network file system."""
    url = sa.make_url(settings.database)
    if url.get_backend_name() != "sqlite" or url.database is None:
        return ok(f"the database is {url.get_backend_name()}, elsewhere")
    kind = network_file_system(Path(url.database))
    if kind is not None:
        return fail(
            f"{url.database} lies on {kind}, a network file system",
            "put ENLARGER_DATA_DIR on a local disk, or use Postgres (ENLARGER_DATABASE_URL)",
        )
    return ok(f"a local disk ({file_system(Path(url.database)) or 'of a kind that is not known'})")


def memory_bytes() -> int:
    """Bytes of memory that this process may hope for: the machine's, or its container's if that is less."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = CGROUP_LIMIT.read_text("ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdecimal() else total


def existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.exists())


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
