"""The creative mode with the real networks, each picture made once for all tests of this folder.

The photographs are none that the mode was tuned on, shrunk until they are full of texture, and
small, because a request costs about 90 s for each megapixel and pass of two cores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.engine import Engine
from enlarger.engine.look.small import resized
from enlarger.engine.look.statistics import Statistic, measure
from enlarger.engine.receipt import Receipt
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.imaging import Picture
from enlarger.models import ModelStore, known_assets
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Target
from tests.support.photos import photo
from tests.support.tally import KEY

SIDE_PX = 48
CUTS = {"motorcycle_left": (3, 100, 60), "grass": (1, 200, 200), "ihc": (3, 50, 50), "brick": (2, 40, 40)}
"""How many times a photograph is shrunk, and the left and top of what is cut from it."""
PHOTOS = ("motorcycle_left", "grass", "ihc")
"""A machine, a meadow, a stained tissue. With `--whole` every dial is tried on each of them, else every
dial on one, the next dial on the next."""
SEEDS = (0, 1, 2)
SPREADS = 3.0
"""A dial's ends lie this many standard deviations apart, of what the seed alone changes."""
Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Made:
    """One result."""

    pixels: Pixels
    receipt: Receipt

    @property
    def floats(self) -> Floats:
        return self.pixels.astype(np.float32) / 255


Render = Callable[..., Made]


@cache
def small(name: str) -> Pixels:
    """A photograph of SIDE_PX x SIDE_PX pixels."""
    factor, left, top = CUTS[name]
    pixels = photo(name)
    size = (pixels.shape[1] // factor, pixels.shape[0] // factor)
    shrunk = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
    return np.ascontiguousarray(shrunk[top : top + SIDE_PX, left : left + SIDE_PX])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "photo" in metafunc.fixturenames:
        names: tuple[str, ...] = PHOTOS
        if not metafunc.config.stash[KEY].is_whole:
            # By the test's own name, so that one more test does not change what the others are tried on.
            names = (PHOTOS[crc32(metafunc.function.__name__.encode()) % len(PHOTOS)],)
        metafunc.parametrize("photo", names)


def style_picture(name: str) -> Picture:
    return Picture.of(np.ascontiguousarray(photo(name)[::2, ::2]))


@pytest.fixture(scope="session")
def engine(runtime: OpenVinoRuntime, store: ModelStore) -> Engine:
    return Engine(runtime, store, known_assets())


@pytest.fixture(scope="session")
def render(engine: Engine) -> Render:
    """The result for a photograph's name and what a request has; `style` names a style picture."""
    made: dict[tuple[object, ...], Made] = {}

    def run(name: str, target: str = "4x", style: str | None = None, **fields: object) -> Made:
        key = name, target, style, *sorted(fields.items())
        if key not in made:
            request = UpscaleRequest(
                **{"mode": Mode.CREATIVE, **fields},
                target=Target.parse(target),
                style_pictures=() if style is None else (style,),
            )
            styles = [] if style is None else [style_picture(style)]
            rendering = engine.upscale(Picture.of(small(name)), request, styles=styles)
            made[key] = Made(rendering.collect().colour.array(), rendering.receipt())
        return made[key]

    return run


def fine(made: Made) -> Floats:
    """The band above the input's Nyquist frequency: what the input cannot hold."""
    return _beyond(made.floats, SIDE_PX)


def texture(made: Made) -> float:
    """Standard deviation of that band."""
    return float(fine(made).std())


def finest_share(made: Made) -> float:
    """The finest octave's share of that band's energy."""
    finest = _beyond(made.floats, made.pixels.shape[0] // 2)
    return float(finest.var() / fine(made).var())


def consistency(made: Made, name: str) -> float:
    """PSNR in dB of the result, scaled down, to the input; by Pillow, not by the receipt."""
    down = resized(made.floats, SIDE_PX, SIDE_PX)
    error = np.mean((down - small(name).astype(np.float32) / 255) ** 2)
    return float(-10 * np.log10(error))


def distance(left: Made, right: Made) -> float:
    """Mean absolute difference, of 0..1."""
    return float(np.abs(left.floats - right.floats).mean())


def warmth(made: Made) -> float:
    return measure(Statistic.WARMTH, made.floats)


def colours(picture: Floats) -> Floats:
    """Mean and standard deviation of each channel."""
    return np.concatenate([picture.mean((0, 1)), picture.std((0, 1))])


def assert_moves(values: list[float], seeded: list[float], *, up: bool) -> None:
    """Strictly monotone, and the ends apart by SPREADS times the spread of `seeded`."""
    assert len(values) > 2
    steps = np.diff(values) if up else -np.diff(values)
    assert (steps > 0).all(), values
    assert abs(values[-1] - values[0]) >= SPREADS * np.std(seeded, ddof=1), (values, seeded)


def _beyond(picture: Floats, side: int) -> Floats:
    return picture - resized(resized(picture, side, side), *picture.shape[:2])
