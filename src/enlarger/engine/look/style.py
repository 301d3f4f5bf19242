"""Style pictures: their palette and tonality, by Magenta's arbitrary stylisation network.

The network (Ghiasi et al. 2017, int8 weights) works at 384x384 and has coarse grain of its own; alone
it would be a poor picture. So only its low and middle bands are used: a smooth map of what to add to
each colour, which the engine enlarges and adds to its own detail. Lines and texture stay the
picture's; what is taken over is colour, light and how they are distributed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.look.small import resized
from enlarger.errors import BadParameter
from enlarger.models import AssetCatalogue, ModelStore

if TYPE_CHECKING:
    from enlarger.engine.runtimes.openvino import OnnxNetwork

STYLE = "magenta-arbitrary-style"
CONTENT_PX = 384
"""Side of the transformer's picture; fixed in its file."""
STYLE_PX = 256
"""Side of the predictor's picture."""
FINE_LEVELS = 3
"""Wavelet levels of the 384-pixel picture that are dropped, the grain and the brush of the network among
them. In a result of 2048 pixels enlarging alone drops another 2.4: what is finer than about 40 pixels is
ours."""
SPLINE = np.array([1, 4, 6, 4, 1], np.float32) / 16
"""The B3 spline of the a trous wavelet transform (Starck and Murtagh 1994)."""

Samples = NDArray[np.float32]
"""RGB (height, width, 3), coded, 0..1."""


class StyleNetwork:
    """The predictor and the transformer, in OpenVINO; loaded when first used, kept afterwards."""

    def __init__(self, store: ModelStore, catalogue: AssetCatalogue, *, threads: int | None = None) -> None:
        """threads  processor threads; None takes every core."""
        self._store = store
        self._catalogue = catalogue
        self._threads = threads
        self._loaded: dict[str, OnnxNetwork] = {}

    def style_vector(self, picture: Samples) -> NDArray[np.float32]:
        """What the predictor says of a picture of any size, which it sees squeezed to a square: (100,).

        Raises ModelMissing or DigestMismatch at the first call.
        """
        seen = np.clip(resized(picture, STYLE_PX, STYLE_PX), 0, 1)
        return self._network("arbitrary_predict.onnx").run(seen[np.newaxis]).reshape(-1)

    def stylised(self, content: Samples, vector: NDArray[np.float32]) -> Samples:
        """A picture of exactly 384x384 in the style of `vector`, 0..1."""
        if content.shape != (CONTENT_PX, CONTENT_PX, 3):
            raise ValueError(f"the content is {content.shape}; it must be (384, 384, 3)")
        style = vector.reshape(1, 1, 1, -1)
        picture: Samples = self._network("arbitrary_transform.onnx").run(content[np.newaxis], style)[0]
        return picture

    def _network(self, name: str) -> OnnxNetwork:
        if name not in self._loaded:
            from enlarger.engine.runtimes.openvino import OnnxNetwork

            path = self._store.file(self._catalogue[STYLE], name)
            self._loaded[name] = OnnxNetwork(path, threads=self._threads)
        return self._loaded[name]


def palette(
    network: StyleNetwork,
    content: Samples,
    styles: Sequence[Samples],
    fidelity: float,
    cells: tuple[int, int] | None = None,
) -> Samples:
    """What to add to `content`, enlarged or not, so that it has the styles' palette: (384, 384, 3).

    The map covers the whole picture, whatever its shape: enlarge it to the result's width and height
    (bicubic), add, clip. Its values are -1..1, and it is smooth.

    content   the picture, any size; it is seen squeezed to 384x384.
    styles    one or more pictures of any size; of several, the mean of their styles.
    fidelity  0..1. 0 is exactly nothing. Up: further from the content and nearer to the styles'
              colours; above about 0.75 the colours need not come nearer, they only get bolder.
    cells     (rows, columns): each part of the content gets the style of the same part of the style
              pictures, blended into its neighbours. None: the style of the whole everywhere.

    Cost on one core: 0.14 s, for every further cell 0.06 s, and 1.4 s to load the network once.

    Raises BadParameter; ModelMissing or DigestMismatch at the first call.
    """
    if not 0.0 <= fidelity <= 1.0:
        raise BadParameter(f"style_fidelity is {fidelity:g}; it must be 0 to 1", param="style_fidelity")
    rows, columns = cells or (1, 1)
    if rows < 1 or columns < 1:
        raise BadParameter(f"cells is {cells}; both must be at least 1", param="cells")
    total = np.zeros((CONTENT_PX, CONTENT_PX, 3), np.float32)
    if not styles or fidelity == 0.0:
        return total
    seen = np.clip(resized(content, CONTENT_PX, CONTENT_PX), 0, 1)
    own = network.style_vector(seen)
    # The network does not give back a picture in its own style unchanged. What it changes even then is
    # no part of the style, so it is taken off; less of it as the style takes over.
    plain = network.stylised(seen, own)
    base = plain + np.float32(fidelity) * (seen - plain)
    for row, down in enumerate(_tents(rows)):
        for column, across in enumerate(_tents(columns)):
            parts = [_part(style, row, rows, column, columns) for style in styles]
            theirs = np.mean([network.style_vector(part) for part in parts], axis=0)
            vector = own + np.float32(fidelity) * (theirs - own)
            change = network.stylised(seen, vector) - base
            total += change * (down[:, np.newaxis] * across[np.newaxis, :])[..., np.newaxis]
    return smoothed(total, FINE_LEVELS)


def smoothed(samples: Samples, levels: int) -> Samples:
    """`samples` without their finest `levels` wavelet bands; borders are mirrored."""
    for level in range(levels):
        step = 2**level
        for axis in (0, 1):
            length = samples.shape[axis]
            margin = [(2 * step, 2 * step) if index == axis else (0, 0) for index in range(samples.ndim)]
            wide = np.pad(samples, margin, mode="reflect")
            taps = [
                tap * np.take(wide, range(index * step, index * step + length), axis)
                for index, tap in enumerate(SPLINE)
            ]
            samples = np.sum(taps, axis=0, dtype=np.float32)
    return samples


def _tents(count: int) -> list[NDArray[np.float32]]:
    """`count` weights along one side, each 1 at the middle of its cell; together 1 everywhere."""
    place = (np.arange(CONTENT_PX, dtype=np.float32) + 0.5) / CONTENT_PX * count - 0.5
    place = np.clip(place, 0, count - 1)
    return [np.clip(1 - np.abs(place - index), 0, 1) for index in range(count)]


def _part(style: Samples, row: int, rows: int, column: int, columns: int) -> Samples:
    """One cell of a style picture; at least one sample of it."""
    height, width = style.shape[:2]
    top, left = row * height // rows, column * width // columns
    bottom, right = (row + 1) * height // rows, (column + 1) * width // columns
    return style[top : max(bottom, top + 1), left : max(right, left + 1)]
