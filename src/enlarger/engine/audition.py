"""One patch of a picture through everything that could enlarge it, so that eyes can choose."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from enlarger.engine.bands import as_floats
from enlarger.engine.engine import networks_for
from enlarger.engine.look.small import LUMA
from enlarger.engine.receipt import Receipt
from enlarger.engine.rendering import Rendering
from enlarger.errors import BadParameter
from enlarger.imaging.layout import eight_bits
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster
from enlarger.models import AssetCatalogue, Catalogue
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Target

Render = Callable[[Picture, UpscaleRequest], Rendering]


@dataclass(frozen=True)
class Candidate:
    """A way to enlarge."""

    name: str
    """`mode conservative`, or a network's name."""
    licences: tuple[str, ...]
    """SPDX identifiers of all weights that may run."""
    request: UpscaleRequest


@dataclass(frozen=True)
class Take:
    """What a candidate made of the patch."""

    candidate: Candidate
    picture: Picture
    receipt: Receipt
    """Also of a result that would be withheld: here it is to be seen why."""
    seconds: float
    """Of the patch, with everything loaded."""


def candidates(
    catalogue: Catalogue,
    assets: AssetCatalogue,
    target: Target,
    *,
    may_run: Callable[[str], bool] = lambda name: True,
) -> list[Candidate]:
    """Every mode, then every network, as far as `may_run` lets all that it needs through."""
    requests = [(f"mode {mode}", UpscaleRequest(mode=mode, target=target)) for mode in Mode]
    requests += [(name, UpscaleRequest(model=name, target=target)) for name in catalogue]
    found = []
    for name, request in requests:
        entries = networks_for(request, assets)
        if all(may_run(entry.name) for entry in entries):
            licences = tuple(dict.fromkeys(entry.licence for entry in entries))
            found.append(Candidate(name, licences, request))
    return found


def heard(candidate: Candidate, patch: Picture, render: Render) -> Take:
    """The candidate's take. It runs twice: the first time loads and compiles.

    Raises what `render` raises, and Collapsed or OutOfMemory.
    """
    render(patch, candidate.request).collect()
    started = time.perf_counter()
    rendering = render(patch, candidate.request)
    picture = rendering.collect()
    seconds = time.perf_counter() - started
    return Take(candidate, picture, rendering.receipt(), seconds)


def cut_out(picture: Picture, left: int, top: int, side: int) -> Picture:
    """A square of a picture, moved inside and made smaller where it would not fit.

    Raises BadParameter for a corner that is not in the picture.
    """
    if not (0 <= left < picture.width and 0 <= top < picture.height):
        raise BadParameter(
            f"at is {left},{top}; the picture has {picture.width}x{picture.height} pixels", param="at"
        )
    width, height = min(side, picture.width), min(side, picture.height)
    left, top = min(left, picture.width - width), min(top, picture.height - height)

    def part(raster: Raster) -> Raster:
        return Raster.of(np.ascontiguousarray(raster.rows(top, top + height)[:, left : left + width]))

    alpha = None if picture.alpha is None else part(picture.alpha)
    return replace(picture, colour=part(picture.colour), alpha=alpha)


def busiest(picture: Picture, side: int) -> tuple[int, int]:
    """Left and top of the square with the most fine detail, looked for at every half side."""
    side = min(side, picture.width, picture.height)
    step = max(1, side // 2)
    best, place = -1.0, (0, 0)
    for top in range(0, picture.height - side + 1, step):
        luma = as_floats(eight_bits(picture.colour.rows(top, top + side))) @ LUMA
        columns = np.zeros(picture.width)
        columns[1:] += np.abs(np.diff(luma, axis=1)).sum(axis=0)
        columns += np.abs(np.diff(luma, axis=0)).sum(axis=0)
        sums = np.concatenate(([0.0], np.cumsum(columns)))
        for left in range(0, picture.width - side + 1, step):
            detail = float(sums[left + side] - sums[left])
            if detail > best:
                best, place = detail, (left, top)
    return place
