"""The blocks of a JPEG are seen in the pixels, and only there."""

from __future__ import annotations

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.damage import Compression, compression_of, without_blocks
from enlarger.engine.rendering import Colours
from enlarger.imaging import Raster
from tests.support.drawn import drawing, screenshot, sprite
from tests.support.imresize import smaller
from tests.support.measures import blockiness
from tests.support.photos import crop, encoded, photo, psnr

PHOTOS = ["astronaut", "coffee", "chelsea", "motorcycle_left", "camera", "brick"]


def _clean(name: str) -> NDArray[np.uint8]:
    """Made smaller, so that what the published file was compressed with is gone."""
    return smaller(photo(name), 2)[0]


def _compressed(pixels: NDArray[np.uint8], quality: int, subsampling: str = "4:2:0") -> NDArray[np.uint8]:
    data = encoded(pixels, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(io.BytesIO(data)))


def _seen(pixels: NDArray[np.uint8]) -> Compression | None:
    return compression_of(Colours(Raster.of(pixels)))


@pytest.mark.parametrize("name", PHOTOS)
def test_a_clean_photograph_is_clean(name: str) -> None:
    assert _seen(_clean(name)) is None


@pytest.mark.parametrize("name", PHOTOS[:3])
@pytest.mark.parametrize("quality", [20, 40, 60])
def test_the_quality_of_a_jpeg_is_seen(name: str, quality: int) -> None:
    found = _seen(_compressed(_clean(name), quality))
    assert found is not None
    assert abs(found.quality - quality) <= 5
    assert found.subsampling == "4:2:0"


def test_full_resolution_of_colours_is_told_apart() -> None:
    found = _seen(_compressed(_clean("astronaut"), 40, "4:4:4"))
    assert found == Compression(found.quality if found else 0, "4:4:4")


@pytest.mark.parametrize("quality", [90, 95])
def test_a_good_jpeg_needs_no_repair(quality: int) -> None:
    assert _seen(_compressed(_clean("coffee"), quality)) is None


@pytest.mark.parametrize(
    "pixels",
    [drawing(), screenshot(), np.ascontiguousarray(sprite(3)[..., :3])],
    ids=["drawing", "screenshot", "sprite"],
)
def test_what_a_program_drew_is_clean(pixels: NDArray[np.uint8]) -> None:
    assert _seen(pixels) is None


def test_a_picture_too_small_to_tell_is_clean() -> None:
    assert _seen(_compressed(crop("astronaut", 47, 300), 20)) is None


def test_a_jpeg_is_seen_even_after_it_was_saved_as_something_else() -> None:
    jpeg = _compressed(_clean("astronaut"), 40)
    assert _seen(np.asarray(Image.open(io.BytesIO(encoded(jpeg, "PNG"))))) == _seen(jpeg)


@pytest.mark.parametrize("name", ["astronaut", "motorcycle_left"])
def test_without_its_blocks_a_picture_is_nearer_to_the_truth(name: str) -> None:
    clean = _clean(name)
    damaged = _compressed(clean, 40)
    source = Colours(Raster.of(damaged))
    compression = compression_of(source)
    assert compression is not None
    repaired = np.concatenate(list(without_blocks(source, compression)))
    before, after = psnr(damaged, clean), psnr(repaired, clean)
    assert after > before + 0.1
    assert blockiness(repaired, 1) < 1 + (blockiness(damaged, 1) - 1) / 2


def test_a_tall_picture_is_repaired_alike_in_strips() -> None:
    # 1100 rows are three strips; the rows beside their borders must be those of the whole picture.
    damaged = _compressed(np.ascontiguousarray(photo("retina")[:1100, 600:760]), 40)
    compression = Compression(40, "4:2:0")
    source = Colours(Raster.of(damaged))
    repaired = np.concatenate(list(without_blocks(source, compression)))
    part = Colours(Raster.of(np.ascontiguousarray(damaged[448:576])))
    alone = np.concatenate(list(without_blocks(part, compression)))
    np.testing.assert_array_equal(repaired[448 + 32 : 576 - 32], alone[32:-32])


@pytest.mark.parametrize("side", [8, 16])
def test_a_code_of_squares_is_no_jpeg(side: int) -> None:
    modules = np.random.default_rng(1).integers(0, 2, (160 // side, 160 // side), np.uint8) * 255
    pixels = np.repeat(modules.repeat(side, 0).repeat(side, 1)[..., np.newaxis], 3, axis=2)
    assert _seen(pixels) is None
