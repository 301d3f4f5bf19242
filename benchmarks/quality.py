"""What the engine makes of real photographs, in the numbers of the literature.

The classical check: photographs scaled down by MATLAB's bicubic, enlarged, compared with what they were;
for `fast` beside bicubic and beside the same weights in `ncnn`, for `conservative` at each creativity, for
small inputs and for a megapixel. Then a picture that keeps its size, and JPEGs of quality 40.

As a program: the subject that does all this once.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

CREATIVITIES = (0.2, 0.35, 0.5)
PHOTOS = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle_left", "hubble_deep_field", "ihc")
GREYS = ("camera", "grass", "brick", "gravel")
DAMAGED = ("astronaut", "coffee", "chelsea", "motorcycle_left", "camera", "rocket")
SMALL_PX = 64
MEGAPIXEL_SIDE = 1024
OWN_SIZE_SIDE = 3072
JPEG_QUALITY = 40
Pixels = NDArray[np.uint8]
Enlarge = Callable[..., tuple[Pixels, Any]]


@dataclass(frozen=True)
class Classical:
    """Means of luma PSNR over photographs at 4x."""

    photos: int
    fast_db: float
    bicubic_db: float
    ncnn_db: float


@dataclass(frozen=True)
class Creative:
    """Conservative at one creativity: the mean over photographs, and the worst consistency."""

    creativity: float
    method: str
    consistency_db: float
    """The least of all photographs."""
    fine_energy: float
    """Share of the truth's, beyond what the input can hold."""
    from_fast_db: float
    """Luma PSNR to the truth, less that of `fast`: above 0 is better."""


@dataclass(frozen=True)
class Refined:
    """A picture that keeps its size, at one creativity."""

    creativity: float
    psnr_db: float
    """To the input."""
    fine_energy: float
    """Over the input's, in the finest octave."""


@dataclass(frozen=True)
class Damaged:
    """Means over JPEGs of quality 40 at 4x."""

    truth_blocks: float
    fast_blocks: float
    conservative_blocks: float
    fast_db: float
    conservative_db: float


@dataclass(frozen=True)
class Quality:
    """Everything measured."""

    classical: Classical
    fast_fine_energy: dict[str, float]
    small: tuple[Creative, ...]
    megapixel: tuple[Creative, ...]
    refined: tuple[Refined, ...]
    damaged: Damaged


def measure_quality() -> Quality:
    """Start the subject and let it run."""
    from benchmarks.subjects import Subject

    with Subject("quality") as subject:
        found = subject.run()
    return Quality(
        classical=Classical(**found["classical"]),
        fast_fine_energy=found["fast_fine_energy"],
        small=tuple(Creative(**one) for one in found["small"]),
        megapixel=tuple(Creative(**one) for one in found["megapixel"]),
        refined=tuple(Refined(**one) for one in found["refined"]),
        damaged=Damaged(**found["damaged"]),
    )


def main() -> None:
    """Be the subject."""
    from benchmarks.subjects import take_turns

    take_turns(_everything)


def _everything() -> dict[str, Any]:
    from benchmarks.workplace import engine
    from tests.support.imresize import smaller
    from tests.support.photos import crop, mosaic

    enlarge = partial(_enlarge, engine())
    small = [smaller(crop(name, 4 * SMALL_PX, 4 * SMALL_PX), 4) for name in (*PHOTOS, *GREYS)]
    large = [smaller(mosaic(2 * MEGAPIXEL_SIDE, 2 * MEGAPIXEL_SIDE), 2)]
    small_energy, small_figures = _creative(enlarge, small, 4)
    large_energy, large_figures = _creative(enlarge, large, 2)
    quality = Quality(
        classical=_classical(enlarge),
        fast_fine_energy={"small": small_energy, "megapixel": large_energy},
        small=small_figures,
        megapixel=large_figures,
        refined=_refined(enlarge),
        damaged=_damaged(enlarge),
    )
    return asdict(quality)


def _enlarge(
    engine: Any, pixels: Pixels, target: str, creativity: float | None = None
) -> tuple[Pixels, Any]:
    """Colours and receipt; conservative if a creativity is given."""
    from enlarger.imaging import Picture
    from enlarger.request import Mode, UpscaleRequest
    from enlarger.target import Target

    mode = Mode.FAST if creativity is None else Mode.CONSERVATIVE
    request = UpscaleRequest(mode=mode, target=Target.parse(target), creativity=creativity)
    rendering = engine.upscale(Picture.of(np.ascontiguousarray(pixels)), request)
    return rendering.collect().colour.array(), rendering.receipt()


def _classical(enlarge: Enlarge) -> Classical:
    from benchmarks.contender import in_ncnn
    from tests.support.imresize import imresize, smaller
    from tests.support.measures import y_psnr
    from tests.support.photos import photo

    rows = []
    for name in (*PHOTOS, *GREYS):
        source, truth = smaller(photo(name), 4)
        height, width = truth.shape[:2]
        _, run = in_ncnn("span-x4-ch48", source)
        answer = np.array(run()).transpose(1, 2, 0)
        theirs = np.rint(np.clip(answer, 0, 1) * 255).astype(np.uint8)
        results = enlarge(source, "4x")[0], imresize(source, width, height), theirs
        rows.append([y_psnr(result, truth) for result in results])
    fast, bicubic, ncnn = (float(mean) for mean in np.mean(rows, axis=0))
    return Classical(len(rows), fast, bicubic, ncnn)


def _creative(
    enlarge: Enlarge, pairs: list[tuple[Pixels, Pixels]], factor: int
) -> tuple[float, tuple[Creative, ...]]:
    """The share of the truth's fine energy that `fast` has, and the figures for each creativity."""
    from tests.support.measures import fine_energy, y_psnr

    faithful = [enlarge(source, f"{factor}x")[0] for source, _ in pairs]

    def share(results: list[Pixels]) -> float:
        truths = sum(fine_energy(truth, factor) for _, truth in pairs)
        return sum(fine_energy(result, factor) for result in results) / truths

    figures = []
    for creativity in CREATIVITIES:
        made = [enlarge(source, f"{factor}x", creativity) for source, _ in pairs]
        results = [result for result, _ in made]
        gains = [
            y_psnr(result, truth) - y_psnr(plain, truth)
            for result, plain, (_, truth) in zip(results, faithful, pairs, strict=True)
        ]
        figures.append(
            Creative(
                creativity=creativity,
                method=str(made[0][1].plan),
                consistency_db=min(receipt.consistency_db for _, receipt in made),
                fine_energy=share(results),
                from_fast_db=float(np.mean(gains)),
            )
        )
    return share(faithful), tuple(figures)


def _refined(enlarge: Enlarge) -> tuple[Refined, ...]:
    from tests.support.measures import fine_energy
    from tests.support.photos import mosaic, psnr

    source = mosaic(OWN_SIZE_SIDE, OWN_SIZE_SIDE)
    own = fine_energy(source, 2)
    found = []
    for creativity in CREATIVITIES:
        result, _ = enlarge(source, "4194304px", creativity)
        found.append(Refined(creativity, psnr(result, source), fine_energy(result, 2) / own))
    return tuple(found)


def _damaged(enlarge: Enlarge) -> Damaged:
    from PIL import Image

    from tests.support.imresize import smaller
    from tests.support.measures import blockiness
    from tests.support.photos import encoded, photo, psnr

    rows = []
    for name in DAMAGED:
        source, truth = smaller(photo(name)[:512, :512], 4)
        damaged = np.asarray(Image.open(io.BytesIO(encoded(source, "JPEG", quality=JPEG_QUALITY))))
        fast, conservative = enlarge(damaged, "4x")[0], enlarge(damaged, "4x", 0.35)[0]
        blocks = [blockiness(picture, 4) for picture in (truth, fast, conservative)]
        rows.append([*blocks, psnr(fast, truth), psnr(conservative, truth)])
    return Damaged(*(float(mean) for mean in np.mean(rows, axis=0)))


if __name__ == "__main__":
    main()
