"""Tiles cover every pixel once, are equal, and keep their halo: for every size, not for examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.engine.geometry import Size
from enlarger.engine.tiling import cut, cut_axis, tile_count

LENGTHS = st.integers(1, 5000)
HALOS = st.integers(0, 60)
INNER = st.integers(1, 600)


@given(LENGTHS, INNER, HALOS)
def test_an_axis_is_covered_exactly_once_by_equal_spans_with_their_halo(
    length: int, inner_px: int, halo_px: int
) -> None:
    tile_px = inner_px + 2 * halo_px
    spans = cut_axis(length, tile_px, halo_px)
    assert [span.keep_start for span in spans] == [0, *(span.keep_stop for span in spans[:-1])]
    assert spans[-1].keep_stop == length
    assert len({span.stop - span.start for span in spans}) == 1
    for span in spans:
        assert 0 <= span.start <= span.keep_start < span.keep_stop <= span.stop <= length
        assert span.stop - span.start <= tile_px
        assert span.start == 0 or span.keep_start - span.start >= halo_px
        assert span.stop == length or span.stop - span.keep_stop >= halo_px


@given(LENGTHS, INNER, HALOS)
def test_no_more_spans_than_the_length_needs(length: int, inner_px: int, halo_px: int) -> None:
    tile_px = inner_px + 2 * halo_px
    needed = 1 if length <= tile_px else -(-(length - 2 * halo_px) // inner_px)
    assert len(cut_axis(length, tile_px, halo_px)) == needed


def test_a_tile_that_is_all_halo_is_refused() -> None:
    with pytest.raises(ValueError, match="48 px has nothing left inside a halo of 24 px"):
        cut_axis(100, 48, 24)


def test_tiles_go_row_by_row() -> None:
    tiles = list(cut(Size(1000, 700), 400, 24))
    assert len(tiles) == tile_count(Size(1000, 700), 400, 24) == 6
    assert [tile.rows.keep_start for tile in tiles] == sorted(tile.rows.keep_start for tile in tiles)
    covered = sum(
        (tile.rows.keep_stop - tile.rows.keep_start) * (tile.columns.keep_stop - tile.columns.keep_start)
        for tile in tiles
    )
    assert covered == 1000 * 700
