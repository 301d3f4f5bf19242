"""Objects in an S3 bucket, or in what speaks its language."""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import obstore
import structlog
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from enlarger.errors import BadParameter, NotFound, StorageUnavailable
from enlarger.storage.faults import FAILURES, found, removed_on_failure, told
from enlarger.storage.signing import check_lifetime, content_disposition
from enlarger.storage.store import KEY, Download, ObjectInfo, checked, content_type_of

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig

T = TypeVar("T")
LOG = structlog.get_logger()
PAGE = 1000
"""Objects that S3 lists or deletes in one request."""
CLIENT_VARIABLES = (
    "allow_http",
    "allow_invalid_certificates",
    "proxy_url",
    "proxy_ca_certificate",
    "proxy_excludes",
)
"""What obstore reads from AWS_* only where it is given no time-outs, so that we hand it on."""


@dataclass(frozen=True)
class Patience:
    """How long a bucket that hangs or fails is given."""

    connect_s: float = 5.0
    request_s: float = 60.0
    """One request with its whole body: the slower the line, the smaller the largest object."""
    attempts: int = 4
    """Of every request, whatever went wrong: repeating any of ours changes nothing."""
    retry_s: float = 20.0
    """After this long no attempt begins."""
    pause_s: float = 0.2
    """Before the second attempt; doubled before each further one, and varied by half."""

    @property
    def bound_s(self) -> float:
        """No call takes longer; of `list` no page, of `delete` no thousand.

        The last attempt begins at the latest after `retry_s`; one at creating may be two requests.
        """
        return self.retry_s + 2 * self.request_s


PATIENCE = Patience()
PROBING = Patience(request_s=5.0, attempts=1)
"""For health checks, which come every few seconds."""


class Bucket:
    """An ObjectStore in a bucket, below one prefix."""

    def __init__(
        self, name: str, prefix: str = "", patience: Patience = PATIENCE, probing: Patience = PROBING
    ) -> None:
        """
        Credentials, region, endpoint: from AWS_* variables, else from where the machine runs.

        Raises BadParameter for variables that cannot be read.
        """
        self._patience = patience
        self._store = _open(name, prefix, patience)
        self._probe = _open(name, prefix, probing)

    def create(self, key: str, source: bytes | Path) -> None:
        """See ObjectStore."""
        # SigV4 links made by obstore cannot carry these, so the object has them.
        name = checked(key).rsplit("/", 1)[-1]
        attributes = {
            "Content-Type": content_type_of(key),
            "Content-Disposition": content_disposition(name),
        }

        def attempt() -> None:
            try:
                obstore.put(self._store, key, source, mode="create", attributes=attributes)
            except AlreadyExistsError:
                # Also said of one that another attempt is sending now and may never finish.
                obstore.head(self._store, key)

        with _told():
            self._insist(attempt, also=FileNotFoundError)

    def read(self, key: str) -> bytes:
        """See ObjectStore."""
        with _told(), found():
            return self._insist(lambda: obstore.get(self._store, checked(key)).bytes().to_bytes())

    def copy_to(self, key: str, target: Path) -> None:
        """See ObjectStore."""

        def attempt() -> None:
            pieces = obstore.get(self._store, checked(key)).stream()
            with target.open("wb") as file:
                for piece in pieces:
                    file.write(piece)

        with _told(), found(), removed_on_failure(target):
            self._insist(attempt)

    def head(self, key: str) -> ObjectInfo:
        """See ObjectStore."""
        with _told(), found():
            return _info(self._insist(lambda: obstore.head(self._store, checked(key))))

    def exists(self, key: str) -> bool:
        """See ObjectStore."""
        try:
            self.head(key)
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """See ObjectStore."""
        checked(prefix)
        last: str | None = None
        while True:
            # A request a page, and not one stream: after a failure it goes on where it was.
            with _told():
                page = self._insist(partial(self._page, prefix, last))
            if not page:
                return
            # What somebody else put beside ours is nothing that the other calls would touch.
            yield from (_info(meta) for meta in page if KEY.fullmatch(meta["path"]))
            last = page[-1]["path"]

    def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore."""
        left = map(checked, keys)
        while page := tuple(islice(left, PAGE)):
            with _told():
                self._insist(partial(obstore.delete, self._store, page))

    def check(self) -> None:
        """See ObjectStore."""
        with _told():
            obstore.list_with_delimiter(self._probe, "health")

    def signed_url(
        self,
        key: str,
        *,
        expires_in_s: int,
        file_name: str | None = None,
        content_type: str | None = None,
        base_url: str = "",
    ) -> str:
        """See ObjectStore."""
        check_lifetime(expires_in_s)
        with _told():
            return obstore.sign(self._store, "GET", checked(key), timedelta(seconds=expires_in_s))

    def follow(self, method: str, key: str, query: bytes) -> Download:
        """See ObjectStore."""
        raise NotFound

    def _page(self, prefix: str, last: str | None) -> Sequence[ObjectMeta]:
        return next(obstore.list(self._store, prefix, offset=last, chunk_size=PAGE), ())

    def _insist(self, attempt: Callable[[], T], also: type[Exception] = BaseError) -> T:
        """The first answer of a few attempts."""
        patience = self._patience
        until = time.monotonic() + patience.retry_s
        for number in count(1):
            try:
                return attempt()
            except (PermissionDeniedError, UnauthenticatedError):
                raise
            except (BaseError, also) as error:
                pause_s = patience.pause_s * 2 ** (number - 1) * random.uniform(0.5, 1.5)  # noqa: S311
                if number == patience.attempts or time.monotonic() + pause_s > until:
                    raise
                LOG.info("storage.again", attempt=number, error=_first_line(error))
                time.sleep(pause_s)
        raise AssertionError("unreachable")


def _open(name: str, prefix: str, patience: Patience) -> S3Store:
    options: ClientConfig = {
        "connect_timeout": timedelta(seconds=patience.connect_s),
        "timeout": timedelta(seconds=patience.request_s),
    }
    for variable in CLIENT_VARIABLES:
        if value := os.environ.get(f"AWS_{variable.upper()}"):
            options[variable] = value  # type: ignore[literal-required]
    try:
        # No retries of its own: it repeats no PUT whose connection broke, and ours may be repeated.
        return S3Store(name, prefix=prefix or None, client_options=options, retry_config={"max_retries": 0})
    except BaseError as error:
        raise BadParameter(f"s3://{name}: {_first_line(error)}", param="object_store_url") from None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Raise StorageUnavailable for what the bucket answers or does not; the log has the details."""
    try:
        with told():
            yield
    except BaseError as error:
        LOG.warning("storage.failed", error=_first_line(error))
        FAILURES[StorageUnavailable.code] += 1
        raise StorageUnavailable from error


def _info(meta: ObjectMeta) -> ObjectInfo:
    return ObjectInfo(meta["path"], meta["size"], round(meta["last_modified"].timestamp() * 1000))


def _first_line(error: BaseException) -> str:
    """What obstore says, without the tree of its inner errors."""
    return str(error).partition("\n")[0]
