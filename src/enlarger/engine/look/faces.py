"""Where faces are, so that no texture is invented on them.

A boosted cascade of local binary patterns (Viola and Jones 2001; Liao et al. 2007, multi-block LBP) in
the form that OpenCV trains, run by NumPy. It finds upright faces seen from the front, sees some where
there are none, and misses profiles and small ones. A false face costs a little texture in that place,
which is why it is good enough here; it is no face recognition and nothing is kept of what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from enlarger.engine.look.small import fit_within, luma
from enlarger.errors import BadWeights
from enlarger.models import AssetCatalogue, ModelStore

CASCADE = "lbp-frontal-face"
SIDE_PX = 400
"""Longest side of the copy that is searched: a face of 7 % of it is found, in a tenth of a second."""
FACE_MIN_PX = 28
PYRAMID_STEP = 1.2
"""Ratio of neighbouring sizes; OpenCV's usual one."""
NEIGHBOURS_MIN = 4
"""Windows that must agree on a face."""
OVERLAP_MIN = 0.4
"""Intersection over union above which two windows are of one face."""
ELLIPSE = (0.62, 0.80)
"""Half axes of the mask, across and down, in sides of the window: from chin to hair."""
SOFT = 0.35
"""Width of the mask's ramp, in half axes."""
# Neighbours of the middle block in the order of the pattern's bits, highest first.
RING = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))


@dataclass(frozen=True)
class Face:
    """A square around a face, in shares of the picture's width and height, 0..1."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class _Weak:
    x: int
    y: int
    block_width: int
    block_height: int
    says_no: NDArray[np.bool_]
    """For each of the 256 patterns, which leaf: False the first, True the second."""
    leaves: tuple[float, float]


@dataclass(frozen=True)
class _Stage:
    threshold: float
    weak: tuple[_Weak, ...]


class FaceFinder:
    """Finds faces; the cascade is read at the first picture, and kept."""

    def __init__(self, store: ModelStore, catalogue: AssetCatalogue) -> None:
        self._store = store
        self._catalogue = catalogue
        self._cascade: tuple[int, tuple[_Stage, ...]] | None = None

    def find(self, picture: NDArray[np.float32]) -> list[Face]:
        """Faces in an RGB picture (height, width, 3), 0..1, of any size; the surest first.

        Raises ModelMissing, DigestMismatch or BadWeights at the first call.
        """
        if self._cascade is None:
            entry = self._catalogue[CASCADE]
            [member] = entry.files
            self._cascade = read_cascade(self._store.file(entry, Path(member).name))
        window, stages = self._cascade
        grey = luma(fit_within(picture, SIDE_PX))
        boxes = list(_search(grey, window, stages))
        height, width = grey.shape
        return [
            Face(float(x / width), float(y / height), float(side / width), float(side / height))
            for x, y, side in _grouped(boxes)
        ]

    def mask(self, picture: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
        """(height, width): 1 on faces, 0 elsewhere, with soft borders."""
        return mask_of(self.find(picture), height, width)


def mask_of(faces: Sequence[Face], height: int, width: int) -> NDArray[np.float32]:
    """Soft ellipses, (height, width), 0..1; where two meet, the larger value counts."""
    mask = np.zeros((height, width), np.float32)
    down = (np.arange(height, dtype=np.float32)[:, np.newaxis] + 0.5) / height
    across = (np.arange(width, dtype=np.float32)[np.newaxis, :] + 0.5) / width
    for face in faces:
        x = (across - (face.left + face.width / 2)) / (face.width * ELLIPSE[0])
        y = (down - (face.top + face.height / 2)) / (face.height * ELLIPSE[1])
        ramp = np.clip((1 + SOFT - np.sqrt(x * x + y * y)) / SOFT, 0, 1)
        mask = np.maximum(mask, ramp * ramp * (3 - 2 * ramp))
    return mask


def read_cascade(path: Path) -> tuple[int, tuple[_Stage, ...]]:
    """Side of the window in pixels, and the stages, of an OpenCV cascade file with LBP stumps.

    The file's digest has been checked: it is not a stranger's XML. Raises BadWeights otherwise.
    """
    try:
        root = ElementTree.parse(path).getroot().find("cascade")  # noqa: S314 (pinned by digest)
        assert root is not None  # noqa: S101 (its absence is handled below)
        rectangles = [_numbers(node, "rect") for node in root.iterfind("features/_")]
        stages = tuple(_stage(node, rectangles) for node in root.iterfind("stages/_"))
        return int(_numbers(root, "width")[0]), stages
    except (ElementTree.ParseError, AssertionError, ValueError, IndexError) as error:
        raise BadWeights(f"{path} is not a cascade of local binary patterns") from error


def _numbers(node: ElementTree.Element, name: str) -> list[float]:
    return [float(word) for word in node.findtext(name, "").split()]


def _stage(node: ElementTree.Element, rectangles: Sequence[Sequence[float]]) -> _Stage:
    weak = []
    for stump in node.iterfind("weakClassifiers/_"):
        _, _, feature, *words = (int(value) for value in _numbers(stump, "internalNodes"))
        x, y, block_width, block_height = (int(value) for value in rectangles[feature])
        set_bits = np.array(words, np.int32).astype("<i4").view(np.uint8)
        is_set = np.unpackbits(set_bits, bitorder="little").astype(bool)
        first, second = _numbers(stump, "leafValues")
        weak.append(_Weak(x, y, block_width, block_height, ~is_set, (first, second)))
    return _Stage(_numbers(node, "stageThreshold")[0], tuple(weak))


def _search(
    grey: NDArray[np.float32], window: int, stages: tuple[_Stage, ...]
) -> Iterator[tuple[float, float, float]]:
    """Windows (x, y, side) in pixels of `grey` that pass every stage, sizes rising."""
    shorter = min(grey.shape)
    side = float(FACE_MIN_PX)
    while side <= shorter:
        scale = window / side
        # Rounded to bytes as the cascade's training pictures were.
        level = np.round(fit_within(grey, round(max(grey.shape) * scale)) * 255).astype(np.int64)
        for y, x in _passing(level, window, stages):
            yield x / scale, y / scale, side
        side *= PYRAMID_STEP


def _passing(level: NDArray[np.int64], window: int, stages: tuple[_Stage, ...]) -> NDArray[np.intp]:
    """(n, 2) corners (y, x) of the windows of one size that pass every stage."""
    height, width = level.shape
    if height < window or width < window:
        return np.zeros((0, 2), np.intp)
    integral = np.zeros((height + 1, width + 1), np.int64)
    integral[1:, 1:] = level.cumsum(0).cumsum(1)
    row = width + 1
    flat = integral.ravel()
    corners_y, corners_x = np.mgrid[0 : height - window + 1, 0 : width - window + 1]
    at = (corners_y * row + corners_x).ravel()
    for stage in stages:
        votes = np.zeros(at.size, np.float32)
        for weak in stage.weak:
            votes += np.where(weak.says_no[_patterns(flat, at, row, weak)], *weak.leaves[::-1])
        at = at[votes >= stage.threshold]
        if not at.size:
            break
    return np.stack(np.divmod(at, row), axis=1)


def _patterns(
    integral: NDArray[np.int64], at: NDArray[np.intp], row: int, weak: _Weak
) -> NDArray[np.uint8]:
    """The pattern of 3x3 blocks at each window: a bit for each outer block that is no darker."""
    start = at + (weak.y * row + weak.x)
    grid = [
        [integral[start + (j * weak.block_height * row + i * weak.block_width)] for i in range(4)]
        for j in range(4)
    ]
    sums = [
        [grid[j + 1][i + 1] - grid[j + 1][i] - grid[j][i + 1] + grid[j][i] for i in range(3)]
        for j in range(3)
    ]
    bits = [sums[j][i] >= sums[1][1] for j, i in RING]
    pattern: NDArray[np.uint8] = np.packbits(bits, axis=0)[0]
    return pattern


def _grouped(boxes: Sequence[tuple[float, float, float]]) -> list[NDArray[np.float64]]:
    """The mean box of each group of windows that overlap; groups that are too small are dropped."""
    left = np.array(boxes, np.float64).reshape(-1, 3)
    groups = []
    while len(left):
        overlaps = np.array([_overlap(box, left) for box in left])
        most = int((overlaps >= OVERLAP_MIN).sum(1).argmax())
        member = overlaps[most] >= OVERLAP_MIN
        if member.sum() < NEIGHBOURS_MIN:
            break
        groups.append(left[member].mean(0))
        left = left[~member]
    return groups


def _overlap(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2], others[:, :2] + others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    ratio: NDArray[np.float64] = shared / (box[2] ** 2 + others[:, 2] ** 2 - shared)
    return ratio
