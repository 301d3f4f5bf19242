"""Networks over pictures: tiles in, bands out, pass after pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from enlarger.engine.bands import Band, Bands, Reader, Sliding, as_floats, forked, like, read_all, together
from enlarger.engine.runner import Runner, enlarged_part
from enlarger.engine.tiling import Tiling, Window

OPACITY_SNAP = 4 / 255
"""Nearer than this to clear or opaque is meant to be so; networks and filters miss by a level or two."""
OPACITY_CONTRAST = 0.6
"""Contrast at which a network sees opacity: beside a hard edge from black to white SPAN, as published,
leaves specks of the other colour. At 0.6 of the contrast a sprite's opacity comes back at 38.7 dB, at
the whole of it at 22.6, bicubic at 25.7; a soft edge at 49 dB."""


@dataclass(frozen=True)
class Pass:
    """One enlargement by the networks' scale."""

    base: Tiling
    """Of the faithful network."""
    texture: Tiling | None = None
    """Of the texture network; None where the pass goes without."""


Run = Callable[[Band, Window], Band]
"""Enlarges the part of a tile that is kept; the next call may use the memory of the answer again."""


def synthesise(source: Reader, run: Run, scale: int, tiling: Tiling, on_tile: Callable[[], None]) -> Bands:
    """The picture `scale` times as large, one band for each row of tiles."""
    for down in tiling.rows:
        rows = source.read(down.start, down.stop)
        band: Band | None = None
        for across in tiling.columns:
            answer = run(rows[:, across.start : across.stop], (down.kept, across.kept))
            if band is None:
                shape = (answer.shape[0], source.size.width * scale, answer.shape[2])
                band = np.empty(shape, answer.dtype)
            band[:, across.keep_start * scale : across.keep_stop * scale] = answer
            on_tile()
        assert band is not None  # noqa: S101 (a tiling has columns)
        yield band


def enlarge(
    source: Reader,
    passes: Sequence[Pass],
    faithful: Runner,
    texture: Runner | None = None,
    *,
    share: float = 0.0,
    on_tile: Callable[[], None],
) -> Reader:
    """The picture after all passes, in the type that `source` gives.

    texture  blended in where a pass has a tiling for it.
    share    of the texture network's picture, 0 to 1.
    """
    dtype = source.read(0, 1).dtype
    for step in passes:
        size = source.size.times(faithful.scale)
        if step.texture is None or texture is None:
            bands = synthesise(source, faithful.enlarge, faithful.scale, step.base, on_tile)
        else:
            one, other = _forked(source)
            base = synthesise(one, faithful.enlarge, faithful.scale, step.base, on_tile)
            rich = synthesise(other, texture.enlarge, texture.scale, step.texture, on_tile)
            bands = together(_mixing(share, dtype), Sliding(base, size), Sliding(rich, size))
        source = Sliding(bands, size)
    return source


def snapped(opacity: Band) -> Band:
    """Opacity with what is nearly clear or opaque made so."""
    clear = np.where(opacity < OPACITY_SNAP, np.float32(0), opacity)
    return np.asarray(np.where(clear > 1 - OPACITY_SNAP, np.float32(1), clear))


def enlarge_opacity(
    source: Reader, passes: Sequence[Pass], faithful: Runner, on_tile: Callable[[], None]
) -> Reader:
    """Opacity after all passes, by the faithful network: as sharp as the colours, where a classical
    filter leaves stairs. What is wholly clear or opaque stays so and costs nothing."""

    def run(tile: Band, kept: Window) -> Band:
        least, most = tile.min(), tile.max()
        if least == most:
            return np.repeat(np.repeat(tile[kept], faithful.scale, axis=0), faithful.scale, axis=1)
        middle, contrast = np.float32(0.5), np.float32(OPACITY_CONTRAST)
        paler = like(middle + (as_floats(tile) - middle) * contrast, tile.dtype)
        answer = enlarged_part(faithful.run(paler), kept, faithful.scale)
        answer = middle + (as_floats(answer) - middle) / contrast
        return like(snapped(answer), tile.dtype)

    for step in passes:
        bands = synthesise(source, run, faithful.scale, step.base, on_tile)
        source = Sliding(bands, source.size.times(faithful.scale))
    return source


def _mixing(share: float, dtype: np.dtype) -> Callable[[Band, Band], Band]:
    def mix(base: Band, rich: Band) -> Band:
        floats = as_floats(base)
        return like(floats + np.float32(share) * (as_floats(rich) - floats), dtype)

    return mix


def _forked(picture: Reader) -> tuple[Reader, Reader]:
    """Two readers of one picture, which need not go at one pace."""
    if not isinstance(picture, Sliding):
        return picture, picture
    one, other = forked(read_all(picture), 2)
    return Sliding(one, picture.size), Sliding(other, picture.size)
