"""Passes: how often a network runs so that a target is reached. Pure arithmetic."""

from __future__ import annotations

from enlarger.errors import PictureTooLarge
from enlarger.target import Canvas, Size, Target


def pass_count(factor: float, native_scale: int) -> int:
    """How often a network of `native_scale` runs so that one last resample only ever shrinks.

    The least n >= 1 with native_scale^n >= factor. A factor of 1 takes one pass and comes back.
    """
    count = 1
    while native_scale**count < factor:
        count += 1
    return count


def check_output(source: Size, target: Target, max_pixels: int | None) -> Canvas:
    """The sizes of the result.

    Raises BadParameter as `Target.canvas` does, and PictureTooLarge if the result, or the whole
    picture enlarged where a box cuts it, has more than `max_pixels`.
    """
    canvas = target.canvas(source)
    pixels = max(canvas.result.pixels, canvas.scaled.pixels)
    if max_pixels is not None and pixels > max_pixels:
        raise PictureTooLarge(
            f"{source} at {target} gives {canvas.scaled} = {pixels} pixels;"
            f" at most {max_pixels} are allowed",
            param="target",
        )
    return canvas
