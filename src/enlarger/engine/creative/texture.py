"""Where texture may be made: where there is some, and it has no direction.

Fur, grass and bark have much local contrast in all directions; a wall has none, a contour has it
across itself only. Noise on the first makes strands, on the others plaster and ragged rims.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.look.small import luma

Floats = NDArray[np.float32]
RADIUS_PX = 4
"""Half the side of the square over which contrast and direction are measured, in input pixels."""
FLAT, TEXTURED = 0.012, 0.05
"""Local standard deviations, of 0..1, below which nothing is texture and above which all is."""
FACE_SHARE = 0.9
"""How much of the texture on faces is kept away."""


def texture_mask(picture: Floats, faces: Floats, *, floor: float = 0.0) -> Floats:
    """How much texture each pixel may get, (height, width), 0 to 1.

    picture  RGB, (height, width, 3), 0..1.
    faces    1 on faces, 0 elsewhere, (height, width).
    floor    least texture anywhere but on faces; more makes flat areas rougher.
    """
    grey = luma(picture)
    down, across = (np.gradient(grey, axis=axis) if grey.shape[axis] > 1 else grey * 0 for axis in (0, 1))
    mean = _averaged(grey)
    deviation = np.sqrt(np.maximum(_averaged(grey * grey) - mean * mean, 0))
    down2, across2, mixed = (_averaged(part) for part in (down * down, across * across, down * across))
    energy = down2 + across2
    along = np.sqrt((down2 - across2) ** 2 + 4 * mixed**2)
    coherence = along / np.maximum(energy, np.float32(1e-8))
    amount = np.clip((deviation - FLAT) / (TEXTURED - FLAT), 0, 1)
    mask = _averaged(amount * (1 - coherence**2))
    mask = np.maximum(mask, np.float32(floor)) * (1 - np.float32(FACE_SHARE) * faces)
    return np.asarray(mask, np.float32)


def _averaged(plane: Floats) -> Floats:
    """Mean over squares of 2 * RADIUS_PX + 1 around each pixel; borders are repeated."""
    size = 2 * RADIUS_PX + 1
    for axis in (0, 1):
        margin = [(RADIUS_PX + 1, RADIUS_PX) if index == axis else (0, 0) for index in (0, 1)]
        sums = np.cumsum(np.pad(plane, margin, "edge"), axis=axis, dtype=np.float64)
        length = plane.shape[axis]
        upper = np.take(sums, range(size, size + length), axis)
        lower = np.take(sums, range(length), axis)
        plane = ((upper - lower) / size).astype(np.float32)
    return plane
