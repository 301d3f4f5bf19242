"""Sees the blocks of a JPEG in the pixels, whatever the file is now, and takes them out.

A JPEG compressed again at its own quality hardly changes: its coefficients lie on the quantiser's
steps already. So the quality at which a picture changes least is the one that it was compressed
with, if it changes much less there than when the grid of blocks is moved. The blocks are taken out
by compressing moved copies and averaging (Nosratinia 2001, "Enhancement of JPEG-compressed images
by re-application of JPEG"): every copy is as near to the picture, and their blocks lie elsewhere.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.bands import Band, Bands, Reader, as_bytes

QUALITIES = tuple(range(10, 77, 2))
"""Those that are tried: blocks of a higher quality are not worth a repair that softens."""
PROBE_PX = 128
"""Side of the squares that are tried."""
PROBES = 5
"""Squares along each axis from which the ones with most detail are taken."""
PROBED = 6
CHANGE_MAX = 0.5
"""A quality is believed if the picture changes by less than this share of what it changes by on a
moved grid. Measured on nine photographs at two sizes: at most 0.25 for JPEGs of 40 to 75, at least
0.9 for pictures that never were one."""
FLAT_SHARE_MAX = 0.6
"""A square with more blocks of one colour than this says nothing about a JPEG."""
LEAST_SIDE = 48
"""Smaller pictures show too few blocks to tell."""
MCU = 16
"""Blocks of colour are this wide with 4:2:0."""
SHIFT_STEP = 2
"""Every second shift of 8x8 gives all but 0.02 dB of what every one gives."""
STRIP_ROWS = 512


@dataclass(frozen=True)
class Compression:
    """How a picture was compressed, as its pixels show."""

    quality: int
    """As libjpeg counts it, to about 5."""
    subsampling: str
    """`4:2:0` or `4:4:4`."""


def compression_of(source: Reader) -> Compression | None:
    """How the picture was compressed if its blocks can be seen; None for a clean one.

    Looks at the squares with most detail, so that the time does not grow with the picture.
    """
    squares = [square for square in _squares(source) if not _is_made_of_squares(square)]
    if not squares:
        return None
    best: tuple[float, Compression] | None = None
    for subsampling in ("4:2:0", "4:4:4"):
        for quality in QUALITIES:
            compression = Compression(quality, subsampling)
            change = float(np.mean([_change(square, compression) for square in squares]))
            moved = float(np.mean([_change(square[4:-4, 4:-4], compression) for square in squares]))
            ratio = change / moved if moved > 0 else 1.0
            if best is None or ratio < best[0]:
                best = ratio, compression
    if best is None or best[0] > CHANGE_MAX:
        return None
    return best[1]


def without_blocks(source: Reader, compression: Compression) -> Bands:
    """The picture, its blocks averaged away; bytes."""
    height = source.size.height
    for start in range(0, height, STRIP_ROWS):
        stop = min(start + STRIP_ROWS, height)
        first, last = max(0, start - MCU), min(height, stop + MCU)
        strip = _averaged(as_bytes(source.read(first, last)), compression)
        yield strip[start - first : stop - first]


def _averaged(band: NDArray[np.uint8], compression: Compression) -> Band:
    height, width = band.shape[:2]
    padded = np.pad(band, ((MCU, MCU), (MCU, MCU), (0, 0)), "edge")
    total = np.zeros(band.shape, np.uint16)
    shifts = range(MCU // 2, MCU // 2 + 8, SHIFT_STEP)
    for down in shifts:
        for across in shifts:
            again = _recompressed(padded[down:, across:], compression)
            total += again[MCU - down : MCU - down + height, MCU - across : MCU - across + width]
    count = len(shifts) ** 2
    return ((total + count // 2) // count).astype(np.uint8)


def _recompressed(pixels: NDArray[np.uint8], compression: Compression) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(
        buffer, "JPEG", quality=compression.quality, subsampling=compression.subsampling
    )
    return np.asarray(Image.open(buffer))


def _change(square: NDArray[np.uint8], compression: Compression) -> float:
    # Between the outermost blocks: those hold what lies beyond the square's border.
    inner = slice(MCU, -MCU)
    again = _recompressed(square, compression)[inner, inner].astype(np.int16)
    return float(np.abs(again - square[inner, inner]).mean())


def _is_made_of_squares(square: NDArray[np.uint8]) -> bool:
    """Whether most blocks are of one colour: pixel art or a code, which every quality leaves alone."""
    down, across = square.shape[0] // 8, square.shape[1] // 8
    blocks = square[: down * 8, : across * 8].reshape(down, 8, across, 8, 3)
    ranges = blocks.max(axis=(1, 3)).astype(np.int16) - blocks.min(axis=(1, 3))
    return bool((ranges.max(axis=2) == 0).mean() > FLAT_SHARE_MAX)


def _squares(source: Reader) -> list[NDArray[np.uint8]]:
    """The squares with most detail, on the grid of blocks."""
    width, height = source.size.width, source.size.height
    side = min(PROBE_PX, width // MCU * MCU, height // MCU * MCU)
    if side < LEAST_SIDE:
        return []
    found = []
    for row in range(PROBES):
        top = (height - side) * row // (PROBES - 1) // MCU * MCU
        rows = as_bytes(source.read(top, top + side))
        for column in range(PROBES):
            left = (width - side) * column // (PROBES - 1) // MCU * MCU
            square = np.ascontiguousarray(rows[:, left : left + side])
            found.append(
                (float(np.abs(np.diff(square.astype(np.int16), axis=1)).mean()), top, left, square)
            )
    found.sort(key=lambda item: item[:3], reverse=True)
    unique = {(top, left): square for _, top, left, square in reversed(found)}
    return list(unique.values())[-PROBED:]
