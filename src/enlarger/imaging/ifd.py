"""Directories of tags, the structure that TIFF and Exif share (TIFF 6.0, section 2; BigTIFF).

Read with a budget, because a file of a few kilobytes can point a thousand tags at the same large
block; written again from what was read. Values stay bytes in the byte order of their file: what
most of them mean is nobody's business here. Never imports anything of the project.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, LONG8, IFD8 = 1, 2, 3, 4, 5, 7, 16, 18
UNITS = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 4,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 4,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of a value's unit, which is what byte order turns round; a fraction is two units."""
FRACTIONS = (5, 10)
ENTRIES_MAX = 4096
"""More tags than any real directory has."""

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""(offset, size) to exactly that many bytes; raises EOFError where the file ends before."""


@dataclass(frozen=True)
class Entry:
    """One tag's value."""

    kind: int
    """TIFF's type of the value."""
    count: int
    data: bytes
    """In the byte order of the structure that it was read from."""


Tags: TypeAlias = "dict[int, Entry | Tags]"
"""Tag to value, or to the directory that the tag points to."""


@dataclass(frozen=True)
class Structure:
    """How numbers are written in one file or block."""

    order: str = "<"
    """`<` or `>`, as in struct."""
    is_big: bool = False
    """BigTIFF: offsets and counts of 8 bytes."""

    @property
    def pointer(self) -> str:
        """struct's letter for an offset."""
        return "Q" if self.is_big else "I"

    def number(self, value: int) -> Entry:
        """An offset or a length, of this structure's width."""
        return Entry(LONG8 if self.is_big else LONG, 1, struct.pack(self.order + self.pointer, value))

    def shorts(self, *values: int) -> Entry:
        """Small numbers."""
        return Entry(SHORT, len(values), struct.pack(f"{self.order}{len(values)}H", *values))

    def ratio(self, value: float) -> Entry:
        """A number above 0 as a fraction, to a ten-thousandth."""
        found = Fraction(value).limit_denominator(10_000)
        above = min(found.numerator, 2**32 - 1)
        return Entry(RATIONAL, 1, struct.pack(self.order + "II", above, found.denominator))

    def values(self, entry: Entry) -> tuple[int, ...]:
        """A value's whole numbers: one for each unit, so two for a fraction."""
        unit = UNITS.get(entry.kind, 1)
        return tuple(np.frombuffer(entry.data, f"{self.order}u{unit}").tolist())


def opening(read_at: ReadAt) -> tuple[Structure, int]:
    """The structure that a file or block announces, and where its first directory is.

    Raises ValueError if it is none of TIFF's.
    """
    start = read_at(0, 8)
    order = {b"II": "<", b"MM": ">"}.get(start[:2])
    if order is None:
        raise ValueError("no byte order")
    version = struct.unpack(order + "H", start[2:4])[0]
    if version == 42:
        return Structure(order), struct.unpack(order + "I", start[4:8])[0]
    if version == 43 and struct.unpack(order + "HH", start[4:8]) == (8, 0):
        return Structure(order, is_big=True), struct.unpack(order + "Q", read_at(8, 8))[0]
    raise ValueError(f"version {version}")


def directory(
    read_at: ReadAt, structure: Structure, offset: int, *, wanted: Container[int] | None, budget: int
) -> tuple[dict[int, Entry], int]:
    """The tags of the directory at `offset`, and where the next one is; 0 where there is none.

    wanted  the tags to read; None for all.
    budget  bytes of values to read at most; a value that does not fit is left out.

    Raises ValueError or EOFError for what is no directory.
    """
    order, pointer = structure.order, structure.pointer
    width, inline = (20, 8) if structure.is_big else (12, 4)
    count_format = order + ("Q" if structure.is_big else "H")
    count = struct.unpack(count_format, read_at(offset, struct.calcsize(count_format)))[0]
    if not 0 < count <= ENTRIES_MAX:
        raise ValueError(f"{count} tags")
    table = offset + struct.calcsize(count_format)
    raw = read_at(table, count * width + inline)
    found: dict[int, Entry] = {}
    for at in range(0, count * width, width):
        tag, kind = struct.unpack_from(order + "HH", raw, at)
        length = struct.unpack_from(order + pointer, raw, at + 4)[0]
        size = length * UNITS.get(kind, 0) * (2 if kind in FRACTIONS else 1)
        if not 0 < size <= budget or not (wanted is None or tag in wanted):
            continue
        place = at + width - inline
        if size <= inline:
            data = raw[place : place + size]
        else:
            try:
                data = read_at(struct.unpack_from(order + pointer, raw, place)[0], size)
            except (EOFError, OSError, OverflowError):
                continue  # this value is beyond the end; the others are not
        budget -= size
        found[tag] = Entry(kind, length, data)
    return found, struct.unpack_from(order + pointer, raw, count * width)[0]


def serialised(tags: Tags, start: int, structure: Structure) -> bytes:
    """A directory that lies at `start`, with its values and the directories below it behind it."""
    order, pointer = structure.order, structure.pointer
    inline = 8 if structure.is_big else 4
    table = struct.pack(order + ("Q" if structure.is_big else "H"), len(tags))
    behind = b""
    position = start + len(table) + len(tags) * (20 if structure.is_big else 12) + inline
    for tag in sorted(tags):
        value = tags[tag]
        if isinstance(value, dict):
            below = serialised(value, position + len(behind), structure)
            value, data = structure.number(position + len(behind)), below
            field = value.data
        elif len(value.data) <= inline:
            data, field = b"", value.data.ljust(inline, b"\0")
        else:
            data, field = value.data, struct.pack(order + pointer, position + len(behind))
        table += struct.pack(order + "HH" + pointer, tag, value.kind, value.count) + field
        behind += data + bytes(len(data) % 2)  # values lie at even offsets
    return table + bytes(inline) + behind


def turned(tags: Tags, source: Structure, target: Structure) -> Tags:
    """The same values in the byte order of another structure."""
    if source.order == target.order:
        return tags
    result: Tags = {}
    for tag, value in tags.items():
        if isinstance(value, dict):
            result[tag] = turned(value, source, target)
        else:
            swapped = np.frombuffer(value.data, f"u{UNITS.get(value.kind, 1)}").byteswap().tobytes()
            result[tag] = Entry(value.kind, value.count, swapped)
    return result
