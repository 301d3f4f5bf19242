"""What will be done for a picture of a size: passes, tiles, memory, arithmetic. Pure.

A plan follows from the size and the request alone, never from the clock or the load, so that equal
requests give equal pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from enlarger.engine.geometry import check_output, pass_count
from enlarger.engine.synthesis import Pass
from enlarger.engine.tiling import Tiling, cut
from enlarger.errors import BadParameter
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Canvas, Size

TEXTURE_PIXELS_MAX = 240_000
"""Pixels that an RRDB may see in one conservative request, overlaps included.

At 36 MFLOP a pixel this is 8.6 TFLOP: 9 s on two cores that do 1 TFLOP/s in bf16, and 21 s on the
slowest pair that was measured. A caller of the APIs gives up after 30 s.
"""
FAITHFUL_TILE_BYTES = 352 * 1024 * 1024
"""Memory of the small network's tile; a 512x512 picture is then one tile in bf16."""
TEXTURE_TILE_BYTES = 832 * 1024 * 1024
"""Memory of an RRDB's tile: with everything else the process stays below 2 GiB."""
RUNTIME_OVERHEAD = 1.6
"""What the runtime takes over the values that are alive at once: measured 1.4 to 1.56."""
BAND_BYTES = 96 * 1024 * 1024
"""Most that one row of tiles may give; wide pictures take lower tiles for it."""
PROCESS_BYTES = 160 * 1024 * 1024
"""The interpreter, the runtime and the small things, before a network is loaded."""
WEIGHTS_OVERHEAD = 2.7
"""Memory of a compiled network over its weights in f32."""
CORRECTION_BYTES = 352 * 1024 * 1024
"""What back-projection and refinement hold: the result waits for what it lacks of the input. Measured
over plans of 0.004 to 16 megapixels, 92 to 377 MiB more than without."""
BANDS_IN_FLIGHT = 3
"""Rows of tiles that are alive at once: being made, being read, being written."""


@dataclass(frozen=True)
class Facts:
    """What planning needs to know of a network."""

    scale: int
    halo_px: int
    flops_per_px: int
    floats_per_px: int
    weight_bytes: int
    value_bytes: int
    """2 in bf16, 4 in f32."""

    def tile_bytes(self, pixels: int) -> int:
        """Memory of a tile of so many input pixels."""
        return int(pixels * self.floats_per_px * self.value_bytes * RUNTIME_OVERHEAD)

    def tile_px(self, budget: int) -> int:
        """Input pixels of the largest tile for so much memory."""
        return int(budget / (self.floats_per_px * self.value_bytes * RUNTIME_OVERHEAD))


class Method(StrEnum):
    """How a plan makes its picture; the receipt names it."""

    FAST = "fast"
    """The faithful network alone."""
    TEXTURE = "texture"
    """The texture network's picture blended in, in as many passes as its share of the work allows."""
    DETAIL = "detail"
    """The faithful network's own finest detail raised; for pictures too large for `texture`."""
    REFINE = "refine"
    """No network: the picture keeps its size, its finest octave is raised."""


@dataclass(frozen=True)
class Plan:
    """Everything about a run that can be known beforehand."""

    method: Method
    source: Size
    canvas: Canvas
    passes: tuple[Pass, ...]
    has_alpha: bool
    tiles: int
    """Tiles in all passes, transparency included."""
    flops: int
    """Of the networks' convolutions."""
    memory_bytes: int
    """Most that the process is to hold at once; does not depend on the picture's size beyond a few
    megapixels."""

    @property
    def seams(self) -> tuple[list[int], list[int]]:
        """Rows and columns of the enlarged picture at which a tile of the last pass begins."""
        if not self.passes:
            return [], []
        last = self.passes[-1].texture or self.passes[-1].base
        height, width = last.rows[-1].stop, last.columns[-1].stop
        scaled = self.canvas.scaled
        return (
            [round(span.keep_start * scaled.height / height) for span in last.rows[1:]],
            [round(span.keep_start * scaled.width / width) for span in last.columns[1:]],
        )


def make_plan(
    source: Size,
    request: UpscaleRequest,
    faithful: Facts,
    texture: Facts | None,
    *,
    has_alpha: bool = False,
    bits: int = 8,
    max_pixels: int | None = None,
    tile_px: int | None = None,
) -> Plan:
    """The plan for a picture of `source`.

    texture     None in modes that have no texture network.
    bits        8 or 16, of the picture's samples.
    max_pixels  largest result; None for no limit.
    tile_px     most pixels in a tile; None is what the memory allows.

    Raises BadParameter and PictureTooLarge as `check_output` does, and BadParameter for a tile that
    has nothing left inside the halo.
    """
    canvas = check_output(source, request.target, max_pixels)
    if request.mode is Mode.CONSERVATIVE and canvas.scaled == source:
        return _priced(Method.REFINE, source, canvas, (), faithful, texture, has_alpha, bits)
    factor = max(canvas.scaled.width / source.width, canvas.scaled.height / source.height)
    left = TEXTURE_PIXELS_MAX
    passes: list[Pass] = []
    size = source
    for _ in range(pass_count(factor, faithful.scale)):
        base = _tiling(size, faithful, FAITHFUL_TILE_BYTES, bits, tile_px)
        rich = None
        if texture is not None and size.pixels <= left:
            rich = _tiling(size, texture, TEXTURE_TILE_BYTES, bits, tile_px)
            left -= rich.pixels
            if left < 0:
                rich = None
        passes.append(Pass(base, rich))
        size = size.times(faithful.scale)
    method = Method.FAST
    if texture is not None:
        method = Method.TEXTURE if passes[0].texture else Method.DETAIL
    return _priced(method, source, canvas, tuple(passes), faithful, texture, has_alpha, bits)


def _tiling(size: Size, facts: Facts, budget: int, bits: int, tile_px: int | None) -> Tiling:
    row_bytes = size.width * facts.scale**2 * 3 * _sample_bytes(bits)
    least = 2 * facts.halo_px + 16
    rows_px = max(least, BAND_BYTES // row_bytes + 2 * facts.halo_px)
    try:
        return cut(size, halo_px=facts.halo_px, tile_px=tile_px or facts.tile_px(budget), rows_px=rows_px)
    except ValueError as error:
        raise BadParameter(f"tile: {error}", param="tile") from error


def _priced(
    method: Method,
    source: Size,
    canvas: Canvas,
    passes: tuple[Pass, ...],
    faithful: Facts,
    texture: Facts | None,
    has_alpha: bool,
    bits: int,
) -> Plan:
    tiles, flops, arenas, band = 0, 0, 0, 0
    runs = [(step.base, faithful, 2 if has_alpha else 1) for step in passes]
    if texture is not None:
        runs += [(step.texture, texture, 1) for step in passes if step.texture is not None]
    for facts in {id(facts): facts for _, facts, _ in runs}.values():
        tilings = [(tiling, times) for tiling, other, times in runs if other is facts]
        arenas += facts.tile_bytes(max(tiling.tile.pixels for tiling, _ in tilings))
        arenas += int(facts.weight_bytes * WEIGHTS_OVERHEAD)
        for tiling, times in tilings:
            tiles += tiling.count * times
            flops += tiling.pixels * facts.flops_per_px * times
            rows = max(span.keep_stop - span.keep_start for span in tiling.rows)
            width = tiling.columns[-1].stop
            band = max(band, rows * width * facts.scale**2 * 3 * _sample_bytes(bits))
    memory = PROCESS_BYTES + arenas + BANDS_IN_FLIGHT * band
    if method is not Method.FAST:
        memory += CORRECTION_BYTES
    return Plan(method, source, canvas, passes, has_alpha, tiles, flops, memory)


def _sample_bytes(bits: int) -> int:
    """Bytes of a sample between stages: bytes stay bytes, 16 bits become float32."""
    return 1 if bits == 8 else 4
