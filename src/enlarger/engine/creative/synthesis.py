"""Texture from noise: an RRDB network, its features disturbed where there is texture, and again.

Works on whole pictures in memory, for what an RRDB may see in one request is small: a quarter of a
megapixel, four megapixels of result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.creative.noise import Field
from enlarger.engine.creative.texture import texture_mask
from enlarger.engine.look.small import resized
from enlarger.engine.runner import Runner
from enlarger.engine.tiling import Tiling

Floats = NDArray[np.float32]
AMPLITUDE_PER_CREATIVITY = 2.5
AMPLITUDE_MAX = 1.5
"""Of the noise, in standard deviations of the features. Mixing with a second network, the mask and the
back-projection leave about a third of what it makes; without them a fifth of it would be crunchy."""
DETAIL_SHARE = 0.5
"""How much the detail dial changes the amplitude: by half, up and down."""
REFINED_AMPLITUDE = 0.7
"""Of the second pass, as a share of the first's."""
RETENTION_MIN, RETENTION_MAX = 0.3, 1.0
"""What one pass leaves to the next, of the noise and of the way from the input, at a creativity decay of
0 and 1."""
PUSH, PUSH_MAX = 0.5, 0.5
"""How far a pass goes on from what the last one made: PUSH plus the creativity, that at most PUSH_MAX."""
SEED_STEP = 101
"""Passes have noise of their own."""
LOW_SHRINK = 4
"""Colours and light finer than so many input pixels are the network's, coarser ones the input's."""
FEATURE_STD = {
    "realesrgan-x4plus": (0.030, 0.037, 0.057, 0.073),
    "realesrgan-x4plus-anime": (0.034, 0.049, 0.080, 0.120),
}
"""Standard deviations of the features at the places of the noise, over four photographs; fixed, so that
tiles and pictures agree."""


@dataclass(frozen=True)
class Dials:
    """What steers the synthesis; the request's docstrings say what each does."""

    creativity: float
    detail: float
    refinement: int
    creativity_decay: float
    grain_share: float
    """Of the picture by the network that keeps grain, 0 to 1."""
    texture_floor: float


def synthesised(
    picture: Floats,
    dials: Dials,
    field: Field,
    faces: Floats,
    network: str,
    noisy: Runner,
    grainy: Runner | None,
    tiling: Tiling,
    on_tile: Callable[[], None],
) -> Floats:
    """The picture four times as large, with texture; float32 (4 height, 4 width, 3), not clipped.

    picture  RGB, (height, width, 3), 0..1.
    field    of the noise; its layers are made from it.
    faces    1 on faces, (height, width).
    network  the name that `noisy` has in FEATURE_STD.
    grainy   None for a grain share of 0.
    """
    mask = texture_mask(picture, faces, floor=dials.texture_floor)
    amplitude = min(AMPLITUDE_MAX, AMPLITUDE_PER_CREATIVITY * dials.creativity)
    amplitude *= 1 + DETAIL_SHARE * dials.detail
    retention = RETENTION_MIN + (RETENTION_MAX - RETENTION_MIN) * dials.creativity_decay
    height, width = picture.shape[:2]

    def disturbed(source: Floats, strength: float, seed_step: int) -> Floats:
        fields = [
            replace(field, seed=field.seed + seed_step, layer=layer)
            for layer in range(len(FEATURE_STD[network]))
        ]

        def extras(top: int, bottom: int, left: int, right: int) -> list[Floats]:
            local = mask[top:bottom, left:right, np.newaxis]
            return [
                own.window(top, bottom, left, right) * (local * np.float32(strength * deviation))
                for own, deviation in zip(fields, FEATURE_STD[network], strict=True)
            ]

        return _tiled(source, noisy, tiling, extras, on_tile)

    seen = picture
    made = disturbed(seen, amplitude, 0)
    push = np.float32(PUSH + min(dials.creativity, PUSH_MAX))
    for step in range(1, dials.refinement + 1):
        amplitude *= retention
        push *= np.float32(retention)
        # On from where the last pass began: with less push a pass goes less far, but never back.
        seen = np.clip(seen + (resized(made, height, width) - seen) * push, 0, 1)
        made = disturbed(seen, amplitude * REFINED_AMPLITUDE, step * SEED_STEP)
    if grainy is not None:
        noisy.release()
        grain = _tiled(picture, grainy, tiling, lambda *_: [], on_tile)
        made += np.float32(dials.grain_share) * (grain - made)
    return _coloured(made, picture)


def _tiled(
    source: Floats,
    runner: Runner,
    tiling: Tiling,
    extras: Callable[[int, int, int, int], list[Floats]],
    on_tile: Callable[[], None],
) -> Floats:
    scale = runner.scale
    height, width = source.shape[:2]
    result = np.empty((height * scale, width * scale, 3), np.float32)
    for down in tiling.rows:
        for across in tiling.columns:
            tile = source[down.start : down.stop, across.start : across.stop]
            more = extras(down.start, down.stop, across.start, across.stop)
            answer = runner.run(tile, *more)
            kept = answer[
                (down.keep_start - down.start) * scale : (down.keep_stop - down.start) * scale,
                (across.keep_start - across.start) * scale : (across.keep_stop - across.start) * scale,
            ]
            result[
                down.keep_start * scale : down.keep_stop * scale,
                across.keep_start * scale : across.keep_stop * scale,
            ] = kept
            on_tile()
    return result


def _coloured(made: Floats, picture: Floats) -> Floats:
    """`made` with the low bands of `picture`: networks drift in colour, and noise makes them drift more."""
    height, width = picture.shape[:2]
    small = max(1, height // LOW_SHRINK), max(1, width // LOW_SHRINK)
    drift = resized(picture, *small) - resized(made, *small)
    return made + resized(drift, *made.shape[:2])
