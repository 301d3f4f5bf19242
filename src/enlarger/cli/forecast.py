"""What a picture will come to, before any of it is made: size, tiles, memory, seconds, refusals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from enlarger.engine.plan import Method
from enlarger.errors import BadParameter, EnlargerError
from enlarger.imaging import Format, Outline, check_size, outlined
from enlarger.imaging.animation import MOVING
from enlarger.request import UpscaleRequest
from enlarger.target import Size

if TYPE_CHECKING:
    from enlarger.library import Upscaler

FAST_S_PER_MEGAPIXEL, OTHER_S_PER_MEGAPIXEL = 0.07, 0.5
"""Beside the networks: resampling, measuring, encoding, by megapixels of the largest picture on the way.

Measured on two cores that were shared: `fast` 0.03 (JPEG at 4x) to 0.09 (WebP at 3x), `conservative`
0.5 to 0.65, whose back-projection is in float32.
"""
NETWORK_SCALE = 4
"""Of a pass, along one axis."""
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Forecast:
    """What one picture will come to. It follows from the size and the request, but for `seconds`."""

    width: int
    """Of the result."""
    height: int
    source_width: int
    source_height: int
    frames: int
    """1 but for animations."""
    method: str
    """How the picture will be made, as the receipt will name it."""
    passes: int
    tiles: int
    """In all passes and frames."""
    memory_mib: int
    """Most that the process is to hold at once."""
    flops: int
    """Of the networks."""
    seconds: float | None
    """On this machine as fast as it is now, with the networks loaded; None where it was not measured."""
    refusals: tuple[str, ...]
    """The limits that would refuse it."""

    def fields(self) -> dict[str, Any]:
        """As a JSON event has them."""
        return asdict(self)

    @property
    def line(self) -> str:
        """For people."""
        frames = f"{self.frames} frames, " if self.frames > 1 else ""
        seconds = "" if self.seconds is None else f", about {self.seconds:.1f} s"
        return (
            f"{self.source_width}x{self.source_height} to {self.width}x{self.height},"
            f" {frames}{self.method}, {_counted(self.passes, 'pass', 'passes')},"
            f" {_counted(self.tiles, 'tile', 'tiles')}, {self.memory_mib} MiB{seconds}"
        )


def forecast(
    path: Path,
    request: UpscaleRequest,
    enlarge: Upscaler,
    *,
    format_: Format | None = None,
    max_pixels: int | None = None,
    tile_px: int | None = None,
    speed: float | None = None,
) -> Forecast:
    """The forecast for a file; its header is read, and the networks' if they have not been.

    format_  of the result; None is the input's own.
    speed    operations a second, as `Upscaler.speed` measures them; None leaves the time open.

    Raises BadParameter, UnsupportedPicture or ModelError where there is nothing to forecast.
    """
    try:
        with path.open("rb") as file:
            outline = outlined(file)
    except OSError as error:
        raise BadParameter(f"cannot be read: {error.strerror or error}") from error
    size = Size(outline.width, outline.height)
    plan = enlarge.plan(size, request, has_alpha=outline.has_alpha, bits=outline.bits, tile_px=tile_px)
    result = plan.canvas.result
    flops = plan.flops * outline.frames
    seconds = None
    if speed is not None:
        largest = max(result.pixels, size.pixels * NETWORK_SCALE ** (2 * len(plan.passes)))
        rate = FAST_S_PER_MEGAPIXEL if plan.method is Method.FAST else OTHER_S_PER_MEGAPIXEL
        seconds = flops / speed + rate * largest * outline.frames / 1e6
    return Forecast(
        width=result.width,
        height=result.height,
        source_width=size.width,
        source_height=size.height,
        frames=outline.frames,
        method=str(plan.method),
        passes=len(plan.passes),
        tiles=plan.tiles * outline.frames,
        memory_mib=round(plan.memory_bytes / MEBIBYTE),
        flops=flops,
        seconds=None if seconds is None else round(seconds, 2),
        refusals=tuple(_refusals(outline, result, format_ or outline.format, max_pixels)),
    )


def _refusals(outline: Outline, result: Size, format_: Format, max_pixels: int | None) -> list[str]:
    refusals = []
    if max_pixels is not None and result.pixels > max_pixels:
        refusals.append(f"{result} = {result.pixels} pixels; at most {max_pixels} are allowed")
    if outline.frames > 1 and outline.format not in MOVING:
        refusals.append(
            f"the {outline.format} has {outline.frames} pages; only single pictures are enlarged"
        )
    elif outline.frames > 1 and format_ not in MOVING:
        refusals.append(f"a {format_} does not move; the formats that do: {', '.join(MOVING)}")
    try:
        check_size(format_, result.width, result.height)
    except EnlargerError as error:
        refusals.append(error.message)
    return refusals


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
