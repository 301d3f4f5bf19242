"""How a result was made, as the file itself says: enough to make another in the same way.

A recipe is a request, the digests of the networks that may have run, the version, and how the pixels
became the file. It travels in the file's XMP packet, so that every format carries it in one way; an
editor that rewrites the packet may lose it. Its digest says "made alike": with the digest of an input,
which lies beside it in the packet, it is the key under which work is known to be done.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, unescape

import msgspec

from enlarger.errors import BadParameter
from enlarger.request import UpscaleRequest
from enlarger.target import Target

NAMESPACE = "urn:enlarger:recipe:1"
"""Of the XMP property."""
_OPEN = f'<rdf:Description rdf:about="" xmlns:enl="{NAMESPACE}">'
_CLOSE = "</rdf:Description>"
_PROPERTIES = ("enl:recipe", "enl:source")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    '</x:xmpmeta>\n<?xpacket end="w"?>'
)
_END = "</rdf:RDF>"


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """What besides its pixels decides the bytes of a file; in words, which a reader need not know."""

    format: str
    """Such as `png`."""
    quality: int | None
    """1 to 100; None in formats that have none."""
    metadata: str
    """`keep` or `private`; a stripped file has no recipe."""
    dpi: str = "keep"
    """`keep`, `scale`, or pixels per inch."""


@dataclass(frozen=True)
class Recipe:
    """A request and what served it."""

    request: UpscaleRequest
    """Its output format counts for nothing here: `encoding` has that of the file."""
    networks: Mapping[str, str]
    """SHA-256 over each network's weights, by its name in the catalogue."""
    version: str
    """Of Enlarger."""
    encoding: Encoding | None = None
    """Of the file; None as long as there is none, and in files of versions that did not write it."""

    @property
    def text(self) -> str:
        """Canonical JSON, without the request's output format: a door's wish, not what the file became."""
        told = msgspec.to_builtins(self)
        del told["request"]["output_format"]
        return msgspec.json.encode(told, order="sorted").decode()

    @property
    def digest(self) -> str:
        """SHA-256 of the text, in hex. Equal for equal requests to equal networks."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def written_to(self, xmp: bytes | None, source: str | None = None) -> bytes:
        """An XMP packet that holds this recipe and what `xmp` holds besides.

        source  SHA-256 of the input's file, in hex; None where it is not known.
        """
        packet = _EMPTY
        if xmp is not None:
            text = _without_ours(xmp.decode("utf-8", errors="ignore"))
            if text.count(_END) == 1:
                packet = text
        mark = "" if source is None else f"<enl:source>{source}</enl:source>"
        own = f"{_OPEN}<enl:recipe>{escape(self.text)}</enl:recipe>{mark}{_CLOSE}"
        return packet.replace(_END, own + _END).encode()

    @classmethod
    def read_from(cls, xmp: bytes | None) -> Recipe:
        """The recipe in an XMP packet. Raises BadParameter if there is none that can be understood."""
        found = _last(xmp, "enl:recipe")
        if found is None:
            raise BadParameter(
                "the file carries no recipe: it was not made here, or its metadata was stripped",
                param="recipe",
            )
        try:
            recipe = msgspec.json.decode(unescape(found), type=cls)
        except msgspec.DecodeError as error:
            raise BadParameter(f"the file's recipe is not understood: {error}", param="recipe") from error
        # A file may come from anyone: its target is what its text says, and nothing else.
        target = Target.parse(recipe.request.target.text)
        return replace(recipe, request=replace(recipe.request, target=target))


def source_in(xmp: bytes | None) -> str | None:
    """SHA-256, in hex, of the file that a result was made from, if the result's XMP packet says it."""
    found = _last(xmp, "enl:source")
    return found if found is not None and _SHA256.fullmatch(found) else None


def _last(xmp: bytes | None, name: str) -> str | None:
    """The text of the last property of this name: ours is written behind what was there."""
    text = (xmp or b"").decode("utf-8", errors="ignore")
    start, end = text.rfind(f"<{name}>"), text.rfind(f"</{name}>")
    return text[start + len(name) + 2 : end] if 0 <= start < end else None


def _without_ours(text: str) -> str:
    """A packet without the properties of an earlier recipe, and with everything else that it holds.

    By plain searches: a packet may be a megabyte of anybody's making.
    """
    for name in _PROPERTIES:
        opening, closing = f"<{name}>", f"</{name}>"
        kept = []
        at = 0
        while (start := text.find(opening, at)) >= 0 and (end := text.find(closing, start)) >= 0:
            kept.append(text[at:start])
            at = end + len(closing)
        text = "".join((*kept, text[at:]))
    return text.replace(_OPEN + _CLOSE, "")
