"""What is done to an Exif block: upright, without what no longer holds, without what is private.

A block is taken apart and written again. Maker notes are carried as they are; those of some makers
point to places in the old block by number and cannot be followed afterwards, as with most software.
"""

from __future__ import annotations

from collections.abc import Iterable

from enlarger.imaging.ifd import ReadAt, Structure, Tags, directory, opening, serialised

BLOCK_MAX = 1024 * 1024
"""Bytes of a block that are carried at most."""
DOUBTFUL = (ValueError, EOFError, OverflowError, RecursionError)
"""What reading a damaged block raises."""

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
BELOW = {EXIF, GPS, INTEROPERABILITY}
"""Tags that point to directories (Exif 3.0, section 4.6.3)."""
UPRIGHT = 1
INCH = 2

STRUCTURAL = {
    *(0x00FE, 0x00FF, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x010A, 0x0111, 0x0115, 0x0116, 0x0117),
    *(0x011C, 0x013D, 0x0140, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x0152, 0x0153, 0x015B),
    *(0x0201, 0x0202, 0x0211, 0x0212, 0x0214, 0x02BC, 0x83BB, 0x8649, 0x8773, 0xA002, 0xA003),
}
"""Tags about how pixels lie in a file, its size, its thumbnail; the new file has others."""

HARMLESS = {
    # Maker, model, orientation, resolution, software, time, artist, copyright, and the pointers.
    *(0x010F, 0x0110, ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, 0x0131, 0x0132, 0x013B),
    *(0x0213, 0x8298, EXIF, INTEROPERABILITY),
    # Exposure, times, lens, colour space, scene.
    *(
        0x829A,
        0x829D,
        0x8822,
        0x8827,
        *range(0x8830, 0x8836),
        0x9000,
        0x9003,
        0x9004,
        0x9010,
        0x9011,
        0x9012,
    ),
    *(0x9101, 0x9102, *range(0x9201, 0x920B), 0x9290, 0x9291, 0x9292, 0xA000, 0xA001, 0xA20B, 0xA20E),
    *(0xA20F, 0xA210, 0xA215, 0xA217, 0xA300, 0xA301, *range(0xA401, 0xA40B), 0xA40C, 0xA432, 0xA433),
    *(0xA434, 0xA460, 0xA500, 0x0001, 0x0002),
}
"""Tags that say nothing about who, where or which camera: a list of what stays, because what
unknown tags hold is unknown. Artist and copyright stay: they are there to be read."""


def parsed(block: bytes) -> tuple[Structure, Tags]:
    """The tags of a block, with its directories below them; a thumbnail's directory is left out.

    Raises one of DOUBTFUL for what is none.
    """
    read_at = reader_of(block)
    structure, first = opening(read_at)
    return structure, tree(read_at, structure, first)


def tree(read_at: ReadAt, structure: Structure, offset: int, wanted: Iterable[int] | None = None) -> Tags:
    """A directory and those that its tags point to, two levels down, each within BLOCK_MAX."""
    chosen = None if wanted is None else {*wanted}
    entries, _ = directory(read_at, structure, offset, wanted=chosen, budget=BLOCK_MAX)
    tags: Tags = dict(entries)
    for tag in BELOW & entries.keys():
        del tags[tag]
        try:
            below = tree(read_at, structure, structure.values(entries[tag])[0])
        except DOUBTFUL:
            continue
        tags[tag] = below
    return tags


def normalised(structure: Structure, tags: Tags) -> bytes | None:
    """A block of these tags for a picture that is upright and of another size; None if none are left."""
    kept = _without(tags, STRUCTURAL)
    if ORIENTATION in kept:
        kept[ORIENTATION] = structure.shorts(UPRIGHT)
    return _block(structure, kept)


def cleaned(block: bytes) -> bytes | None:
    """A block without places, owners, serial numbers, identifiers, comments and maker notes."""
    try:
        structure, tags = parsed(block)
    except DOUBTFUL:
        return None
    return _block(structure, _only(tags, HARMLESS))


def orientation_in(block: bytes) -> int:
    """The orientation that a block states, 1 to 8; 1 where it makes no sense."""
    try:
        read_at = reader_of(block)
        structure, first = opening(read_at)
        entries, _ = directory(read_at, structure, first, wanted={ORIENTATION}, budget=64)
        value = structure.values(entries[ORIENTATION])[0]
    except (*DOUBTFUL, KeyError, IndexError):
        return UPRIGHT
    return value if entries[ORIENTATION].kind == 3 and 1 <= value <= 8 else UPRIGHT


def resolution_in(structure: Structure, tags: Tags) -> tuple[float, float] | None:
    """Pixels per inch across and down."""
    found: list[float] = []
    for tag in (X_RESOLUTION, Y_RESOLUTION):
        entry = tags.get(tag)
        if entry is None or isinstance(entry, dict) or entry.kind != 5:
            return None
        above, below = structure.values(entry)[:2]
        found.append(above / below if below else 0.0)
    entry = tags.get(RESOLUTION_UNIT)
    unit = structure.values(entry)[0] if entry is not None and not isinstance(entry, dict) else 2
    scale = {2: 1.0, 3: 2.54}.get(unit)
    if scale is None or min(found) <= 0:
        return None
    return found[0] * scale, found[1] * scale


def resolved(block: bytes, dpi: tuple[float, float]) -> bytes | None:
    """A block that states this resolution where it stated one; as it is where it did not."""
    structure, tags = parsed(block)
    if not {X_RESOLUTION, Y_RESOLUTION} & tags.keys():
        return block
    own = Structure(structure.order)
    stated: Tags = {
        X_RESOLUTION: own.ratio(dpi[0]),
        Y_RESOLUTION: own.ratio(dpi[1]),
        RESOLUTION_UNIT: own.shorts(INCH),
    }
    return _block(structure, {**tags, **stated})


def reader_of(block: bytes) -> ReadAt:
    """Reads from bytes."""

    def read_at(offset: int, size: int) -> bytes:
        if offset + size > len(block):
            raise EOFError
        return block[offset : offset + size]

    return read_at


def _block(structure: Structure, tags: Tags) -> bytes | None:
    if not tags:
        return None
    plain = Structure(structure.order)
    start = b"II*\0\x08\0\0\0" if plain.order == "<" else b"MM\0*\0\0\0\x08"
    return start + serialised(tags, len(start), plain)


def _without(tags: Tags, dropped: set[int]) -> Tags:
    kept = {
        tag: _without(value, dropped) if isinstance(value, dict) else value
        for tag, value in tags.items()
        if tag not in dropped
    }
    return {tag: value for tag, value in kept.items() if value != {}}


def _only(tags: Tags, allowed: set[int]) -> Tags:
    kept = {
        tag: _only(value, allowed) if isinstance(value, dict) else value
        for tag, value in tags.items()
        if tag in allowed
    }
    return {tag: value for tag, value in kept.items() if value != {}}
