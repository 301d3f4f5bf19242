"""How a result was made, as the file itself says: enough to make another in the same way.

A recipe is a request, the digests of the networks that may have run and the version. It travels in
the file's XMP packet, so that every format carries it in one way and editors keep it. Its digest
says "made alike": with the digest of an input, which lies beside it in the packet, it is the key
under which work is known to be done.
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
_PROPERTY = re.compile(r"<enl:recipe>(.*?)</enl:recipe>", re.DOTALL)
_SOURCE = re.compile(r"<enl:source>([0-9a-f]{64})</enl:source>")
_DESCRIPTION = re.compile(
    r'\s*<rdf:Description[^>]*xmlns:enl="' + re.escape(NAMESPACE) + r'".*?</rdf:Description>', re.DOTALL
)
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    '</x:xmpmeta>\n<?xpacket end="w"?>'
)
_END = "</rdf:RDF>"


@dataclass(frozen=True)
class Recipe:
    """A request and what served it."""

    request: UpscaleRequest
    networks: Mapping[str, str]
    """SHA-256 over each network's weights, by its name in the catalogue."""
    version: str
    """Of Enlarger."""

    @property
    def text(self) -> str:
        """Canonical JSON."""
        return msgspec.json.encode(self, order="sorted").decode()

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
            text = _DESCRIPTION.sub("", xmp.decode("utf-8", errors="ignore"))
            if text.count(_END) == 1:
                packet = text
        own = (
            f'<rdf:Description rdf:about="" xmlns:enl="{NAMESPACE}">'
            f"<enl:recipe>{escape(self.text)}</enl:recipe>"
            f"{'' if source is None else f'<enl:source>{source}</enl:source>'}</rdf:Description>"
        )
        return packet.replace(_END, own + _END).encode()

    @classmethod
    def read_from(cls, xmp: bytes | None) -> Recipe:
        """The recipe in an XMP packet. Raises BadParameter if there is none that can be understood."""
        found = _PROPERTY.search((xmp or b"").decode("utf-8", errors="ignore"))
        if found is None:
            raise BadParameter(
                "the file carries no recipe: it was not made here, or its metadata was stripped",
                param="recipe",
            )
        try:
            recipe = msgspec.json.decode(unescape(found[1]), type=cls)
        except msgspec.DecodeError as error:
            raise BadParameter(f"the file's recipe is not understood: {error}", param="recipe") from error
        # A file may come from anyone: its target is what its text says, and nothing else.
        target = Target.parse(recipe.request.target.text)
        return replace(recipe, request=replace(recipe.request, target=target))


def source_in(xmp: bytes | None) -> str | None:
    """SHA-256, in hex, of the file that a result was made from, if the result's XMP packet says it."""
    found = _SOURCE.search((xmp or b"").decode("utf-8", errors="ignore"))
    return None if found is None else found[1]
