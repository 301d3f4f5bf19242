"""The conservative plan: SPAN's picture, fine texture added, and held to the input.

Where a texture network (an RRDB) can be paid for, its picture is blended in. Where the picture is
too large for that, SPAN's own finest detail is raised instead: measured, that keeps more of the
truth than texture from a smaller copy does (docs/explanation/01-engine.md). Which of the two runs
follows from the size alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from enlarger.engine.bands import Bands, Reader, read_all
from enlarger.engine.projection import projected, sharpened
from enlarger.engine.resample import fitted
from enlarger.engine.runner import Runner
from enlarger.engine.synthesis import Pass, enlarge
from enlarger.target import Size

CREATIVITY = 0.35
"""Unless the request says; Stability's default."""
DETAIL_PER_CREATIVITY = 0.5
"""Gain of SPAN's detail for creativity 1.

At 0.5 it costs 0.4 dB to the truth on 2x of twelve photographs (0.6 at most, but for a brick wall that
SPAN gives back to 42 dB), and brings the energy of the finest band of the photographs in colour from
54 % of the truth's to 75 %. More gain loses the input: 0.7 leaves 42 dB of consistency on grass.
"""
REFINE_PER_CREATIVITY = 0.25
"""Gain of the finest octave for creativity 1 where the picture keeps its size.

At 0.5 the result stays at 40 dB or more to the input even for a scanned page and for grass, and at 47
for most photographs."""


def conserve(
    source: Reader,
    scaled: Size,
    passes: Sequence[Pass],
    faithful: Runner,
    texture: Runner | None,
    *,
    creativity: float,
    weight: float,
    on_tile: Callable[[], None],
) -> Bands:
    """The picture at `scaled`, float32 and not clipped.

    source      may be read from anywhere, again and again.
    passes      none: the picture keeps its size and its finest octave is raised.
    texture     the network for passes that have a tiling for one.
    creativity  0 to 1: share of the texture network's picture, or gain of the detail.
    weight      of the back-projection, 0 to 1; 0 for an input that is not worth returning to.
    """
    if not passes:
        return sharpened(read_all(source), scaled, gain=REFINE_PER_CREATIVITY * creativity)
    picture = enlarge(source, passes, faithful, texture, share=creativity, on_tile=on_tile)
    has_texture = any(step.texture is not None for step in passes)
    gain = 0.0 if has_texture else DETAIL_PER_CREATIVITY * creativity
    bands = fitted(picture, scaled, np.dtype(np.float32))
    return projected(bands, scaled, source, gain=gain, weight=weight)
