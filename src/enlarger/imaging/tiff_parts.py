"""Whether a TIFF says, of every strip or tile, where in the file it is.

libtiff takes a part of which it is not told for one that is all zeros: a file cut in the middle of
that list would decode without an error, black.
"""

from __future__ import annotations

from enlarger.imaging.ifd import Entry, ReadAt, Structure, directory

LIST_BYTES = 32 * 1024 * 1024
"""Two million parts of BigTIFF."""
STRIPS, STRIP_SIZES, ROWS, TILES, TILE_SIZES, TILE_WIDTH, TILE_HEIGHT = 273, 279, 278, 324, 325, 322, 323
PLANES = 284
WHERE = {STRIPS, STRIP_SIZES, ROWS, TILES, TILE_SIZES, TILE_WIDTH, TILE_HEIGHT, PLANES}
SEPARATE = 2


def check_parts(
    read_at: ReadAt, structure: Structure, first: int, size: tuple[int, int, int], file_bytes: int
) -> None:
    """Raise ValueError if a part of the first page is missing, empty or beyond the end of the file.

    size  width, height and samples of a pixel.
    """
    tags, _ = directory(read_at, structure, first, wanted=WHERE, budget=LIST_BYTES)
    width, height, samples = size

    def number(tag: int, default: int) -> int:
        entry = tags.get(tag)
        return default if entry is None else max(structure.values(entry)[0], 1)

    if TILE_WIDTH in tags:
        needed = -(-width // number(TILE_WIDTH, 1)) * -(-height // number(TILE_HEIGHT, 1))
        places, sizes = tags.get(TILES, tags.get(STRIPS)), tags.get(TILE_SIZES, tags.get(STRIP_SIZES))
    else:
        needed = -(-height // number(ROWS, height))
        places, sizes = tags.get(STRIPS), tags.get(STRIP_SIZES)
    if number(PLANES, 1) == SEPARATE:
        needed *= samples
    _check(structure, places, sizes, needed, file_bytes)


def _check(
    structure: Structure, places: Entry | None, sizes: Entry | None, needed: int, file_bytes: int
) -> None:
    if places is None or sizes is None:
        raise ValueError("the list of parts is missing")
    starts, counts = structure.values(places), structure.values(sizes)
    if min(len(starts), len(counts)) < needed:
        raise ValueError(f"{min(len(starts), len(counts))} of {needed} parts are listed")
    for start, count in zip(starts[:needed], counts, strict=False):
        if start <= 0 or count <= 0 or start + count > file_bytes:
            raise ValueError(f"a part of {count} bytes at {start} of {file_bytes}")
