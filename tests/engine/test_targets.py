"""Sizes: the whole grammar, and what holds for every picture and every target."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from enlarger.engine.geometry import check_output, pass_count
from enlarger.errors import BadParameter, PictureTooLarge
from enlarger.request import UpscaleRequest
from enlarger.target import SCALE_RANGE, Canvas, Kind, Size, Target

SOURCE = Size(600, 400)
SIZES = st.builds(Size, st.integers(1, 4000), st.integers(1, 4000))
SIDES = st.integers(1, 20_000)
NUMBERS = st.one_of(
    st.integers(1, 64).map(str),
    st.floats(1, 64, allow_subnormal=False).map(lambda number: f"{number:.17f}"),
)
TEXTS = st.one_of(
    NUMBERS.map(lambda number: f"{number}x"),
    SIDES.map(lambda side: f"{side}w"),
    SIDES.map(lambda side: f"{side}h"),
    SIDES.map(lambda side: f"long={side}"),
    SIDES.map(lambda side: f"short={side}px"),
    st.tuples(SIDES, SIDES, st.sampled_from(["", " fit", " fill", ":pad"])).map(
        lambda box: f"{box[0]}x{box[1]}{box[2]}"
    ),
    st.floats(1e-5, 100).map(lambda number: f"{number:.9f}MP"),
    st.integers(1, 10**9).map(lambda pixels: f"{pixels}px"),
    st.tuples(st.sampled_from(["A2", "a4", "letter", "20x30cm", "5x7in"]), st.integers(30, 600)).map(
        lambda sheet: f"{sheet[0]}@{sheet[1]}dpi"
    ),
)


@pytest.mark.parametrize(
    ("text", "scaled", "result"),
    [
        ("4x", (2400, 1600), None),
        ("4", (2400, 1600), None),
        ("2.5X", (1500, 1000), None),
        ("3840w", (3840, 2560), None),
        ("2160h", (3240, 2160), None),
        ("long=4096", (4096, 2731), None),
        ("short=2048px", (3072, 2048), None),
        ("3840x2160", (3240, 2160), None),
        ("3840x2160 fit", (3240, 2160), None),
        ("3840x2160 fill", (3840, 2560), (3840, 2160)),
        ("3840x2160:pad", (3240, 2160), (3840, 2160)),
        ("24MP", (6000, 4000), None),
        ("0.5mp", (867, 578), None),
        ("4194304px", (2508, 1672), None),
        ("100px", (600, 400), None),
        ("A3@300dpi", (4961, 3307), None),
        (" a3@300DPI ", (4961, 3307), None),
        ("letter@150dpi", (1650, 1100), None),
        ("20x30cm@254dpi", (3000, 2000), None),
        ("4x6in@300dpi", (1800, 1200), None),
    ],
)
def test_a_target_in_words_comes_to_these_pixels(
    text: str, scaled: tuple[int, int], result: tuple[int, int] | None
) -> None:
    canvas = Target.parse(text).canvas(SOURCE)
    assert canvas.scaled == Size(*scaled)
    assert canvas.result == Size(*(result or scaled))


def test_a_sheet_turns_with_the_picture() -> None:
    target = Target.parse("A4@100dpi")
    upright, lying = target.canvas(Size(200, 300)).scaled, target.canvas(Size(300, 200)).scaled
    assert (upright.width, upright.height) == (lying.height, lying.width)


@given(SIZES, TEXTS)
def test_a_result_is_never_smaller_than_asked_nor_than_the_picture(source: Size, text: str) -> None:
    target = Target.parse(text)
    try:
        canvas = target.canvas(source)
    except BadParameter:
        assume(False)
    scaled, result = canvas.scaled, canvas.result
    assert scaled.width >= source.width
    assert scaled.height >= source.height
    _is_as_asked(target, source, canvas)
    shape = scaled.width * source.height, scaled.height * source.width
    # The shape stays, but for a pixel of rounding on either side.
    assert abs(shape[0] - shape[1]) <= max(source.width, source.height)
    if target.kind not in (Kind.FILL, Kind.PAD):
        assert result == scaled


def _is_as_asked(target: Target, source: Size, canvas: Canvas) -> None:
    scaled, result = canvas.scaled, canvas.result
    first = target.values[0]
    box = Size(int(first), int(target.values[-1]))
    match target.kind:
        case Kind.FACTOR:
            assert abs(scaled.width - source.width * first) <= 0.5
        case Kind.WIDTH:
            assert scaled.width == first
        case Kind.HEIGHT:
            assert scaled.height == first
        case Kind.LONG:
            assert (scaled.width if source.width >= source.height else scaled.height) == first
        case Kind.SHORT:
            assert (scaled.width if source.width <= source.height else scaled.height) == first
        case Kind.AREA:
            assert scaled.pixels >= first - 1e-3
        case Kind.ABOUT:
            assert scaled.pixels >= source.pixels
            assert abs(scaled.pixels - max(first, source.pixels)) <= scaled.width + scaled.height
        case Kind.FILL:
            assert result == box
            assert scaled.width >= box.width
            assert scaled.height >= box.height
            assert scaled.width == box.width or scaled.height == box.height
        case Kind.FIT | Kind.PAD:
            _touches(scaled, box)
            assert target.kind is Kind.FIT or result == box
        case Kind.PRINT:
            turned = Size(box.height, box.width)
            _touches(scaled, box if (box.width > box.height) == (source.width > source.height) else turned)


def _touches(scaled: Size, box: Size) -> None:
    assert scaled.width <= box.width
    assert scaled.height <= box.height
    assert scaled.width == box.width or scaled.height == box.height


@given(TEXTS)
def test_the_canonical_spelling_is_the_same_target(text: str) -> None:
    target = Target.parse(text)
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    "spellings",
    [
        ("4x", "4", "4.0x", " 4X "),
        ("3840x2160", "3840x2160 fit", "3840X2160:FIT"),
        ("long=4096", "long=4096px", "LONG=4096"),
        ("24MP", "24mp", "24.0MP"),
        ("4194304px", "4194304.0px"),
        ("A3@300dpi", "a3@300DPI", "a3@300.0dpi"),
    ],
)
def test_one_size_has_one_canonical_spelling(spellings: tuple[str, ...]) -> None:
    assert len({Target.parse(text) for text in spellings}) == 1


@pytest.mark.parametrize(
    "text", ["", "big", "4y", "x", "x2160", "3840x2160 stretch", "A9@300dpi", "A3", "-2x", "long"]
)
def test_words_that_are_no_target_are_quoted_beside_the_grammar(text: str) -> None:
    with pytest.raises(BadParameter, match="4194304px, A3@300dpi") as caught:
        Target.parse(text)
    assert repr(text) in caught.value.message
    assert caught.value.param == "target"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.5x", "scale is 0.5; it must be 1 to 64"),
        ("65x", "scale is 65; it must be 1 to 64"),
        ("0w", "'0w'; a side must be 1 to 1000000 pixels"),
        ("1000001x5", "'1000001x5 fit'; a side must be 1 to 1000000 pixels"),
        ("0px", "'0px'; it must be 1 to 1000000000000 pixels"),
    ],
)
def test_a_number_out_of_range_is_named_with_its_limits(text: str, words: str) -> None:
    with pytest.raises(BadParameter) as caught:
        Target.parse(text)
    assert words in caught.value.message


@pytest.mark.parametrize("text", ["599w", "300h", "500x5000", "0.1MP", "A6@30dpi", "long=599"])
def test_a_target_below_the_picture_is_refused_with_both_sizes(text: str) -> None:
    with pytest.raises(BadParameter, match=r"of a picture of 600x400; a result is never smaller"):
        Target.parse(text).canvas(SOURCE)


def test_more_than_64_times_is_refused_whatever_the_spelling() -> None:
    with pytest.raises(BadParameter, match="65 times it; at most 64 times"):
        Target.parse("650w").canvas(Size(10, 10))
    assert Target.parse("640w").canvas(Size(10, 10)).scaled == Size(640, 640)


@given(SIZES, st.floats(*SCALE_RANGE))
def test_every_factor_of_the_range_is_possible_for_every_picture(source: Size, factor: float) -> None:
    assert Target.factor(factor).canvas(source).scaled == source.times(factor)


def test_what_a_box_cuts_or_pads_lies_evenly_on_both_sides() -> None:
    fill = Target.parse("400x100 fill").canvas(Size(100, 50))
    assert fill.offset == (0, -50)
    pad = Target.parse("400x100 pad").canvas(Size(100, 50))
    assert pad.offset == (100, 0)


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


def test_a_result_beyond_the_limit_is_refused_with_the_numbers() -> None:
    target = Target.factor(4)
    with pytest.raises(PictureTooLarge, match=r"100x50 at 4x gives 400x200 = 80000 pixels; at most 79999"):
        check_output(Size(100, 50), target, 79_999)
    for limit in (80_000, None):
        assert check_output(Size(100, 50), target, limit).result == Size(400, 200)


def test_a_box_that_pads_counts_with_its_padding() -> None:
    with pytest.raises(PictureTooLarge):
        check_output(Size(10, 10), Target.parse("600x100 pad"), 59_999)


@pytest.mark.parametrize(
    ("field", "value"),
    [("creativity", -0.01), ("creativity", 1.01), ("creativity", float("nan")), ("seed", -1)],
)
def test_a_request_out_of_range_names_field_value_and_limit(field: str, value: float) -> None:
    with pytest.raises(BadParameter, match=f"{field} is .* must be .* to ") as caught:
        UpscaleRequest(**{field: value})
    assert caught.value.param == field


def test_a_request_survives_being_kept() -> None:
    request = UpscaleRequest(target=Target.parse("3840x2160 fill"), seed=7, creativity=0.2)
    assert UpscaleRequest.from_json(request.to_json()) == request
    assert UpscaleRequest.from_json("{}") == UpscaleRequest()
