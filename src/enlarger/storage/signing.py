"""Signatures of links to objects in a folder, and to where parts of uploads go: pure, no clock, no disk.

    /files/KEY?e=EXPIRY&k=KEY_ID&n=FILE_NAME&t=CONTENT_TYPE&s=SIGNATURE

The signature is HMAC-SHA256 of the method, the key, the expiry and the two values of the response,
one a line, as unpadded base64url. Everything that a client could change is in it; that of another
key id's secret does not fit.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

from enlarger.errors import BadParameter, LinkRefused

PATH = "/files/"
MAX_LIFETIME_S = 7 * 24 * 3600
"""A week, the longest that S3 allows too."""
Method = Literal["GET", "PUT"]
"""What a link is for; one that is for reading never writes, and the other way round."""
SIGNED_FOR: Mapping[str, Method] = MappingProxyType({"GET": "GET", "HEAD": "GET", "PUT": "PUT"})
"""Which link each method needs: HEAD asks for less than GET gives."""
PARAMETERS = {"e", "k", "n", "t", "s"}
MAX_NAME_BYTES = 200
"""Of a file name in UTF-8; file systems stop at 255, and people add to names."""
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of what a reader does not see: breaks, controls, marks that turn text round."""
RESERVED = frozenset('<>:"/\\|?*%;')
"""Characters that a file system or a header gives a meaning to."""


@dataclass(frozen=True)
class LinkKey:
    """A secret that links are signed with."""

    id: str
    """Digits, in every link."""
    secret: bytes


@dataclass(frozen=True)
class Link:
    """What a link that is in order says of the answer."""

    file_name: str
    content_type: str
    remaining_s: int
    """How long it still lives; 1 or more."""


def sign(
    key: str,
    *,
    expires_s: int,
    file_name: str,
    content_type: str,
    link_key: LinkKey,
    method: Method = "GET",
) -> str:
    """The path and query of a link.

    expires_s  Unix time of the first second in which it is refused.
    file_name  is made safe.
    method     the one that it opens for; "GET" opens for HEAD too.
    """
    name = safe_file_name(file_name)
    said = {"e": str(expires_s), "k": link_key.id, "n": name, "t": content_type}
    signature = _signature(link_key.secret, method, key, said)
    return f"{PATH}{quote(key)}?{urlencode({**said, 's': signature}, quote_via=quote)}"


def verify(method: str, key: str, query: bytes, link_keys: Sequence[LinkKey], now_s: float) -> Link:
    """What the link says, if one of `link_keys` signed exactly this and it has not expired.

    key, query  as the client sent them, the key without percent signs.

    Raises LinkRefused for everything else, and says no more than that.
    """
    said = _parse(query)
    secret = next((link_key.secret for link_key in link_keys if link_key.id == said["k"]), None)
    # A line break would let one value reach into the next; nothing that we signed has one.
    if secret is None or method not in SIGNED_FOR or any("\n" in value for value in (key, *said.values())):
        raise LinkRefused
    expected = _signature(secret, SIGNED_FOR[method], key, said)
    if not hmac.compare_digest(expected.encode(), said["s"].encode()):
        raise LinkRefused
    remaining_s = int(said["e"]) - int(now_s)
    if remaining_s <= 0:
        raise LinkRefused
    return Link(said["n"], said["t"], remaining_s)


def check_lifetime(expires_in_s: int) -> None:
    """Raise BadParameter unless a link may live that long."""
    if not 1 <= expires_in_s <= MAX_LIFETIME_S:
        raise BadParameter(
            f"a link of {expires_in_s} s: must live 1 to {MAX_LIFETIME_S} s", param="expires_in_s"
        )


def safe_file_name(name: str) -> str:
    """`name` without folders, control and direction characters, and what file systems forbid.

    The ending stays where the name must be shortened. Never empty, never hidden.
    """
    shown = (each for each in name if unicodedata.category(each) not in INVISIBLE)
    clean = "".join("_" if character in RESERVED else character for character in shown)
    clean = clean.strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > MAX_NAME_BYTES // 10:
        stem, ending = clean, ""
    room = MAX_NAME_BYTES - len(f"{dot}{ending}".encode())
    stem = stem.encode()[:room].decode(errors="ignore")
    return (f"{stem}.{ending}" if ending else stem) or "download"


def content_disposition(file_name: str) -> str:
    """The header that makes browsers save an answer under a safe name, and never show it as a page."""
    name = safe_file_name(file_name)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _parse(query: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=5
        )
    except ValueError:
        raise LinkRefused from None
    said = dict(pairs)
    if len(pairs) != len(PARAMETERS) or said.keys() != PARAMETERS:
        raise LinkRefused
    return said


def _signature(secret: bytes, method: str, key: str, said: dict[str, str]) -> str:
    text = "\n".join((method, key, said["e"], said["n"], said["t"]))
    digest = hmac.digest(secret, text.encode(errors="surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
