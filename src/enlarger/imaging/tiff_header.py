"""What a TIFF says of itself: size, kind of samples, pages, metadata; no pixel is touched.

Read here and not by Pillow, which refuses kinds of TIFF that are read well (16 bits with opacity,
Lab), and which reads every tag of every page with no limit on what they point to.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from enlarger.imaging import exif
from enlarger.imaging.ifd import Entry, ReadAt, Structure, directory, opening
from enlarger.imaging.metadata import Metadata
from enlarger.imaging.tiff_parts import check_parts

SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION = 254, 256, 257, 258, 259, 262, 274
SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT, XMP, IPTC, ICC_PROFILE = 277, 338, 339, 700, 33723, 34675
SHAPE = {SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, ORIENTATION}
SHAPE |= {SAMPLES, EXTRA_SAMPLES, SAMPLE_FORMAT}
SHAPE_BYTES = 4096
RAW_PHOTOGRAPH = 50706
"""DNGVersion: what the first page holds is a preview."""
DESCRIPTIVE = {
    *(270, 271, 272, exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT, 305, 306, 315, 316),
    *(33432, exif.EXIF, exif.GPS, *range(40091, 40096)),
}
"""Tags that Exif has as well: description, maker, model, software, time, artist, copyright, and such."""
NO_PAGE = 0b101
"""NewSubfileType of what is no page: a smaller version (1) or a mask (4)."""
PAGES_MAX = 1000
"""Pages are counted no further."""
UNSIGNED, FLOAT = 1, 3
"""SampleFormat."""
OPACITY = (1, 2)
"""ExtraSamples that are opacity: multiplied into the colours, or not."""


@dataclass(frozen=True)
class TiffHeader:
    """The first page, and how many there are."""

    width: int
    height: int
    orientation: int
    pages: int
    bits: tuple[int, ...]
    """Of each sample, the extra ones with them."""
    compression: int
    sample_format: int
    photometric: int
    samples: int
    extra: tuple[int, ...]
    """What the samples beyond the colours are, as ExtraSamples has it."""
    is_raw: bool
    """A camera's raw photograph: the first page is a preview."""
    icc_profile: bytes | None
    metadata: Metadata


def read_header(file: BinaryIO) -> TiffHeader:
    """Read the first page's tags and count the pages.

    Raises ValueError or EOFError for what is no TIFF, or one cut short.
    """
    read_at = _reader_of(file)
    structure, first = opening(read_at)
    shape, _ = directory(read_at, structure, first, wanted={*SHAPE, RAW_PHOTOGRAPH}, budget=SHAPE_BYTES)

    def numbers(tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
        return structure.values(shape[tag]) if tag in shape else default

    width, height, samples = numbers(WIDTH, (0,))[0], numbers(HEIGHT, (0,))[0], numbers(SAMPLES, (1,))[0]
    check_parts(read_at, structure, first, (width, height, samples), file.seek(0, os.SEEK_END))
    orientation = numbers(ORIENTATION, (1,))[0]
    return TiffHeader(
        width=width,
        height=height,
        orientation=orientation if 1 <= orientation <= 8 else 1,
        pages=_pages(read_at, structure, first),
        bits=numbers(BITS, (1,)),
        compression=numbers(COMPRESSION, (1,))[0],
        sample_format=max(numbers(SAMPLE_FORMAT, (UNSIGNED,))),
        photometric=numbers(PHOTOMETRIC, (0,))[0],
        samples=samples,
        extra=numbers(EXTRA_SAMPLES, ()),
        is_raw=RAW_PHOTOGRAPH in shape,
        icc_profile=_block(read_at, structure, first, ICC_PROFILE),
        metadata=_metadata(read_at, structure, first),
    )


def _metadata(read_at: ReadAt, structure: Structure, first: int) -> Metadata:
    tags = exif.tree(read_at, structure, first, DESCRIPTIVE)
    return Metadata(
        exif=exif.normalised(structure, tags),
        xmp=_block(read_at, structure, first, XMP),
        iptc=_block(read_at, structure, first, IPTC),
        dpi=exif.resolution_in(structure, tags),
    )


def _block(read_at: ReadAt, structure: Structure, first: int, tag: int) -> bytes | None:
    limit = 16 * exif.BLOCK_MAX if tag == ICC_PROFILE else exif.BLOCK_MAX
    entries, _ = directory(read_at, structure, first, wanted={tag}, budget=limit)
    entry: Entry | None = entries.get(tag)
    return None if entry is None else entry.data


def _pages(read_at: ReadAt, structure: Structure, first: int) -> int:
    """How many pages there are, the first included whatever it says of itself."""
    count, seen, offset = 0, {0}, first
    while offset not in seen and len(seen) <= PAGES_MAX:
        seen.add(offset)
        try:
            tags, following = directory(read_at, structure, offset, wanted={SUBFILE}, budget=SHAPE_BYTES)
        except (ValueError, EOFError, OverflowError):
            break  # a chain that leads nowhere: what came before is there
        kind = structure.values(tags[SUBFILE])[0] if SUBFILE in tags else 0
        count += offset == first or not kind & NO_PAGE
        offset = following
    return count


def _reader_of(file: BinaryIO) -> ReadAt:
    size = file.seek(0, os.SEEK_END)

    def read_at(offset: int, count: int) -> bytes:
        if offset + count > size:
            raise EOFError
        file.seek(offset)
        data = file.read(count)
        if len(data) != count:
            raise EOFError
        return data

    return read_at
