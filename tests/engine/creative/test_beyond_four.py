"""Creative beyond one pass: what the texture network made goes on through the faithful one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from enlarger.engine.engine import Engine
from enlarger.imaging import Picture
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Target
from tests.support.photos import crop, psnr


@pytest.mark.parametrize("bits", [8, 16])
def test_eight_times_is_the_picture_and_not_a_black_one(engine: Engine, bits: int) -> None:
    pixels = crop("coffee", 40, 32)
    samples = pixels if bits == 8 else pixels.astype(np.uint16) * 257
    request = UpscaleRequest(mode=Mode.CREATIVE, target=Target.factor(8), refinement=0, seed=3)
    rendering = engine.upscale(Picture.of(samples), request)
    result = rendering.collect().colour.array()
    assert result.shape == (256, 320, 3)
    receipt = rendering.receipt()
    assert receipt.repairs == {}
    small = (result / (1 if bits == 8 else 257)).round().astype(np.uint8)
    again = np.asarray(Image.fromarray(small).resize((40, 32), Image.Resampling.BICUBIC))
    assert psnr(again, pixels) > 35
