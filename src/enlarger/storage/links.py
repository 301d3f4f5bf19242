"""Signed links of this installation, and the rotation of the secrets that sign them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from enlarger.errors import BadParameter
from enlarger.secret_file import read_or_make_secret, read_secret
from enlarger.storage.signing import MAX_LIFETIME_S, Link, LinkKey, Method, check_lifetime, sign, verify

LOSS = "no link signed with it opens any longer"
REST_S = MAX_LIFETIME_S + 60
"""How long a secret is kept once another signs: a link's longest life, and a minute for clocks."""


class Links:
    """Makes and verifies links. The newest of at most two secrets signs; both are believed.

    A secret's id is the Unix second in which it was made, and the name of its file. The folder is
    read on every call, which costs less than a network packet: a rotation needs no restart.
    """

    def __init__(
        self, folder: Path, *, public_url: str | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """
        folder      of the secrets; made when the first link is.
        public_url  what all links begin with; None leaves it to each caller.
        clock       Unix seconds.
        """
        self._folder = folder
        self._public_url = public_url
        self._clock = clock

    def make(
        self,
        key: str,
        *,
        expires_in_s: int,
        file_name: str,
        content_type: str,
        base_url: str,
        method: Method = "GET",
    ) -> str:
        """A link; the arguments are those of `ObjectStore.signed_url`. Raises BadParameter.

        method  the one that it opens for; "GET" opens for HEAD too.
        """
        check_lifetime(expires_in_s)
        ids = self._ids() or [int(self._clock())]
        path = sign(
            key,
            expires_s=int(self._clock()) + expires_in_s,
            file_name=file_name,
            content_type=content_type,
            link_key=LinkKey(str(ids[0]), read_or_make_secret(self._folder / str(ids[0]), LOSS)),
            method=method,
        )
        base = base_url if self._public_url is None else self._public_url
        return base.rstrip("/") + path

    def verify(self, method: str, key: str, query: bytes) -> Link:
        """What a link says, if it is one of ours that lives. Raises LinkRefused."""
        link_keys = [
            LinkKey(str(made), read_secret(self._folder / str(made), LOSS)) for made in self._ids()
        ]
        return verify(method, key, query, link_keys, self._clock())

    def rotate(self, *, keep: str = "living") -> str:
        """Sign with a new secret from now on, and return its id.

        keep  "living": what was signed before opens until it expires. "nothing": links signed before
              are refused at once, as after a leak.

        Raises BadParameter where the secret before the last may still have living links: with three
        at a time one would have to break.
        """
        now_s = int(self._clock())
        ids = self._ids()
        if keep == "living" and len(ids) > 1 and now_s < ids[0] + REST_S:
            until = datetime.fromtimestamp(ids[0] + REST_S, UTC).isoformat(timespec="minutes")
            raise BadParameter(f"links signed before the last rotation live until {until}", param="keep")
        made = max(now_s, ids[0] + 1) if ids else now_s
        read_or_make_secret(self._folder / str(made), LOSS)
        # The one that signed until now stays, unless nothing is to.
        for old in ids if keep == "nothing" else ids[1:]:
            (self._folder / str(old)).unlink(missing_ok=True)
        return str(made)

    def _ids(self) -> list[int]:
        """Newest first."""
        if not self._folder.is_dir():
            return []
        names = (path.name for path in self._folder.iterdir())
        return sorted((int(name) for name in names if name.isdecimal() and name.isascii()), reverse=True)
