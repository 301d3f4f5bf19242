"""Sizes and passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.engine.geometry import Size, check_output, pass_count
from enlarger.errors import BadParameter, PictureTooLarge
from enlarger.request import UpscaleRequest


@pytest.mark.parametrize(
    ("factor", "passes"), [(1, 1), (1.5, 1), (4, 1), (4.01, 2), (16, 2), (16.5, 3), (64, 3)]
)
def test_passes_are_the_fewest_that_only_leave_shrinking(factor: float, passes: int) -> None:
    assert pass_count(factor, 4) == passes


@given(st.floats(1, 64), st.sampled_from([2, 3, 4]))
def test_a_network_is_never_asked_for_more_than_it_has(factor: float, native: int) -> None:
    passes = pass_count(factor, native)
    assert native**passes >= factor
    assert passes == 1 or native ** (passes - 1) < factor


def test_sizes_round_half_up_and_never_vanish() -> None:
    assert Size(511, 3).times(2.5) == Size(1278, 8)
    assert Size(1, 1).times(1) == Size(1, 1)


def test_a_result_beyond_the_limit_is_refused_with_the_numbers() -> None:
    with pytest.raises(PictureTooLarge, match=r"100x50 at 4x gives 400x200 = 80000 pixels; at most 79999"):
        check_output(Size(100, 50), 4, 79_999)
    assert check_output(Size(100, 50), 4, 80_000) == Size(400, 200)
    assert check_output(Size(100, 50), 4, None) == Size(400, 200)


@pytest.mark.parametrize(
    ("field", "value"),
    [("scale", 0.99), ("scale", 64.01), ("scale", float("nan")), ("seed", -1), ("seed", 2**32 - 1)],
)
def test_a_request_out_of_range_names_field_value_and_limit(field: str, value: float) -> None:
    with pytest.raises(BadParameter, match=f"{field} is .* must be .* to ") as caught:
        UpscaleRequest(**{field: value})
    assert caught.value.param == field


def test_a_request_survives_being_kept() -> None:
    request = UpscaleRequest(scale=2.5, seed=7)
    assert UpscaleRequest.from_json(request.to_json()) == request
    assert UpscaleRequest.from_json("{}") == UpscaleRequest()
