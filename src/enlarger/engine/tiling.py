"""Cuts a picture into equal tiles that overlap by at least twice a network's halo.

Why equal: a runtime prepares itself anew for every tile shape, and small rests at the border cost
as much as whole tiles. Why overlapping and not padded: a network pads with zeros at the border of
what it is given, so a tile may only end where the picture ends or where its halo absorbs that;
then, with the halo no smaller than the network's radius, tiles give the whole picture's result
bit for bit (docs/explanation/01-engine.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from enlarger.engine.geometry import Size


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in input pixels: what is read, and the part that is kept."""

    start: int
    stop: int
    keep_start: int
    keep_stop: int


@dataclass(frozen=True)
class Tile:
    """A rectangle of the picture: two spans."""

    rows: Span
    columns: Span


def cut_axis(length: int, tile_px: int, halo_px: int) -> list[Span]:
    """Equal spans of at most `tile_px` that cover 0..length; the kept parts cover it exactly once.

    tile_px  longest span; larger is faster (less overlap) and takes memory with its square.
    halo_px  every kept pixel has at least this many pixels around it, or the picture's border.

    Raises ValueError unless tile_px > 2 * halo_px.
    """
    if length <= tile_px:
        return [Span(0, length, 0, length)]
    inner_max = tile_px - 2 * halo_px
    if inner_max <= 0:
        raise ValueError(f"a tile of {tile_px} px has nothing left inside a halo of {halo_px} px")
    count = -(-(length - 2 * halo_px) // inner_max)
    size = -(-(length - 2 * halo_px) // count) + 2 * halo_px
    starts = [round(index * (length - size) / (count - 1)) for index in range(count)]
    # Neighbours overlap by 2 * halo or more; the border between what is kept of each lies midway.
    borders = [(start + size + following) // 2 for start, following in pairwise(starts)]
    edges = [0, *borders, length]
    return [
        Span(start, start + size, keep_start, keep_stop)
        for start, keep_start, keep_stop in zip(starts, edges[:-1], edges[1:], strict=True)
    ]


def cut(size: Size, tile_px: int, halo_px: int) -> Iterator[Tile]:
    """Tiles of `size`, row by row from the top left; see `cut_axis`."""
    columns = cut_axis(size.width, tile_px, halo_px)
    for rows in cut_axis(size.height, tile_px, halo_px):
        for across in columns:
            yield Tile(rows, across)


def tile_count(size: Size, tile_px: int, halo_px: int) -> int:
    """How many tiles `cut` yields."""
    return len(cut_axis(size.width, tile_px, halo_px)) * len(cut_axis(size.height, tile_px, halo_px))
