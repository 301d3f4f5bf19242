"""XMP in a GIF: an application extension behind the colours that all its pictures share.

Source: GIF89a, sections 17 to 26, and Adobe's XMP specification, part 3, section 1.1.2.
"""

from __future__ import annotations

from typing import BinaryIO

from enlarger.imaging.exif import BLOCK_MAX

START_BYTES = 13
"""Signature and screen descriptor."""
EXTENSION, IMAGE, APPLICATION = 0x21, 0x2C, 0xFF
NAME = b"\x21\xff\x0bXMP DataXMP"
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
"""Behind the packet: who takes its characters for lengths of blocks ends up at the last zero."""
BLOCKS_MAX = 100_000


def extension(packet: bytes) -> bytes:
    """The extension that holds a packet, which is UTF-8."""
    return NAME + packet + TRAILER


def behind_colours(start: bytes) -> tuple[int, int] | None:
    """Where extensions may stand, for `splice.Spliced`."""
    if len(start) < START_BYTES:
        return None
    has_colours, size = start[10] & 0x80, start[10] & 0x07
    place = START_BYTES + (3 << (size + 1) if has_colours else 0)
    return (place, place) if len(start) >= place else None


def packet_in(file: BinaryIO) -> bytes | None:
    """The XMP packet before the first picture of a GIF, at most BLOCK_MAX bytes of it."""
    file.seek(0)
    found = behind_colours(file.read(START_BYTES + (3 << 8)))
    if found is None:
        return None
    file.seek(found[0])
    data = file.read(BLOCK_MAX + len(NAME) + len(TRAILER))
    at = 0
    for _ in range(BLOCKS_MAX):
        if len(data) < at + 2 or data[at] != EXTENSION:
            return None
        begin = at + len(NAME)
        is_packet = data.startswith(NAME, at)
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
        if is_packet:
            return data[begin : at - len(TRAILER)] if data[begin:at].endswith(TRAILER) else None
    return None
