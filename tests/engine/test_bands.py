"""Bands: whatever they are cut into, a reader gives the rows of the whole picture."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.engine.bands import (
    VIEWED_MAX,
    Band,
    Sliding,
    as_bytes,
    as_floats,
    forked,
    read_all,
    strips,
    together,
)
from enlarger.target import Size


def _picture(height: int) -> Band:
    return np.arange(height * 6, dtype=np.float32).reshape(height, 2, 3)


@st.composite
def bands_and_reads(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]]]:
    """Heights of bands, and reads whose starts never go back."""
    heights = draw(st.lists(st.integers(1, 9), min_size=1, max_size=12))
    total = sum(heights)
    starts = sorted(draw(st.lists(st.integers(0, total - 1), min_size=1, max_size=12)))
    return heights, [(start, draw(st.integers(start + 1, total))) for start in starts]


@given(bands_and_reads())
def test_reads_that_go_forward_give_the_rows_of_the_whole(
    case: tuple[list[int], list[tuple[int, int]]],
) -> None:
    heights, reads = case
    whole = _picture(sum(heights))
    made = 0

    def bands() -> Iterator[Band]:
        nonlocal made
        for height in heights:
            made += height
            yield whole[made - height : made]

    sliding = Sliding(bands(), Size(2, sum(heights)))
    furthest = 0
    for start, stop in reads:
        np.testing.assert_array_equal(sliding.read(start, stop), whole[start:stop])
        furthest = max(furthest, stop)
        # No band is made before a row of it is asked for.
        assert made - max(heights) < furthest


def test_rows_that_were_let_go_are_not_given_again() -> None:
    whole = _picture(40)
    sliding = Sliding((whole[top : top + 10] for top in range(0, 40, 10)), Size(2, 40))
    sliding.read(25, 30)
    with pytest.raises(ValueError, match="row 5 was asked for, 20 is the first that is kept"):
        sliding.read(5, 30)


def test_a_large_band_is_gone_before_the_next_is_made_even_where_a_strip_of_it_is_not() -> None:
    rows = VIEWED_MAX // 3000 + 1
    alive: list[weakref.ref[Band]] = []

    def bands() -> Iterator[Band]:
        for _ in range(2):
            assert [band for band in alive if band() is not None] == []
            band = np.full((rows, 1000, 3), len(alive), np.uint8)
            alive.append(weakref.ref(band))
            yield band
            del band

    sliding = Sliding(bands(), Size(1000, 2 * rows))
    strip = sliding.read(rows - 40, rows - 20)
    across = sliding.read(rows - 30, rows + 10)
    assert (strip.max(), across[:30].max(), across[30:].min()) == (0, 0, 1)


@given(st.lists(st.integers(0, 2), min_size=0, max_size=60))
def test_each_fork_has_all_bands_whoever_goes_first(turns: list[int]) -> None:
    bands = [_picture(2) + index for index in range(9)]
    forks = forked(iter(bands), 3)
    taken: list[list[Band]] = [[], [], []]
    for turn in turns:
        taken[turn] += [band for band in [next(forks[turn], None)] if band is not None]
    for fork, had in zip(forks, taken, strict=True):
        assert [id(band) for band in [*had, *fork]] == [id(band) for band in bands]


def test_a_forked_band_is_gone_when_the_last_has_had_it() -> None:
    alive: list[weakref.ref[Band]] = []

    def bands() -> Iterator[Band]:
        for _ in range(8):
            band = np.zeros((10, 10, 3), np.uint8)
            alive.append(weakref.ref(band))
            yield band
            del band

    ahead, behind = forked(bands(), 2)
    for _ in range(5):
        next(ahead)
    for had in range(5):
        assert [band() is None for band in alive] == [index < had for index in range(5)]
        next(behind)


@given(st.builds(Size, st.integers(1, 300_000), st.integers(1, 5000)))
def test_strips_cover_every_row_once_in_a_bounded_size(size: Size) -> None:
    cut = strips(size)
    assert [start for start, _ in cut] == [0, *(stop for _, stop in cut[:-1])]
    assert cut[-1][1] == size.height
    rows = max(stop - start for start, stop in cut)
    assert rows <= 16 or rows * size.width * 3 * 4 <= 8 * 1024 * 1024


def test_pictures_are_combined_row_by_row() -> None:
    size = Size(2, 4000)
    one, other = _picture(4000), _picture(4000)[::-1]

    def cut(picture: Band, step: int) -> list[Band]:
        return [picture[top : top + step] for top in range(0, 4000, step)]

    readers = [Sliding(cut(one, 7), size), Sliding(cut(other, 130), size)]
    summed = np.concatenate(list(together(np.add, *readers)))
    np.testing.assert_array_equal(summed, one + other)
    np.testing.assert_array_equal(np.concatenate(list(read_all(Sliding(iter([one]), size)))), one)


def test_bytes_and_floats_go_there_and_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(as_bytes(as_floats(levels)), levels)
    beyond = np.array([-0.5, 0.0, 0.4999, 1.0, 1.5], np.float32).reshape(1, -1, 1)
    assert as_bytes(beyond).ravel().tolist() == [0, 0, 127, 255, 255]
