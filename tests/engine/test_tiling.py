"""Tiles cover every pixel once, are equal, keep their halo and their limits: for every size."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from enlarger.engine.tiling import Span, cut, cut_axis
from enlarger.target import Size

LENGTHS = st.integers(1, 3000)
HALOS = st.integers(4, 60)
WITHOUT_CLOCK = settings(deadline=None, max_examples=60)


def _is_whole(spans: tuple[Span, ...], length: int, halo_px: int) -> None:
    assert [span.keep_start for span in spans] == [0, *(span.keep_stop for span in spans[:-1])]
    assert spans[-1].keep_stop == length
    assert len({span.stop - span.start for span in spans}) == 1
    for span in spans:
        assert 0 <= span.start <= span.keep_start <= span.keep_stop <= span.stop <= length
        assert span.start == 0 or span.keep_start - span.start >= halo_px
        assert span.stop == length or span.stop - span.keep_stop >= halo_px


@given(LENGTHS, st.integers(1, 40), HALOS)
def test_an_axis_is_kept_exactly_once_by_equal_spans_with_their_halo(
    length: int, count: int, halo_px: int
) -> None:
    assume(length > 2 * halo_px + count)
    spans = cut_axis(length, count, halo_px)
    assert len(spans) == count
    _is_whole(spans, length, halo_px)


@WITHOUT_CLOCK
@given(
    st.builds(Size, LENGTHS, LENGTHS),
    HALOS,
    st.integers(1, 1_000_000),
    st.one_of(st.none(), st.integers(1, 2000)),
)
def test_a_picture_is_kept_exactly_once_within_the_limits_of_a_tile(
    size: Size, halo_px: int, tile_px: int, rows_px: int | None
) -> None:
    inner = 2 * halo_px + 1
    assume(min(inner, size.width) * min(inner, size.height) <= tile_px)
    assume(rows_px is None or rows_px >= min(inner, size.height))
    tiling = cut(size, halo_px=halo_px, tile_px=tile_px, rows_px=rows_px)
    _is_whole(tiling.rows, size.height, halo_px)
    _is_whole(tiling.columns, size.width, halo_px)
    assert tiling.tile.pixels <= tile_px
    assert rows_px is None or tiling.tile.height <= rows_px
    assert tiling.count == len(tiling.rows) * len(tiling.columns)
    assert tiling.pixels >= size.pixels


@given(st.builds(Size, st.integers(1, 400), st.integers(1, 400)), HALOS)
def test_what_fits_into_one_tile_is_one_tile(size: Size, halo_px: int) -> None:
    inner = 2 * halo_px + 1
    assume(min(inner, size.width) * min(inner, size.height) <= size.pixels)
    assert cut(size, halo_px=halo_px, tile_px=size.pixels).count == 1


@WITHOUT_CLOCK
@given(st.builds(Size, st.integers(100, 1000), st.integers(100, 1000)), st.integers(8, 40))
def test_a_larger_tile_never_makes_more_work(size: Size, halo_px: int) -> None:
    seen = [cut(size, halo_px=halo_px, tile_px=tile_px).pixels for tile_px in (10_000, 40_000, 160_000)]
    assert seen == sorted(seen, reverse=True)


def test_a_tile_that_is_all_halo_is_refused() -> None:
    with pytest.raises(ValueError, match="2304 pixels have nothing left inside a halo of 24"):
        cut(Size(100, 100), halo_px=24, tile_px=48 * 48)
    with pytest.raises(ValueError, match="nothing left inside"):
        cut(Size(100, 100), halo_px=24, tile_px=100_000, rows_px=48)
