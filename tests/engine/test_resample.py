"""The classical resample: exact where it must be, linear in light, the same in strips."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine import bands
from enlarger.engine.bands import BYTE, FLOAT, Band, Bands
from enlarger.engine.rendering import Colours
from enlarger.engine.resample import fitted, resample_light, resample_values
from enlarger.imaging import Raster
from enlarger.target import Size
from tests.support.photos import photo, psnr


def _whole(made: Bands) -> Band:
    return np.concatenate(list(made))


def _of(pixels: NDArray[np.uint8]) -> Colours:
    return Colours(Raster.of(pixels))


@pytest.mark.parametrize("value", [0, 1, 17, 128, 254, 255])
@pytest.mark.parametrize("size", [Size(117, 250), Size(500, 701)])
def test_a_constant_stays_exactly_constant(value: int, size: Size) -> None:
    flat = _of(np.full((301, 203, 3), value, np.uint8))
    for result in (resample_light(flat, size, BYTE), resample_values(flat, size, BYTE)):
        whole = _whole(result)
        assert whole.shape == (size.height, size.width, 3)
        assert (whole == value).all()


@pytest.mark.parametrize("size", [Size(333, 77), Size(333, 611), Size(700, 1201)])
def test_strips_equal_the_whole_picture(size: Size, monkeypatch: pytest.MonkeyPatch) -> None:
    source = _of(photo("astronaut"))

    def both() -> tuple[Band, Band]:
        return _whole(resample_light(source, size, FLOAT)), _whole(resample_values(source, size))

    monkeypatch.setattr(bands, "STRIP_BYTES", 2**40)
    assert len(bands.strips(size)) == 1
    whole = both()
    monkeypatch.setattr(bands, "STRIP_BYTES", 1)
    assert len(bands.strips(size)) > 4
    for part, one in zip(both(), whole, strict=True):
        # The filter's places are computed in each strip's own coordinates: a rounding apart, no more.
        assert np.abs(part - one).max() < 1e-4


def test_light_is_averaged_and_not_code_values() -> None:
    """Half black and half white lines are half the light: 188 in sRGB, where a naive mean says 128."""
    lines = np.zeros((256, 256, 3), np.uint8)
    lines[::2] = 255
    middle = _whole(resample_light(_of(lines), Size(64, 64), BYTE))[16:48, 16:48]
    assert abs(int(middle.mean()) - 188) <= 1
    values = _whole(resample_values(_of(lines), Size(64, 64), BYTE))[16:48, 16:48]
    assert abs(int(values.mean()) - 128) <= 1


def test_it_is_close_to_the_common_filter_on_a_photograph() -> None:
    pixels = photo("astronaut")
    common = np.asarray(Image.fromarray(pixels).resize((200, 200), Image.Resampling.LANCZOS))
    assert psnr(_whole(resample_light(_of(pixels), Size(200, 200), BYTE)), common) > 30


def test_light_goes_there_and_back_for_every_level_of_8_and_16_bits() -> None:
    # The same size in both directions: only the curve is left, and every level must survive it.
    levels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(_whole(resample_light(_of(levels), Size(256, 1), BYTE)), levels)
    deep = np.arange(65_536, dtype=np.uint16).reshape(1, -1, 1).repeat(3, axis=2)
    again = _whole(resample_light(_of(deep), Size(65_536, 1), FLOAT)) * 65_535
    assert np.abs(again - deep).max() < 1


def test_a_picture_of_the_wanted_size_is_not_touched() -> None:
    pixels = photo("chelsea")
    np.testing.assert_array_equal(_whole(fitted(_of(pixels), Size(451, 300), BYTE)), pixels)


@pytest.mark.parametrize("factor", [4, 16])
def test_scaling_down_a_lot_reads_no_more_at_a_time_than_scaling_up(factor: int) -> None:
    source = _of(np.zeros((400 * factor, 200 * factor, 3), np.uint8))
    reads = []

    class Watched:
        size = source.size

        def read(self, start: int, stop: int) -> Band:
            reads.append((stop - start) * self.size.width * 3 * 4)
            return source.read(start, stop)

    assert _whole(resample_values(Watched(), Size(200, 400))).shape == (400, 200, 3)
    assert max(reads) <= 2 * bands.STRIP_BYTES
