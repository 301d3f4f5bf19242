"""What a receipt's limits are drawn from: the worst that clean results measure, and what faults measure.

Clean results: photographs, drawings, sprites, screenshots and scans through every plan, at the creativity
that strays furthest, and in several tiles, so that there are seams. Faults are put into a network's
answers on purpose, each as small as one that a viewer would complain about.

As a program: the subject that does all this once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MEASURES = ("consistency_db", "colour_drift", "shift_px", "seam_energy", "clipped_share")
LEAST_IS_WORST = ("consistency_db",)
TILE_PX = 96 * 96
FAITHFUL_PLANS = ("fast", "texture", "detail", "refine")
REPAIRED_PLAN = "repaired"


@dataclass(frozen=True)
class Worst:
    """The worst value of one measure, and where it was found."""

    value: float
    where: str


@dataclass(frozen=True)
class Receipts:
    """Everything that limits are drawn from."""

    clean: Mapping[str, Mapping[str, Worst]]
    """By plan and measure: the worst of all pictures."""
    faults: Mapping[str, Mapping[str, Worst]]
    """By fault and measure: the value nearest to a clean one."""
    limits: Mapping[str, tuple[float, float]]
    """By measure: warn and fail."""


def measure_receipts() -> Receipts:
    """Start the subject and let it run."""
    from benchmarks.subjects import Subject
    from enlarger.engine.receipt import FAITHFUL_LIMITS

    with Subject("receipts") as subject:
        found = subject.run()

    def read(table: dict[str, dict[str, Any]]) -> dict[str, dict[str, Worst]]:
        return {
            row: {measure: Worst(*pair) for measure, pair in cells.items()} for row, cells in table.items()
        }

    limits = {name: (limit.warn, limit.fail) for name, limit in FAITHFUL_LIMITS.items()}
    return Receipts(read(found["clean"]), read(found["faults"]), limits)


def main() -> None:
    """Be the subject."""
    from benchmarks.subjects import take_turns

    take_turns(lambda: {"clean": clean_results(), "faults": faulty_results()})


Table = dict[str, dict[str, tuple[float, str]]]


def clean_results() -> Table:
    """The worst of each measure for each plan."""
    from benchmarks.workplace import engine
    from enlarger.request import Mode

    ours = engine()
    table: Table = {}
    for name, pixels in _pictures():
        for plan, mode, target, side in (
            ("fast", Mode.FAST, "4x", 160),
            ("texture", Mode.CONSERVATIVE, "4x", 64),
            ("detail", Mode.CONSERVATIVE, "2x", 512),
            ("refine", Mode.CONSERVATIVE, "1x", 512),
        ):
            cut = pixels[:side, :side]
            if plan == "detail":
                cut = _tiled(cut, 512)
            _note(table, plan, name, _receipt(ours, cut, mode, target, TILE_PX if plan == "fast" else None))
    for name, pixels in _pictures():
        if "sprite" not in name:
            _note(
                table,
                REPAIRED_PLAN,
                name,
                _receipt(ours, _compressed(pixels[:96, :96]), Mode.CONSERVATIVE, "4x"),
            )
    return table


def faulty_results() -> Table:
    """Of each fault and measure, the value that is nearest to a clean one, without a second look: that
    would fill some faults with the input's own pixels."""
    from unittest.mock import patch

    import numpy as np

    from benchmarks.workplace import engine
    from enlarger.engine import networks
    from enlarger.request import Mode
    from tests.support.photos import crop
    from tests.support.toys import HarmfulRuntime

    count = 0

    def tinted(tile: Any, answer: Any, precision: Any) -> Any:
        return np.clip(answer.astype(int) + np.array((10, -6, 0)), 0, 255).astype(np.uint8)

    def moved(tile: Any, answer: Any, precision: Any) -> Any:
        return np.roll(answer, 2, axis=1)

    def uneven(tile: Any, answer: Any, precision: Any) -> Any:
        nonlocal count
        count += 1
        return np.clip(answer.astype(int) + (4 if count % 2 else 0), 0, 255).astype(np.uint8)

    def holed(tile: Any, answer: Any, precision: Any) -> Any:
        answer[100:148, 100:148] = 0
        return answer

    def burnt(tile: Any, answer: Any, precision: Any) -> Any:
        return np.clip((answer.astype(int) - 128) * 2 + 128, 0, 255).astype(np.uint8)

    table: Table = {}
    for fault, harm in (
        ("half a pixel aside", moved),
        ("tiles 4 levels apart", uneven),
        ("10 levels redder", tinted),
        ("a black hole", holed),
        ("twice the contrast", burnt),
    ):
        for name in ("astronaut", "coffee", "motorcycle_left", "camera"):
            ours = engine(lambda inner, harm=harm: HarmfulRuntime(inner, harm))  # type: ignore[misc]
            with patch.object(networks, "UNSTEADY", frozenset()):
                receipt = _receipt(ours, crop(name, 200, 160), Mode.FAST, "4x", TILE_PX)
            _note(table, fault, name, receipt, best=True)
    return table


def _pictures() -> Iterator[tuple[str, Any]]:
    """Faces, fur, foliage, stars, tissue, machines, scans; then what programs drew."""
    import numpy as np

    from tests.support.drawn import drawing, screenshot, sprite
    from tests.support.photos import crop, photo

    names = ("astronaut", "coffee", "chelsea", "rocket", "motorcycle_left", "hubble_deep_field", "retina")
    for name in (*names, "ihc", "camera", "grass", "brick", "gravel"):
        yield name, crop(name, min(512, photo(name).shape[1]), min(512, photo(name).shape[0]))
    for name in ("page", "text"):
        yield name, photo(name)
    yield "drawing", drawing()
    yield "screenshot", screenshot()
    yield "sprite", np.ascontiguousarray(sprite()[..., :3])
    yield "sprite of 4 px", np.ascontiguousarray(sprite(4, tiles=2)[..., :3])


def _tiled(pixels: Any, side: int) -> Any:
    """The picture again and again, to a size at which the plan for large pictures runs."""
    import numpy as np

    height, width = pixels.shape[:2]
    return np.tile(pixels, (-(-side // height), -(-side // width), 1))[:side, :side]


def _compressed(pixels: Any) -> Any:
    import io

    import numpy as np
    from PIL import Image

    from tests.support.photos import encoded

    return np.asarray(Image.open(io.BytesIO(encoded(pixels, "JPEG", quality=40))))


def _receipt(engine: Any, pixels: Any, mode: Any, target: str, tile_px: int | None = None) -> Any:
    import numpy as np

    from enlarger.imaging import Picture
    from enlarger.request import UpscaleRequest
    from enlarger.target import Target

    creativity = None if mode == "fast" else 1.0
    request = UpscaleRequest(mode=mode, target=Target.parse(target), creativity=creativity)
    rendering = engine.upscale(Picture.of(np.ascontiguousarray(pixels)), request, tile_px=tile_px)
    for _ in rendering.rows():
        pass
    return rendering.receipt()


def _note(table: Table, row: str, name: str, receipt: Any, *, best: bool = False) -> None:
    cells = table.setdefault(row, {})
    for measure in MEASURES:
        value = float(getattr(receipt, measure))
        sign = -1 if (measure in LEAST_IS_WORST) != best else 1
        if measure not in cells or sign * value > sign * cells[measure][0]:
            cells[measure] = value, name


if __name__ == "__main__":
    main()
