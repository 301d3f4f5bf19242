"""XMP packets: told to be UTF-8 and upright, and cut in two where a JPEG's segment is too small.

Source: Adobe's XMP specification, part 3, section 1.1.3: what does not fit the one segment of a JPEG
is a second packet in segments of their own, whose MD5 the first one names.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import struct
from collections.abc import Iterable
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
EXTENSION_PREFIX = b"http://ns.adobe.com/xmp/extension/\0"
STANDARD_MAX = 65_502
"""Bytes of a packet that one segment of a JPEG holds."""
PORTION_MAX = 65_400
"""Bytes of the second packet in one segment."""
DIGEST_CHARS = 32
ROOT = "rdf:RDF"
NOTE = (
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/"'
    b' xmpNote:HasExtendedXMP="%s"/>'
)
_OPEN_DIGEST = b"#" * DIGEST_CHARS
_NOTED = re.compile(rb"""xmpNote:HasExtendedXMP(?:\s*=\s*["']|>)\s*([0-9A-Fa-f]{32})""")
_NOTES = re.compile(
    rb"""<rdf:Description rdf:about="" xmlns:xmpNote="[^"]{0,64}" xmpNote:HasExtendedXMP="[^"]{0,64}"/>"""
    rb"""|\s*xmpNote:HasExtendedXMP\s*=\s*(?:"[^"]{0,64}"|'[^']{0,64}')"""
    rb"""|<xmpNote:HasExtendedXMP>[^<]{0,64}</xmpNote:HasExtendedXMP>"""
)
_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>\s*))[1-8]""")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>\s*")
OF_PARTS = (b"hdrgm:", b"Container:Directory", b"GContainer")
"""Marks of a packet that lists other pictures of its file (a gain map, a depth map): the new file
does not have them, and viewers look for them where it says."""
_STARTS = (
    # In this order: the mark of UTF-16 begins that of UTF-32.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""What packets in other encodings begin with: XMP allows all of Unicode's."""


def in_utf8(packet: bytes) -> bytes:
    """A packet of any of Unicode's encodings in UTF-8; as it is where it cannot be decoded."""
    for start, encoding in _STARTS:
        if packet.startswith(start):
            try:
                text = packet.decode(encoding)
            except UnicodeDecodeError:
                return packet
            return _DECLARATION.sub("", text.removeprefix("\ufeff")).encode()
    return packet


def upright(packet: bytes, limit: int) -> bytes | None:
    """A packet that holds for the upright picture in a file of one packet; None for one that cannot.

    limit  bytes; a larger one is left out.
    """
    if not packet or len(packet) > limit or any(mark in packet for mark in OF_PARTS):
        return None
    try:
        packet.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return _ORIENTATION.sub(rb"\g<1>1", _NOTES.sub(b"", packet))


def segments(packet: bytes) -> list[bytes]:
    """What a JPEG's APP1 segments hold of a packet: one, or the first and the portions of a second.

    Nothing of a packet that fits no segment and is no XML that could be taken apart.
    """
    if len(packet) <= STANDARD_MAX:
        return [PREFIX + packet]
    try:
        first, second = _split(packet)
    except (expat.ExpatError, ValueError):
        return []
    digest = hashlib.md5(second, usedforsecurity=False).hexdigest().upper().encode()
    parts = [PREFIX + first.replace(_OPEN_DIGEST, digest)]
    for at in range(0, len(second), PORTION_MAX):
        head = EXTENSION_PREFIX + digest + struct.pack(">II", len(second), at)
        parts.append(head + second[at : at + PORTION_MAX])
    return parts


def joined(packet: bytes, extensions: Iterable[bytes], limit: int) -> bytes:
    """The packet with what it says lies in a second one; without, where that is not whole.

    extensions  what the segments hold that begin with EXTENSION_PREFIX.
    limit       bytes of both together.
    """
    noted = _NOTED.search(packet)
    second = None if noted is None else _gathered(noted[1].upper(), extensions, limit - len(packet))
    if second is None:
        return packet
    try:
        whole, more = _TakenApart(packet), _TakenApart(in_utf8(second))
    except (expat.ExpatError, ValueError):
        return packet
    return packet[: whole.end] + b"".join(more.children) + packet[whole.end :]


def _split(packet: bytes) -> tuple[bytes, bytes]:
    """A first packet that fits, the digest in it open, and a second with the rest.

    The last elements go into the first: the recipe is one.
    """
    found = _TakenApart(packet)
    around = packet[: found.start], packet[found.end :].rstrip()
    note = NOTE % _OPEN_DIGEST
    room = STANDARD_MAX - len(around[0]) - len(note) - len(around[1])
    if room < 0:
        raise ValueError("what is around the properties fills the segment")
    first: list[bytes] = []
    rest: list[bytes] = []
    for child in reversed(found.children):
        if len(child) <= room:
            room -= len(child)
            first.insert(0, child)
        else:
            rest.insert(0, child)
    second = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        + b"".join(rest)
        + b"</rdf:RDF></x:xmpmeta>"
    )
    return around[0] + b"".join((*first, note)) + around[1], second


def _gathered(digest: bytes, extensions: Iterable[bytes], limit: int) -> bytes | None:
    """The second packet from its portions, in whatever order; None if one is missing."""
    head = len(EXTENSION_PREFIX) + DIGEST_CHARS
    portions: dict[int, bytes] = {}
    wanted = 0
    for extension in extensions:
        if len(extension) < head + 8 or extension[len(EXTENSION_PREFIX) : head].upper() != digest:
            continue
        wanted, at = struct.unpack_from(">II", extension, head)
        portions[at] = extension[head + 8 :]
    if not 0 < wanted <= limit:
        return None
    second = b""
    for at in sorted(portions):
        if at != len(second):
            return None
        second += portions[at]
    return second if len(second) == wanted else None


class _TakenApart:
    """Where the elements of a packet are."""

    def __init__(self, packet: bytes) -> None:
        """Raises ExpatError or ValueError for what is no packet."""
        self.start = 0
        """Where the first of rdf:RDF's elements begins."""
        self.end = 0
        """Where rdf:RDF is closed."""
        self.children: list[bytes] = []
        """rdf:RDF's elements, each with the names that are declared around it."""
        self._packet = packet
        self._around: dict[str, str] = {}
        self._names: list[str] = []
        self._child: tuple[int, dict[str, str]] = 0, {}
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.Parse(packet, True)
        if not self.end:
            raise ValueError("a packet has one rdf:RDF")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if ROOT not in self._names:
            declared = {key: value for key, value in attributes.items() if key.startswith("xmlns")}
            self._around.update(declared)
        elif self._names[-1] == ROOT:
            self._child = self._parser.CurrentByteIndex, attributes
            self.start = self.start or self._child[0]
        self._names.append(name)

    def _end(self, name: str) -> None:
        self._names.pop()
        at = self._parser.CurrentByteIndex
        if name == ROOT:
            self.start, self.end = self.start or at, at
        elif self._names[-1:] == [ROOT]:
            begin, attributes = self._child
            # Of an element without content the parser names the place behind it.
            has_tag = self._packet.startswith(f"</{name}".encode(), at)
            stop = self._packet.index(b">", at) + 1 if has_tag else at
            missing = "".join(
                f" {key}={quoteattr(value)}" for key, value in self._around.items() if key not in attributes
            )
            behind = begin + 1 + len(name.encode())
            self.children.append(self._packet[begin:behind] + missing.encode() + self._packet[behind:stop])

    def _refuse(self, *arguments: Any) -> None:
        raise ValueError("a packet has no document type")
