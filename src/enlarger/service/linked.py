"""Our own links in the place of a picture: what they lead to is read here, and nobody goes out for it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from enlarger.accounts import Act, Caller
from enlarger.database.threads import in_thread
from enlarger.errors import LinkRefused, NotFound
from enlarger.storage import Links, ObjectStore
from enlarger.storage.signing import PATH


@dataclass(frozen=True)
class Linked:
    """An object that one of our links leads to."""

    key: str
    size_bytes: int
    file_name: str
    """What the link calls it."""


class LinkedPictures:
    """Finds and reads what our own links lead to, in a folder. A bucket's links are the bucket's."""

    def __init__(self, store: ObjectStore, links: Links) -> None:
        self._store = store
        self._links = links

    async def find(self, caller: Caller, url: str) -> Linked | None:
        """What a URL leads to, if it is one of our links; None for any other, expired ones too.

        By its signature and not by its host: a server has many names.

        Raises NotFound for another workspace's object, as for one that is gone; NotAllowed.
        """
        caller.check_may(Act.READ)
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        # What stands before it is the path of ENLARGER_PUBLIC_URL.
        _, ours, key = unquote(parts.path).rpartition(PATH)
        if not ours:
            return None

        def look() -> Linked | None:
            try:
                link = self._links.verify("GET", key, parts.query.encode())
            except LinkRefused:
                return None
            if not key.startswith(f"ws/{caller.workspace.id}/"):
                raise NotFound("there is no such picture any longer; upload it")
            try:
                return Linked(key, self._store.head(key).size_bytes, link.file_name)
            except NotFound:
                raise NotFound("there is no such picture any longer; upload it") from None

        return await in_thread(look)

    async def read(self, linked: Linked) -> bytes:
        """The picture. Raises NotFound if it has gone meanwhile."""
        return await in_thread(lambda: self._store.read(linked.key))
