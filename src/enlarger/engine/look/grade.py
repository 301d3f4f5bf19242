"""Looks put on finished samples, band by band: colour, light, contrast, grain and a few finishes.

Every sample depends on itself and, for grain, on its place in the picture: bands and tiles of any cut
give the same picture bit for bit. Magnitudes are small on purpose. It stays an upscale: at full
deflection of an axis a mid grey moves by a tenth to a sixth, black stays black and (but for colour
temperature) white white, and no curve folds back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.look.axes import Axes
from enlarger.engine.look.small import luma

Band = NDArray[np.float32]
"""RGB samples (height, width, 3), coded as in the file, nominally 0..1."""

WARMTH_GAIN = 0.16
"""Share by which linear red rises and blue falls at temperature 1; below 0 the other way."""
LIGHT_BEND = 0.6
"""Bend of the brightness curve at light 1: mid grey goes from 0.500 to 0.615; at -1 to 0.385."""
CONTRAST_SLOPE = 0.7
"""Steepness added in the middle at contrast 1: slope 1.35 there; at -1, 0.65."""
SATURATION_GAIN = 0.6
"""Chroma at saturation 1 is 1.6 times; at -1 it is none."""
GRAIN_STD = 0.06
"""Standard deviation of grain 1 in a mid grey; it fades towards black and white."""
GRAIN_BLUR = np.array([0.25, 0.5, 0.25], np.float32)
"""Grains are about two samples wide: single ones look like a sensor's noise, not like film."""
GRAIN_KEY = 0x6772_6169_6E
"""Keeps this noise apart from other noise of the same seed."""


class Finish(StrEnum):
    """What the axes cannot say; each is fixed, a preset has it or not."""

    FADED = "faded"
    """Blacks are lifted and whites lowered, as in an old print."""
    CINEMA = "cinema"
    """Darks towards teal, lights towards orange."""
    NEON = "neon"
    """Darks towards violet, lights towards magenta and cyan."""
    PAPER = "paper"
    """Light greys become white: ink on paper."""
    FLAT = "flat"
    """Eight tones of brightness with soft steps, as poster paint."""
    BLOCKY = "blocky"
    """Eight tones and few colours with hard steps, as an old palette."""


def apply(
    band: Band, axes: Axes, finishes: Sequence[Finish] = (), *, seed: int, top: int, left: int = 0
) -> Band:
    """A new band with the look on it, 0..1. A neutral look without finishes only clips.

    axes   detail is not applied here, for it needs neighbours; of grain only what is above 0.
    seed   of the grain. 0 to 2^64 - 1.
    top    row of the whole result that the band begins at; `left` its column.
    """
    look = axes.clamped()
    graded: Band = np.clip(band, 0.0, 1.0)
    # Saturation before temperature: a grey picture can then still be toned.
    if look.saturation:
        graded = saturate(graded, look.saturation)
    if look.temperature:
        graded = warm(graded, look.temperature)
    if look.light:
        graded = brighten(graded, look.light)
    if look.contrast:
        graded = steepen(graded, look.contrast)
    for finish in finishes:
        graded = np.clip(FINISHES[finish](graded), 0.0, 1.0)
    if look.grain > 0:
        graded = graded + grain(graded, look.grain, seed=seed, top=top, left=left)
    return np.clip(graded, 0.0, 1.0)


def saturate(band: Band, amount: float) -> Band:
    """Move colours from or towards grey of the same brightness. amount -1 (grey) to 1 (1.6 times)."""
    grey = luma(band)[..., np.newaxis]
    factor = np.float32(1 + (SATURATION_GAIN * amount if amount > 0 else amount))
    return np.clip(grey + (band - grey) * factor, 0.0, 1.0)


def warm(band: Band, amount: float) -> Band:
    """Warmer above 0, colder below; brightness is kept but where a channel clips. -1 to 1."""
    # Squares stand in for sRGB's curve: a gain on light, a tenth of the time.
    gains = np.array([1 + WARMTH_GAIN * amount, 1, 1 - WARMTH_GAIN * amount], np.float32)
    toned = band * np.sqrt(gains)
    before, after = luma(band), luma(toned)
    toned *= (before / np.maximum(after, np.float32(1e-6)))[..., np.newaxis]
    return np.clip(toned, 0.0, 1.0)


def brighten(band: Band, amount: float) -> Band:
    """Bend the curve up or down between black and white, which stay. -1 to 1; -a undoes a."""
    bend = LIGHT_BEND * abs(amount)
    if amount < 0:
        bend = -bend / (1 + bend)
    rise = np.float32(1 + bend)
    bent: Band = band * rise / (1 + band * np.float32(bend))
    return bent


def steepen(band: Band, amount: float) -> Band:
    """An S-curve through black, mid grey and white. -1 (flatter) to 1 (steeper)."""
    slope = np.float32(CONTRAST_SLOPE * amount)
    steep: Band = band + slope * band * (1 - band) * (2 * band - 1)
    return steep


def grain(band: Band, amount: float, *, seed: int, top: int, left: int = 0) -> Band:
    """What to add for film grain, the same to all channels, (height, width, 1). amount 0 to 1."""
    height, width = band.shape[:2]
    noise = _noise(seed, top, left, height, width)
    tone = luma(band)
    strength = np.float32(GRAIN_STD * amount * 2) * np.sqrt(np.clip(tone * (1 - tone), 0, None))
    added: Band = (noise * strength)[..., np.newaxis]
    return added


def _noise(seed: int, top: int, left: int, height: int, width: int) -> NDArray[np.float32]:
    """Noise of unit variance: a function of the seed and the absolute place, and of nothing else."""
    rows = np.empty((height + 2, width + 2), np.float32)
    for index in range(height + 2):
        # One generator a row; four 64-bit words a step, so a column is reached without its row's start.
        # Rows and columns are counted from 1, for the blur reaches one beyond the border.
        generator = np.random.Philox(key=np.array([seed, GRAIN_KEY << 24 | (top + index)], np.uint64))
        generator.advance(left // 4)
        words = generator.random_raw(left % 4 + width + 2)[left % 4 :]
        # The sum of four 16-bit parts of a word is nearly normal, and a tenth of a normal's time.
        rows[index] = words.view(np.uint16).reshape(-1, 4).sum(1, dtype=np.int32)
    rows = (rows - np.float32(2 * 65535)) / np.float32(65535 / np.sqrt(3))
    across = sum(tap * rows[:, index : index + width] for index, tap in enumerate(GRAIN_BLUR))
    down = sum(tap * across[index : index + height] for index, tap in enumerate(GRAIN_BLUR))
    unit: NDArray[np.float32] = down / np.float32(np.square(GRAIN_BLUR).sum())
    return unit


def _faded(band: Band) -> Band:
    return np.float32(0.06) + band * np.float32(0.88)


def _toned(darks: Sequence[float], lights: Sequence[float]) -> Callable[[Band], Band]:
    dark, light = np.array(darks, np.float32), np.array(lights, np.float32)

    def tone(band: Band) -> Band:
        level = luma(band)[..., np.newaxis]
        # Both vanish at black and white and are strongest a third of the way from them.
        toned: Band = band + (1 - level) ** 2 * level * 4 * dark + level**2 * (1 - level) * 4 * light
        return toned

    return tone


def _paper(band: Band) -> Band:
    grey = luma(band)[..., np.newaxis]
    whitened: Band = band + np.clip((grey - np.float32(0.45)) / np.float32(0.35), 0, 1) * (1 - band)
    return whitened


def _flat(band: Band) -> Band:
    level = luma(band)[..., np.newaxis] * 8
    step = np.floor(level)
    ramp = np.clip((level - step - np.float32(0.5)) * 3 + np.float32(0.5), 0, 1)
    flattened: Band = band + (step + ramp - level) / 8
    return flattened


def _blocky(band: Band) -> Band:
    grey = luma(band)[..., np.newaxis]
    rounded: Band = (np.round(grey * 7) / 7 + np.round((band - grey) * 12) / 12).astype(np.float32)
    return rounded


FINISHES: Mapping[Finish, Callable[[Band], Band]] = {
    Finish.FADED: _faded,
    Finish.CINEMA: _toned((-0.05, 0.02, 0.05), (0.06, 0.01, -0.07)),
    Finish.NEON: _toned((0.04, -0.06, 0.12), (0.05, -0.04, 0.07)),
    Finish.PAPER: _paper,
    Finish.FLAT: _flat,
    Finish.BLOCKY: _blocky,
}
