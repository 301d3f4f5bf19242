"""How large a result shall be: one grammar for the command line, Python and the APIs.

    4x  2.5x            times the input, 1 to 64
    3840w  2160h        this wide, this high; the other side follows
    3840x2160           inside this box, touching it (`fit`, the same as `3840x2160 fit`)
    3840x2160 fill      covers the box; what sticks out is cut off, evenly
    3840x2160 pad       inside the box, and the rest of the box is filled
    long=4096           the longer side; `short=2048` the shorter
    24MP                at least so many million pixels
    4194304px           about so many pixels: the sides are rounded, and never below the input's
    A3@300dpi           fits a sheet of paper at this print resolution: A0 to A6, letter, legal,
                        tabloid, or WIDTHxHEIGHTcm, mm or in; turned like the picture

A result is never smaller than asked, and never smaller than the input.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from enlarger.errors import BadParameter

SCALE_RANGE = (1.0, 64.0)
"""Output pixels per input pixel along one axis. More is larger; it needs not be whole."""
TEXT_MAX = 40
"""Characters in a target."""
SIDE_MAX = 1_000_000
"""Longest side that can be asked for."""
MM_PER_INCH = 25.4
PAPERS_MM = {
    "a0": (841, 1189),
    "a1": (594, 841),
    "a2": (420, 594),
    "a3": (297, 420),
    "a4": (210, 297),
    "a5": (148, 210),
    "a6": (105, 148),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
"""Width and height, upright: ISO 216 and ANSI/ASME Y14.1."""
UNITS_MM = {"mm": 1.0, "cm": 10.0, "in": MM_PER_INCH}
GRAMMAR = (
    "4x, 3840w, 2160h, 3840x2160 (with fit, fill or pad), long=4096, short=2048, 24MP, 4194304px, A3@300dpi"
)

_NUMBER = r"(\d+(?:\.\d*)?|\.\d+)"
_FACTOR = re.compile(rf"{_NUMBER}x?")
_SIDE = re.compile(r"(?:(?P<long>long|short)=(?P<px>\d+)(?:px)?|(?P<one>\d+)(?P<axis>[wh]))")
_BOX = re.compile(r"(\d+)x(\d+)(?:[ :](fit|fill|pad))?")
_AREA = re.compile(rf"{_NUMBER}(mp|px)")
_PRINT = re.compile(rf"(?:{_NUMBER}x{_NUMBER}(cm|mm|in)|(\w+))@{_NUMBER}dpi")


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


class Kind(StrEnum):
    """What a target fixes."""

    FACTOR = "factor"
    WIDTH = "width"
    HEIGHT = "height"
    LONG = "long"
    SHORT = "short"
    FIT = "fit"
    FILL = "fill"
    PAD = "pad"
    AREA = "area"
    """At least this many pixels."""
    ABOUT = "about"
    """This many pixels but for the rounding of the sides; the input's own size if that is more."""
    PRINT = "print"
    """A box that turns with the picture."""


@dataclass(frozen=True)
class Canvas:
    """What a target comes to for one picture."""

    scaled: Size
    """The whole picture enlarged."""
    result: Size
    """What the result holds: smaller than `scaled` where a box cuts, larger where it pads."""

    @property
    def offset(self) -> tuple[int, int]:
        """Where the scaled picture's left upper corner lies in the result; negative where it is cut."""
        return (self.result.width - self.scaled.width) // 2, (self.result.height - self.scaled.height) // 2


@dataclass(frozen=True)
class Target:
    """A size that is asked for; see the module's grammar. Its text is its canonical spelling."""

    text: str
    kind: Kind
    values: tuple[float, ...]
    """The factor; the side; width and height; or the pixel count."""

    @classmethod
    def parse(cls, text: str) -> Target:
        """Raises BadParameter that quotes `text` and shows the grammar."""
        plain = " ".join(text[: TEXT_MAX + 1].lower().split())
        target = _parse(plain) if len(text) <= TEXT_MAX else None
        if target is None:
            raise BadParameter(
                f"target is {text[:TEXT_MAX]!r}; it must be like one of: {GRAMMAR}", param="target"
            )
        return target

    @classmethod
    def factor(cls, factor: float) -> Target:
        """`factor` times the input. Raises BadParameter outside 1 to 64."""
        low, high = SCALE_RANGE
        if isinstance(factor, bool) or not isinstance(factor, int | float):
            raise BadParameter(f"scale is {factor!r}; it must be a number", param="scale")
        if not low <= factor <= high:
            raise BadParameter(f"scale is {factor:g}; it must be {low:g} to {high:g}", param="scale")
        # Its spelling and no more digits than that, so that the text says all.
        return cls(f"{_spell(factor)}x", Kind.FACTOR, (float(_spell(factor)),))

    @classmethod
    def about(cls, pixels: int) -> Target:
        """About so many pixels in the input's shape, never fewer than the input has."""
        return cls(f"{pixels}px", Kind.ABOUT, (float(pixels),))

    def canvas(self, source: Size) -> Canvas:
        """The sizes for a picture of `source`.

        Raises BadParameter if the result would be smaller than the picture or more than 64 times it.
        """
        scaled, result = self._sizes(source)
        if self.kind is not Kind.ABOUT and (scaled.width < source.width or scaled.height < source.height):
            raise BadParameter(
                f"target {self} makes {scaled} of a picture of {source}; a result is never smaller"
                " than the picture",
                param="target",
            )
        factor = max(scaled.width / source.width, scaled.height / source.height)
        if factor > SCALE_RANGE[1] and scaled.pixels > source.pixels * SCALE_RANGE[1] ** 2:
            raise BadParameter(
                f"target {self} makes {scaled} of a picture of {source}, {factor:.3g} times it;"
                f" at most {SCALE_RANGE[1]:g} times is possible",
                param="target",
            )
        return Canvas(scaled, result)

    def _sizes(self, source: Size) -> tuple[Size, Size]:
        width, height = source.width, source.height
        first = self.values[0]
        match self.kind:
            case Kind.FACTOR:
                scaled = source.times(first)
            case Kind.WIDTH:
                scaled = Size(int(first), _follow(height, first / width))
            case Kind.HEIGHT:
                scaled = Size(_follow(width, first / height), int(first))
            case Kind.LONG:
                return Target("", Kind.WIDTH if width >= height else Kind.HEIGHT, (first,))._sizes(source)
            case Kind.SHORT:
                return Target("", Kind.WIDTH if width <= height else Kind.HEIGHT, (first,))._sizes(source)
            case Kind.AREA:
                factor = math.sqrt(first / source.pixels)
                scaled = Size(math.ceil(width * factor - 1e-9), math.ceil(height * factor - 1e-9))
            case Kind.ABOUT:
                scaled = source.times(max(1.0, math.sqrt(first / source.pixels)))
            case Kind.PRINT | Kind.FIT | Kind.PAD | Kind.FILL:
                return self._box(source)
        return scaled, scaled

    def _box(self, source: Size) -> tuple[Size, Size]:
        across, down = (int(value) for value in self.values)
        if self.kind is Kind.PRINT and (source.width > source.height) != (across > down):
            across, down = down, across
        ratios = across / source.width, down / source.height
        if self.kind is Kind.FILL:
            factor = max(ratios)
            scaled = Size(
                max(across, math.ceil(source.width * factor - 1e-9)),
                max(down, math.ceil(source.height * factor - 1e-9)),
            )
            return scaled, Size(across, down)
        is_wide = ratios[0] <= ratios[1]
        scaled = (
            Size(across, min(down, _follow(source.height, ratios[0])))
            if is_wide
            else Size(min(across, _follow(source.width, ratios[1])), down)
        )
        return scaled, Size(across, down) if self.kind is Kind.PAD else scaled

    def __str__(self) -> str:
        return self.text


def _spell(number: float) -> str:
    """Without an exponent, which the grammar does not have."""
    return f"{number:.12f}".rstrip("0").rstrip(".")


def _follow(side: int, factor: float) -> int:
    return max(1, int(side * factor + 0.5))


def _parse(text: str) -> Target | None:
    if match := _FACTOR.fullmatch(text):
        return Target.factor(float(match[1]))
    if match := _SIDE.fullmatch(text):
        kinds = {"w": Kind.WIDTH, "h": Kind.HEIGHT, "long": Kind.LONG, "short": Kind.SHORT}
        side = match["px"] or match["one"]
        spelt = f"{match['long']}={int(side)}" if match["long"] else f"{int(side)}{match['axis']}"
        return _sides(spelt, kinds[match["long"] or match["axis"]], side)
    if match := _BOX.fullmatch(text):
        kind = Kind(match[3] or Kind.FIT)
        return _sides(f"{int(match[1])}x{int(match[2])} {kind}", kind, match[1], match[2])
    if match := _AREA.fullmatch(text):
        spelt = _spell(float(match[1]))
        if match[2] == "px":
            return _area(f"{spelt}px", Kind.ABOUT, float(spelt))
        return _area(f"{spelt}MP", Kind.AREA, float(spelt) * 1e6)
    if match := _PRINT.fullmatch(text):
        return _paper(text, match)
    return None


def _sides(text: str, kind: Kind, *sides: str) -> Target:
    for side in sides:
        if not 1 <= int(side) <= SIDE_MAX:
            raise BadParameter(f"target is {text!r}; a side must be 1 to {SIDE_MAX} pixels", param="target")
    return Target(text, kind, tuple(float(side) for side in sides))


def _area(text: str, kind: Kind, pixels: float) -> Target:
    if not 1 <= pixels <= SIDE_MAX**2:
        raise BadParameter(f"target is {text!r}; it must be 1 to {SIDE_MAX**2} pixels", param="target")
    return Target(text, kind, (pixels,))


def _paper(text: str, match: re.Match[str]) -> Target | None:
    across, down, unit, name, dpi = match.groups()
    if name is not None and name not in PAPERS_MM:
        return None
    sheet = PAPERS_MM[name] if name else (float(across) * UNITS_MM[unit], float(down) * UNITS_MM[unit])
    sides = [round(side / MM_PER_INCH * float(dpi)) for side in sheet]
    if name:
        sheet_name = name.upper() if name.startswith("a") else name
    else:
        sheet_name = f"{_spell(float(across))}x{_spell(float(down))}{unit}"
    spelt = f"{sheet_name}@{_spell(float(dpi))}dpi"
    return _sides(spelt, Kind.PRINT, *(str(side) for side in sides))
