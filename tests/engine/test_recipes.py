"""Recipes: a result says how it was made, in every format, and can be made again from that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.errors import BadParameter
from enlarger.imaging import SUFFIXES, decode
from enlarger.library import Result, Upscaler
from enlarger.models import ModelStore
from enlarger.recipe import Encoding, Recipe
from enlarger.request import Mode, OutputFormat, UpscaleRequest
from enlarger.settings import Settings
from enlarger.target import Target
from tests.conftest import MODELS
from tests.support.photos import crop

TEXTS = st.text(max_size=200)
REQUESTS = st.builds(
    UpscaleRequest,
    mode=st.sampled_from(Mode),
    target=st.sampled_from(["4x", "3840x2160 fill", "A3@300dpi", "4194304px"]).map(Target.parse),
    prompt=TEXTS,
    negative_prompt=TEXTS,
    creativity=st.one_of(st.none(), st.floats(0, 1)),
    seed=st.integers(0, 2**31),
)
FORMATS = ["png", "jpg", "webp", "tif"]
FOREIGN = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>Ann</dc:creator>'
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.fixture(scope="module")
def result(store: ModelStore) -> Result:
    with Upscaler(settings=Settings(models_dir=MODELS)) as enlarge:
        return enlarge(crop("coffee", 48, 32), scale=2, prompt='a <cup> & "more"', seed=7)


OLDER = (
    b'<enl:recipe>{"networks":{"a-network":"' + b"ab" * 32 + b'"},"request":{"mode":"fast","output_format":'
    b'"png","seed":3,"target":{"kind":"factor","text":"4x","values":[4.0]}},"version":"0.1.0"}</enl:recipe>'
)
"""As a version wrote it that kept nothing of the encoding."""


def test_a_recipe_of_before_there_were_encodings_is_read_and_counts_as_another() -> None:
    older = Recipe.read_from(OLDER)
    assert (older.request.seed, older.encoding) == (3, None)
    now = replace(older, encoding=Encoding(format="png", quality=None, metadata="keep"))
    assert now.digest != older.digest
    assert Recipe.read_from(now.written_to(None)) == now


def test_a_recipe_says_its_files_format_once() -> None:
    one = Recipe(UpscaleRequest(output_format=OutputFormat.WEBP), {}, "1")
    assert "output_format" not in one.text
    assert one.digest == replace(one, request=UpscaleRequest()).digest


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
def test_words_that_no_file_can_hold_are_refused_by_name(field: str) -> None:
    with pytest.raises(BadParameter, match=f"{field} has at 6 what is no character") as refused:
        UpscaleRequest(**{field: "a cup \ud800"})
    assert refused.value.param == field


@given(REQUESTS)
def test_a_recipe_survives_its_packet_whatever_the_words(request: UpscaleRequest) -> None:
    recipe = Recipe(request, {"net": "0" * 64}, "1.0")
    assert Recipe.read_from(recipe.written_to(None)) == recipe
    assert Recipe.read_from(recipe.written_to(FOREIGN)) == recipe


def test_what_others_wrote_stays_and_an_older_recipe_goes() -> None:
    first, second = (Recipe(UpscaleRequest(seed=seed), {}, "1.0") for seed in (1, 2))
    packet = second.written_to(first.written_to(FOREIGN))
    assert Recipe.read_from(packet) == second
    assert b"<dc:creator>Ann</dc:creator>" in packet
    assert packet.count(b"<enl:recipe>") == 1


def test_equal_requests_to_equal_networks_have_one_digest() -> None:
    one = Recipe(UpscaleRequest(target=Target.parse("4x")), {"a": "1", "b": "2"}, "1.0")
    same = Recipe(UpscaleRequest(target=Target.parse("4.0X")), {"b": "2", "a": "1"}, "1.0")
    assert one.digest == same.digest
    others = [
        replace(one, version="1.1"),
        replace(one, networks={"a": "1", "b": "3"}),
        replace(one, request=UpscaleRequest(seed=1)),
        replace(one, request=UpscaleRequest(mode=Mode.CONSERVATIVE)),
    ]
    assert len({recipe.digest for recipe in [one, *others]}) == 5


@pytest.mark.parametrize("packet", [None, b"", FOREIGN, b"\xff\xfe\x00"])
def test_a_file_without_a_recipe_says_so(packet: bytes | None) -> None:
    with pytest.raises(BadParameter, match="carries no recipe"):
        Recipe.read_from(packet)


def test_a_recipe_that_is_not_understood_says_so() -> None:
    packet = (
        Recipe(UpscaleRequest(), {}, "1").written_to(None).replace(b'"mode":"fast"', b'"mode":"psychic"')
    )
    with pytest.raises(BadParameter, match="recipe is not understood"):
        Recipe.read_from(packet)


@pytest.mark.parametrize("ending", FORMATS)
def test_every_format_carries_the_recipe(result: Result, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"result.{ending}"
    result.save(path)
    found = decode(path.read_bytes())
    recipe = Recipe.read_from(found.metadata.xmp)
    assert replace(recipe, encoding=None) == result.recipe
    assert recipe.encoding is not None
    assert SUFFIXES[f".{ending}"] == recipe.encoding.format
    if ending in ("png", "tif"):
        np.testing.assert_array_equal(found.colour.array(), result.picture.colour.array())


@pytest.mark.parametrize("ending", FORMATS)
def test_stripped_files_carry_none(result: Result, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"result.{ending}"
    result.save(path, metadata="strip")
    assert b"enlarger" not in path.read_bytes()
    with pytest.raises(BadParameter, match="carries no recipe"):
        Recipe.read_from(decode(path.read_bytes()).metadata.xmp)


def test_a_recipe_read_from_a_file_makes_the_same_pixels_again(result: Result, tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    result.save(path)
    recipe = Recipe.read_from(decode(path.read_bytes()).metadata.xmp)
    with Upscaler() as enlarge:
        again = enlarge.render(crop("coffee", 48, 32), recipe.request).collect()
        assert replace(enlarge.recipe(recipe.request), encoding=recipe.encoding) == recipe
    np.testing.assert_array_equal(again.colour.array(), result.picture.colour.array())


RECIPE = Recipe(UpscaleRequest(), {"a-network": "ab" * 32}, "1")


def test_what_an_editor_wrote_into_our_description_stays() -> None:
    edited = RECIPE.written_to(None).replace(b"</enl:recipe>", b"</enl:recipe><dc:rights>mine</dc:rights>")
    again = Recipe.written_to(replace(RECIPE, version="2"), edited)
    assert b"<dc:rights>mine</dc:rights>" in again
    assert again.count(b"<enl:recipe>") == 1
    assert Recipe.read_from(again).version == "2"


def test_a_recipe_before_ours_does_not_shadow_it() -> None:
    hostile = RECIPE.written_to(None).replace(b"<rdf:Description", b"<enl:recipe>{}<rdf:Description", 1)
    assert Recipe.read_from(RECIPE.written_to(hostile)) == RECIPE


@pytest.mark.parametrize("filler", [b" ", b"<enl:recipe>", b"<rdf:Description "])
def test_a_megabyte_of_anything_is_read_in_one_go(filler: bytes) -> None:
    """Would take minutes if the time grew with the square; the runner's limit is the judge."""
    packet = RECIPE.written_to(None).replace(b"<rdf:RDF", filler * (1_000_000 // len(filler)) + b"<rdf:RDF")
    assert Recipe.read_from(RECIPE.written_to(packet)) == RECIPE


@pytest.mark.parametrize("text", ["9" * 5000 + "w", "a4@" + "9" * 400 + "dpi", "1" * 60 + "x"])
def test_a_target_of_absurd_length_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadParameter, match="target is"):
        Target.parse(text)
