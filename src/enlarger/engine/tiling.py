"""Cuts a picture into equal tiles that overlap by at least twice a network's halo.

Why equal: a runtime prepares itself anew for every tile shape, and small rests at the border cost
as much as whole tiles. Why overlapping and not padded: a network pads with zeros at the border of
what it is given, so a tile may only end where the picture ends or where its halo absorbs that;
then, with the halo no smaller than the network's radius, tiles give the whole picture's result
bit for bit (docs/explanation/01-engine.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from enlarger.target import Size

Window = tuple[slice, slice]
"""Rows and columns of a tile, in its own pixels."""


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in input pixels: what is read, and the part that is kept."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int

    @property
    def kept(self) -> slice:
        """The part that is kept, counted from where the tile begins."""
        return slice(self.keep_start - self.start, self.keep_stop - self.start)


@dataclass(frozen=True)
class Tiling:
    """How one pass cuts its picture: every row span with every column span."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    @property
    def count(self) -> int:
        """Tiles in all."""
        return len(self.rows) * len(self.columns)

    @property
    def tile(self) -> Size:
        """The largest tile; all are equal to within a pixel."""
        return Size(
            max(span.stop - span.start for span in self.columns),
            max(span.stop - span.start for span in self.rows),
        )

    @property
    def kept(self) -> Size:
        """The most that is kept of a tile."""
        return Size(
            max(span.keep_stop - span.keep_start for span in self.columns),
            max(span.keep_stop - span.keep_start for span in self.rows),
        )

    @property
    def pixels(self) -> int:
        """Input pixels that a network sees, overlaps counted as often as they are seen."""
        return sum(span.stop - span.start for span in self.columns) * sum(
            span.stop - span.start for span in self.rows
        )


def cut_axis(length: int, count: int, halo_px: int) -> tuple[Span, ...]:
    """`count` equal spans over 0..length; the kept parts cover it exactly once.

    halo_px  every kept pixel has at least this many pixels around it, or the picture's border.
    """
    if count == 1:
        return (Span(0, length, 0, length),)
    size = min(length, -(-(length - 2 * halo_px) // count) + 2 * halo_px)
    starts = [round(index * (length - size) / (count - 1)) for index in range(count)]
    # Neighbours overlap by 2 * halo or more; the border between what is kept of each lies midway.
    borders = [(start + size + following) // 2 for start, following in pairwise(starts)]
    edges = [0, *borders, length]
    return tuple(
        Span(start, start + size, keep_start, keep_stop)
        for start, keep_start, keep_stop in zip(starts, edges[:-1], edges[1:], strict=True)
    )


def cut(size: Size, *, halo_px: int, tile_px: int, rows_px: int | None = None) -> Tiling:
    """The tiling of `size` that makes a network see the fewest pixels.

    tile_px  most pixels in a tile, width times height. Larger is faster, for less overlap, and
             takes memory in proportion.
    rows_px  most rows in a tile; None for no limit of its own. A band of results is as high as a
             tile and as wide as the picture, so a very wide picture wants lower tiles.

    Raises ValueError if nothing is left of a tile inside its halo.
    """
    inner = 2 * halo_px + 1
    highest = min(size.height, rows_px or size.height)
    if (min(inner, size.width) * min(inner, size.height) > tile_px) or (highest < min(inner, size.height)):
        raise ValueError(f"tiles of {tile_px} pixels have nothing left inside a halo of {halo_px}")
    best: Tiling | None = None
    for down in range(1, size.height + 1):
        rows = cut_axis(size.height, down, halo_px)
        height = max(span.stop - span.start for span in rows)
        if height > highest:
            continue
        across = _fewest(size.width, tile_px // height, halo_px)
        if across is not None:
            tiling = Tiling(rows, cut_axis(size.width, across, halo_px))
            if best is None or tiling.pixels < best.pixels:
                best = tiling
            elif tiling.pixels > 2 * best.pixels:
                break
        if height <= inner:
            break
    assert best is not None  # noqa: S101 (the guard above)
    return best


def _fewest(length: int, longest: int, halo_px: int) -> int | None:
    """The fewest spans of at most `longest`; None if there are none."""
    if length <= longest:
        return 1
    inner = longest - 2 * halo_px
    return None if inner <= 0 else -(-(length - 2 * halo_px) // inner)
