"""WebP's container: what its chunks say, and pixels of another encoder put into one.

Source: WebP Container Specification, and RFC 6386 and the lossless specification for the sizes.
Read here, because Pillow takes the whole file into memory and a canvas besides to say its size.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from enlarger.imaging.metadata import Metadata

ICC_FLAG, ALPHA_FLAG, EXIF_FLAG, XMP_FLAG = 0x20, 0x10, 0x08, 0x04
VP8L_ALPHA = 0x10
"""In the fifth byte of a lossless picture: it has opacity."""
BLOCK_MAX = 16 * 1024 * 1024
"""Bytes of one block that are read; a colour profile for print has one or two million."""
CHUNKS_MAX = 100_000
LEADING = 10
"""Bytes of a chunk that say how large its picture is."""


@dataclass(frozen=True)
class WebpHeader:
    """What the chunks say."""

    width: int
    height: int
    frames: int
    icc_profile: bytes | None
    metadata: Metadata


def read_header(file: BinaryIO) -> WebpHeader:
    """Read the chunks of a WebP without its pixels.

    Raises ValueError for what is none.
    """
    size: tuple[int, int] | None = None
    frames, has_frames = 0, False
    blocks: dict[bytes, bytes] = {}
    for kind, start, length in _chunks(file):
        if kind in (b"VP8X", b"VP8 ", b"VP8L"):
            found = _size(kind, file.read(min(length, LEADING)))
            size = size or found
        elif kind == b"ANMF":
            frames += 1
        elif kind == b"ANIM":
            has_frames = True
        elif kind in (b"ICCP", b"EXIF", b"XMP ") and length <= BLOCK_MAX:
            blocks.setdefault(kind, file.read(length))
        file.seek(start + length + length % 2)
    if size is None or 0 in size:
        raise ValueError("no picture in the WebP")
    metadata = Metadata(exif=blocks.get(b"EXIF"), xmp=blocks.get(b"XMP "))
    return WebpHeader(*size, frames if has_frames else 1, blocks.get(b"ICCP"), metadata)


def contained(
    encoded: bytes | bytearray, width: int, height: int, icc_profile: bytes | None, said: Metadata
) -> list[bytes | memoryview]:
    """The parts of a WebP file of the pixels in `encoded`, one without metadata, and these blocks.

    WebP has no place for IPTC, resolution and comments.
    """
    pixels, flags = _pixels(encoded)
    before, behind = b"", b""
    if icc_profile is not None:
        flags |= ICC_FLAG
        before = _chunk(b"ICCP", icc_profile)
    if said.exif is not None:
        flags |= EXIF_FLAG
        behind += _chunk(b"EXIF", said.exif)
    if said.xmp is not None:
        flags |= XMP_FLAG
        behind += _chunk(b"XMP ", said.xmp)
    canvas = (
        struct.pack("<I", flags) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    )
    parts: list[bytes | memoryview] = [b"WEBP" + _chunk(b"VP8X", canvas) + before, *pixels, behind]
    return [b"RIFF" + struct.pack("<I", sum(len(part) for part in parts)), *parts]


def _pixels(encoded: bytes | bytearray) -> tuple[list[memoryview], int]:
    """The chunks that hold pixels, and ALPHA_FLAG if some of them are opacity."""
    chunks: list[memoryview] = []
    flags, at = 0, 12
    while at + 8 <= len(encoded):
        kind, length = bytes(encoded[at : at + 4]), struct.unpack_from("<I", encoded, at + 4)[0]
        end = at + 8 + length + length % 2
        has_alpha = kind == b"ALPH" or (kind == b"VP8L" and encoded[at + 12] & VP8L_ALPHA)
        flags |= ALPHA_FLAG if has_alpha else 0
        if kind in (b"ALPH", b"VP8 ", b"VP8L"):
            chunks.append(memoryview(encoded)[at:end])
        at = end
    return chunks, flags


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and length of each chunk; the file stands at the start."""
    end = file.seek(0, os.SEEK_END)
    file.seek(8)
    if file.read(4) != b"WEBP":
        raise ValueError("not a WebP")
    at = 12
    for _ in range(CHUNKS_MAX):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length = struct.unpack("<I", head[4:])[0]
        if at + 8 + length > end:
            raise ValueError("cut short")
        yield head[:4], at + 8, length
        at += 8 + length + length % 2


def _size(kind: bytes, start: bytes) -> tuple[int, int]:
    if len(start) < (5 if kind == b"VP8L" else LEADING):
        raise ValueError("cut short")
    if kind == b"VP8X":
        return 1 + int.from_bytes(start[4:7], "little"), 1 + int.from_bytes(start[7:10], "little")
    if kind == b"VP8 ":
        if start[3:6] != b"\x9d\x01\x2a":
            raise ValueError("no start code")
        width, height = struct.unpack_from("<HH", start, 6)
        return width & 0x3FFF, height & 0x3FFF
    if start[0] != 0x2F:
        raise ValueError("no signature")
    bits = int.from_bytes(start[1:5], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
