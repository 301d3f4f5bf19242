"""Animations, picture by picture: each one is enlarged as if it were alone.

Networks with nothing random in them give equal pictures equal results, so what stands still in the
animation stands still in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from enlarger.engine.receipt import Receipt, Verdict
from enlarger.engine.rendering import Rendering
from enlarger.errors import BadParameter
from enlarger.imaging import Animation, Format, Metadata, Picture, encode_animation
from enlarger.imaging.animation import MOVING
from enlarger.progress import OnTile

Render = Callable[[Picture, OnTile], Rendering]
"""Begins the result of one picture, and is told of its tiles."""
_SEVERITY = [Verdict.PASS, Verdict.WARN, Verdict.FAIL]


def check_moving(format_: Format) -> None:
    """Raise BadParameter, naming the formats that do, if this one holds no animations."""
    if format_ not in MOVING:
        known = ", ".join(MOVING)
        raise BadParameter(f"a {format_} does not move; the formats that do: {known}", param="format")


def animate(
    animation: Animation,
    file: BinaryIO,
    format_: Format,
    render: Render,
    *,
    quality: int | None,
    metadata: Metadata,
    on_tile: OnTile,
) -> Receipt:
    """Write the animation enlarged, with its durations, its loops and its transparency.

    metadata  of the file, as far as the format has a place for it.

    Only one picture is in memory. The receipt is the worst of all pictures'.

    Raises what `render` and its rows raise, and ReceiptFailed; `file` must then be thrown away.
    """
    receipts: list[Receipt] = []
    count = len(animation.durations_ms)

    def pictures() -> Iterator[Picture]:
        for number, picture in enumerate(animation.pictures):
            rendering = render(picture, _within(number, count, on_tile))
            yield rendering.collect()
            receipts.append(rendering.receipt())
            receipts[-1].demand()

    encode_animation(
        pictures(),
        animation.durations_ms,
        file,
        format_,
        loops=animation.loops,
        quality=quality,
        metadata=metadata,
    )
    return max(receipts, key=lambda receipt: (_SEVERITY.index(receipt.verdict), -receipt.consistency_db))


def _within(number: int, count: int, on_tile: OnTile) -> OnTile:
    """Progress of one picture as that of all: they take about as many tiles each."""

    def tell(done: int, total: int) -> None:
        on_tile(number * total + done, count * total)

    return tell
