"""What will be done for a picture of a size: passes, tiles, memory, arithmetic. Pure.

A plan follows from the size and the request alone, never from the clock or the load, so that equal
requests give equal pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from enlarger.engine.geometry import pass_count
from enlarger.engine.synthesis import Pass
from enlarger.engine.tiling import Tiling, cut
from enlarger.errors import BadParameter
from enlarger.request import Mode
from enlarger.target import Canvas, Size

TEXTURE_PIXELS_MAX = 180_000
"""Pixels that an RRDB may see in one conservative request, overlaps included.

At 36 MFLOP a pixel this is 6.5 TFLOP: 7 s on two cores that do 1 TFLOP/s in bf16, and 25 s on the
slowest pair that was measured, compiling and first tiles included (240,000 took 34 s there). A caller
of the APIs gives up after 30 s.
"""
CREATIVE_PIXELS_MAX = 720_000
"""Pixels that the RRDBs may see in one creative request, over all passes, less what the faithful network
does beside them, up to a half: 26 TFLOP, 26 s at 1 TFLOP/s and 76 s, the start included, on the slowest
pair of cores that was measured, of the 90 s that callers wait."""
COPY_STEP = 0.97
"""A copy is made smaller by this until it can be paid for."""
FAITHFUL_TILE_BYTES = 352 * 1024 * 1024
"""Memory of the small network's tile; a 512x512 picture is then one tile in bf16."""
TEXTURE_TILE_BYTES = 832 * 1024 * 1024
"""Memory of an RRDB's tile: with everything else the process stays below 2 GiB."""
SMALL_FLOATS_PER_PX = 512
"""A network that holds no more than this is small; SPAN holds 384, an RRDB 2,048."""
RUNTIME_OVERHEAD = 1.6
"""What the runtime takes over the values that are alive at once: measured 1.4 to 1.56."""
BAND_BYTES = 96 * 1024 * 1024
"""Most that one row of tiles may give; wide pictures take lower tiles for it."""
LEAST_TILE_SHARE = 0.15
"""Of a tile's memory, what is left to it where the picture is so wide that its bands take the rest: its
halo then costs an eighth more work."""
CREATIVE_TILE_BYTES = 560 * 1024 * 1024
"""The same where the network's whole result is in memory beside it."""
PROCESS_BYTES = 160 * 1024 * 1024
"""The interpreter, the runtime and the small things, before a network is loaded."""
WEIGHTS_OVERHEAD = 2.7
"""Memory of a compiled network over its weights in f32."""
NOISE_BYTES_PER_PX = 2 * 4 * 64 * 4
"""Four fields of 64 channels in f32 for a tile, as they are made and as the runtime takes them."""
MADE_IN_FLIGHT = 4
"""Copies of the creative texture's picture that are alive at once."""
CORRECTION_BYTES = 240 * 1024 * 1024
"""What back-projection and refinement hold: the result waits for what it lacks of the input. Measured
over plans of 0.004 to 16 megapixels, 224 MiB at most more than without."""
PLACING_BYTES = 320 * 1024 * 1024
"""What laying a copy's texture on its picture holds, band by band. Measured over pictures of 0.25 to 16
megapixels, 290 MiB at most."""
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
    CREATIVE = "creative"
    """Texture from noise, made on the picture itself."""
    CREATIVE_COPY = "creative-copy"
    """Texture from noise, made on a smaller copy and laid on the faithful network's picture."""
    REFINE = "refine"
    """No network: the picture keeps its size, its finest octave is raised."""


@dataclass(frozen=True)
class Texture:
    """Work of the creative mode's RRDBs."""

    size: Size
    """Of the picture that they see: the input's, or a copy's."""
    tiling: Tiling
    runs: int
    """Passes over it, of whichever network."""


@dataclass(frozen=True)
class Plan:
    """Everything about a run that can be known beforehand."""

    method: Method
    source: Size
    canvas: Canvas
    passes: tuple[Pass, ...]
    """Of the networks, over the colours."""
    opacity_passes: tuple[Pass, ...]
    """Of the faithful network, over the transparency."""
    tiles: int
    """Tiles in all passes, transparency included."""
    flops: int
    """Of the networks' convolutions."""
    memory_bytes: int
    """Most that the process is to hold at once; does not depend on the picture's size beyond a few
    megapixels."""

    texture: Texture | None = None
    """Of the creative mode alone."""

    @property
    def seams(self) -> tuple[list[int], list[int]]:
        """Rows and columns of the enlarged picture at which a tile of the last pass begins."""
        if self.passes:
            last = self.passes[-1].texture or self.passes[-1].base
        elif self.texture is not None:
            last = self.texture.tiling
        else:
            return [], []
        height, width = last.rows[-1].stop, last.columns[-1].stop
        scaled = self.canvas.scaled
        return (
            [round(span.keep_start * scaled.height / height) for span in last.rows[1:]],
            [round(span.keep_start * scaled.width / width) for span in last.columns[1:]],
        )


def make_plan(
    source: Size,
    canvas: Canvas,
    mode: Mode,
    faithful: Facts,
    texture: Facts | None,
    *,
    has_alpha: bool = False,
    bits: int = 8,
    runs: int = 1,
    tile_px: int | None = None,
) -> Plan:
    """The plan for a picture of `source` that is to become `canvas`.

    texture     None in modes that have no texture network.
    runs        passes of RRDBs that a creative request takes.
    bits        8 or 16, of the picture's samples.
    tile_px     most pixels in a tile; None is what the memory allows.

    Raises BadParameter for a tile that has nothing left inside the halo.
    """
    if mode is Mode.CREATIVE and texture is not None:
        return _creative(source, canvas, faithful, texture, runs, has_alpha, bits, tile_px)
    if mode is Mode.CONSERVATIVE and canvas.scaled == source:
        return _priced(Method.REFINE, source, canvas, (), (), faithful, texture, bits)
    plain = _faithful_passes(source, canvas, faithful, bits, tile_px)
    left = TEXTURE_PIXELS_MAX
    passes: list[Pass] = []
    size = source
    for step in plain:
        rich = None
        if texture is not None and size.pixels <= left:
            rich = _tiling(size, texture, TEXTURE_TILE_BYTES, bits, tile_px)
            left -= rich.pixels
        passes.append(Pass(step.base, rich if left >= 0 else None))
        size = size.times(faithful.scale)
    method = Method.FAST
    if texture is not None:
        method = Method.TEXTURE if passes[0].texture else Method.DETAIL
    return _priced(
        method, source, canvas, tuple(passes), plain if has_alpha else (), faithful, texture, bits
    )


def _faithful_passes(
    source: Size, canvas: Canvas, faithful: Facts, bits: int, tile_px: int | None
) -> tuple[Pass, ...]:
    """The faithful network's passes to the canvas."""
    factor = max(canvas.scaled.width / source.width, canvas.scaled.height / source.height)
    sizes = [source.times(faithful.scale**index) for index in range(pass_count(factor, faithful.scale))]
    # A network that was named may be as hungry as any texture network.
    is_small = faithful.floats_per_px <= SMALL_FLOATS_PER_PX
    budget = FAITHFUL_TILE_BYTES if is_small else TEXTURE_TILE_BYTES
    tilings = [_tiling(size, faithful, budget, bits, tile_px) for size in sizes]
    # A row of tiles cannot be as low as it pleases, for its halo is lost: what a very wide picture's
    # bands take beyond their share is taken from the tiles.
    rows = [max(span.keep_stop - span.keep_start for span in tiling.rows) for tiling in tilings]
    result_bytes = faithful.scale**2 * 3 * _sample_bytes(bits)
    bands = [kept * size.width * result_bytes for kept, size in zip(rows, sizes, strict=True)]
    excess = BANDS_IN_FLIGHT * (max(bands, default=0) - BAND_BYTES)
    if excess > 0 and tile_px is None:
        budget = max(budget - excess, int(budget * LEAST_TILE_SHARE))
        tilings = [_tiling(size, faithful, budget, bits, None) for size in sizes]
    return tuple(Pass(tiling) for tiling in tilings)


def _creative(
    source: Size,
    canvas: Canvas,
    faithful: Facts,
    texture: Facts,
    runs: int,
    has_alpha: bool,
    bits: int,
    tile_px: int | None,
) -> Plan:
    def faithful_passes(depth: int) -> tuple[Pass, ...]:
        # At the picture's own size there is nothing to enlarge beside the texture.
        return () if canvas.scaled == source else _faithful_passes(source, canvas, faithful, depth, tile_px)

    # Callers wait for these too: 500x500 takes a whole one more than 512x512 on its way to 4 megapixels.
    seen = sum(step.base.pixels for step in faithful_passes(bits))
    beside = min(seen * faithful.flops_per_px // texture.flops_per_px, CREATIVE_PIXELS_MAX // 2)
    allowed = (CREATIVE_PIXELS_MAX - beside) // runs
    size, share = source, 1.0
    while True:
        tiling = (
            _tiling(size, texture, CREATIVE_TILE_BYTES, 16, tile_px) if size.pixels <= allowed else None
        )
        if tiling is not None and tiling.pixels <= allowed:
            break
        share *= (
            COPY_STEP if tiling is not None else max(0.5, min(COPY_STEP, (allowed / size.pixels) ** 0.5))
        )
        size = Size(max(1, round(source.width * share)), max(1, round(source.height * share)))
    # What the texture made of the picture itself goes on in floats, as a picture of 16 bits does.
    depth = 16 if size == source else bits
    all_passes = faithful_passes(depth)
    # The first pass over the picture itself is the texture's own.
    passes = all_passes[1:] if size == source else all_passes
    method = Method.CREATIVE if size == source else Method.CREATIVE_COPY
    plan = _priced(method, source, canvas, passes, all_passes if has_alpha else (), faithful, None, depth)
    made = size.pixels * texture.scale**2 * 3 * 4
    # Two networks' weights and the picture that they make; then the tile of one of them at a time, or
    # the faithful network's tiles and bands.
    held = 2 * int(texture.weight_bytes * WEIGHTS_OVERHEAD) + MADE_IN_FLIGHT * made
    working = texture.tile_bytes(tiling.tile.pixels) + NOISE_BYTES_PER_PX * tiling.tile.pixels
    faithful_bytes = plan.memory_bytes - PROCESS_BYTES
    if method is Method.CREATIVE_COPY:
        faithful_bytes += PLACING_BYTES
    return replace(
        plan,
        texture=Texture(size, tiling, runs),
        tiles=plan.tiles + tiling.count * runs,
        flops=plan.flops + tiling.pixels * runs * texture.flops_per_px,
        memory_bytes=PROCESS_BYTES + held + max(working, faithful_bytes),
    )


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
    opacity_passes: tuple[Pass, ...],
    faithful: Facts,
    texture: Facts | None,
    bits: int,
) -> Plan:
    tiles, flops, arenas, band = 0, 0, 0, 0
    runs = [(step.base, faithful) for step in (*passes, *opacity_passes)]
    if texture is not None:
        runs += [(step.texture, texture) for step in passes if step.texture is not None]
    for facts in {id(facts): facts for _, facts in runs}.values():
        tilings = [tiling for tiling, other in runs if other is facts]
        arenas += facts.tile_bytes(max(tiling.tile.pixels for tiling in tilings))
        arenas += int(facts.weight_bytes * WEIGHTS_OVERHEAD)
        for tiling in tilings:
            tiles += tiling.count
            flops += tiling.pixels * facts.flops_per_px
            width = tiling.columns[-1].stop
            band = max(band, tiling.kept.height * width * facts.scale**2 * 3 * _sample_bytes(bits))
        if facts is faithful:
            # What is kept of a first answer waits for the second, where there is one.
            kept = max(tiling.kept.pixels for tiling in tilings)
            arenas += kept * facts.scale**2 * 3 * _sample_bytes(bits)
    memory = PROCESS_BYTES + arenas + BANDS_IN_FLIGHT * band
    if method is not Method.FAST:
        memory += CORRECTION_BYTES
    return Plan(method, source, canvas, passes, opacity_passes, tiles, flops, memory)


def _sample_bytes(bits: int) -> int:
    """Bytes of a sample between stages: bytes stay bytes, 16 bits become float32."""
    return 1 if bits == 8 else 4
