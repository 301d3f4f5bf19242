"""The creative plan from the request's words to the result's bands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.bands import Band, Bands, Reader, Sliding, as_floats, read_all, together
from enlarger.engine.creative.noise import Field, spacing_of
from enlarger.engine.creative.synthesis import Dials, synthesised
from enlarger.engine.look import grade
from enlarger.engine.look.faces import FaceFinder
from enlarger.engine.look.prompt import Resolved
from enlarger.engine.look.small import fit_within
from enlarger.engine.look.style import StyleNetwork, palette
from enlarger.engine.plan import Plan
from enlarger.engine.projection import projected, sharpened
from enlarger.engine.resample import fitted, resample_values
from enlarger.engine.runner import Runner
from enlarger.engine.synthesis import enlarge
from enlarger.request import UpscaleRequest
from enlarger.target import Size

Floats = NDArray[np.float32]
CREATIVITY = 0.3
"""Unless the request says; Stability's default."""
DETAIL_GAIN = 0.6
"""What the detail dial does to the finest band at its ends: 1.6 and 0.4 times it."""
TEXTURE_GAIN = 0.5
"""How much stronger the finest band becomes for creativity 1."""
FINEST_GAIN = 0.5
"""What fractality does to the finest octave at its ends: a quarter more at 1, a quarter less at 0."""
COPY_SHARE, COPY_PER_CREATIVITY = 0.2, 1.2
"""How much of a copy's texture is laid on a picture that is too large for the network itself."""
STYLE_CELLS = (3, 3)
LOOK_PX = 384
"""Longest side of the copies that are looked at for faces and styles."""


@dataclass(frozen=True)
class Cast:
    """The networks of one creative request."""

    faithful: Runner
    noisy: Runner
    noise_channels: int
    grainy: Runner | None
    style: StyleNetwork
    faces: FaceFinder


def create(
    source: Reader,
    request: UpscaleRequest,
    resolved: Resolved,
    plan: Plan,
    cast: Cast,
    *,
    styles: Sequence[Floats] = (),
    period: Size | None,
    origin: tuple[int, int],
    watch: Callable[[Bands], Bands],
    on_tile: Callable[[], None],
) -> Bands:
    """The picture at the plan's size, float32 and not clipped.

    source   may be read from anywhere, again and again.
    styles   pictures whose palette is taken over, RGB 0..1.
    watch    the bands go through it before they get their look.
    period   of the picture, where its borders fit one another; `origin` is where it begins in `source`.
    """
    scaled = plan.canvas.scaled
    texture = plan.texture
    assert texture is not None  # noqa: S101 (a creative plan has one)
    creativity = CREATIVITY if request.creativity is None else request.creativity
    detail = float(np.clip(request.detail + resolved.axes.detail, -1, 1))
    dials = Dials(
        creativity=creativity,
        detail=detail,
        refinement=request.refinement,
        creativity_decay=request.creativity_decay,
        grain_share=resolved.grain_share,
        texture_floor=resolved.texture_floor,
    )
    size = texture.size
    small = np.concatenate(list(resample_values(source, size))) if size != source.size else _whole(source)
    small = np.clip(small, 0, 1)
    ratio = size.width / source.size.width
    field = Field(
        seed=request.seed,
        layer=0,
        channels=cast.noise_channels,
        spacing=spacing_of(request.fractality),
        period=None
        if period is None
        else Size(max(1, round(period.width * ratio)), max(1, round(period.height * ratio))),
        origin=(round(origin[0] * ratio), round(origin[1] * ratio)),
    )
    faces = cast.faces.mask(fit_within(small, LOOK_PX), size.height, size.width)
    made = synthesised(
        small, dials, field, faces, resolved.network, cast.noisy, cast.grainy, texture.tiling, on_tile
    )
    for runner in (cast.noisy, cast.grainy):
        if runner is not None:
            runner.release()
    gain = (1 + TEXTURE_GAIN * creativity) * (1 + DETAIL_GAIN * detail) - 1
    weight = request.image_fidelity
    bands = _placed(source, made, plan, cast.faithful, creativity, on_tile)
    bands = sharpened(bands, scaled, gain=FINEST_GAIN * (request.fractality - 0.5))
    if scaled == source.size:
        bands = sharpened(bands, scaled, gain=gain)
    else:
        bands = projected(bands, scaled, source, gain=gain, weight=weight)
    # Measured before the look is laid on, which moves colours because it was asked to.
    bands = watch(bands)
    if styles:
        cells = STYLE_CELLS if request.tile_style else None
        change = palette(cast.style, fit_within(small, LOOK_PX), styles, request.style_fidelity, cells)
        bands = _added(bands, scaled, change)
    return _graded(bands, resolved, request.seed)


def _placed(
    source: Reader,
    made: Floats,
    plan: Plan,
    faithful: Runner,
    creativity: float,
    on_tile: Callable[[], None],
) -> Bands:
    """The texture's picture at the plan's size; from a copy, its texture laid on the faithful picture."""
    scaled = plan.canvas.scaled
    kind = np.dtype(np.float32)
    own = Held(made)
    assert plan.texture is not None  # noqa: S101 (a creative plan has one)
    if plan.texture.size == source.size:
        rest = enlarge(own, plan.passes, faithful, on_tile=on_tile) if plan.passes else own
        return fitted(rest, scaled, kind)
    base = enlarge(source, plan.passes, faithful, on_tile=on_tile) if plan.passes else source
    share = np.float32(COPY_SHARE + COPY_PER_CREATIVITY * creativity)
    # What a picture of the input's size cannot hold is all that is taken of the copy.
    held = source.size if scaled != source.size else Size(-(-scaled.width // 2), -(-scaled.height // 2))
    rich = Sliding(fitted(own, scaled, kind), scaled)
    low = Sliding(fitted(own, held, kind), held)
    smooth = Sliding(resample_values(low, scaled), scaled)

    def lay(faithful_band: Band, rich_band: Band, smooth_band: Band) -> Band:
        return as_floats(faithful_band) + share * (rich_band - smooth_band)

    return together(lay, Sliding(fitted(base, scaled, kind), scaled), rich, smooth)


class Held:
    """A Reader of a picture in memory."""

    def __init__(self, samples: Floats) -> None:
        self.size = Size(samples.shape[1], samples.shape[0])
        self._samples = samples

    def read(self, start: int, stop: int) -> Band:
        return self._samples[start:stop]


def _whole(source: Reader) -> Floats:
    return np.concatenate([as_floats(band) for band in read_all(source)])


def _added(bands: Bands, size: Size, change: Floats) -> Bands:
    """Bands plus a small picture, enlarged to `size`."""
    spread = Sliding(resample_values(Held(change), size), size)
    return together(lambda band, more: as_floats(band) + more, Sliding(bands, size), spread)


def _graded(bands: Bands, resolved: Resolved, seed: int) -> Bands:
    top = 0
    for band in bands:
        if resolved.axes.is_neutral and not resolved.finishes:
            yield band
        else:
            yield grade.apply(as_floats(band), resolved.axes, resolved.finishes, seed=seed, top=top)
        top += len(band)
