"""Sizes and factors: what comes out, and by which steps. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.errors import PictureTooLarge


@dataclass(frozen=True)
class Size:
    """Width and height in pixels, in that order."""

    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    def times(self, factor: float) -> Size:
        """Each side times `factor`, rounded half up, at least 1."""
        return Size(max(1, int(self.width * factor + 0.5)), max(1, int(self.height * factor + 0.5)))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


def pass_count(factor: float, native_scale: int) -> int:
    """How often a network of `native_scale` runs so that one last resample only ever shrinks.

    The least n >= 1 with native_scale^n >= factor. A factor of 1 takes one pass and comes back.
    """
    count = 1
    while native_scale**count < factor:
        count += 1
    return count


def check_output(source: Size, factor: float, max_pixels: int | None) -> Size:
    """The size of the result. Raises PictureTooLarge if it has more than `max_pixels`."""
    result = source.times(factor)
    if max_pixels is not None and result.pixels > max_pixels:
        raise PictureTooLarge(
            f"{source} at {factor:g}x gives {result} = {result.pixels} pixels;"
            f" at most {max_pixels} are allowed",
            param="scale",
        )
    return result
