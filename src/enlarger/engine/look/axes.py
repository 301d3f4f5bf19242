"""The axes of a look: six signed numbers, and what kind of picture is wanted.

Everything that steers the creative engine in words (a prompt, a negative prompt, a style preset) ends
up here, is added, and can be shown to the caller. An axis at 0 changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Subject(StrEnum):
    """What kind of picture it is to become."""

    ANY = "any"
    """Nothing was said: as a photograph, and whatever is added to it decides."""
    PHOTO = "photo"
    """Networks that keep grain and skin."""
    PAINTING = "painting"
    """The smoother, bolder of the photographic networks alone."""
    RENDER = "render"
    """As a painting: clean surfaces, no grain of a film."""
    DRAWING = "drawing"
    """The network for drawings: flat shading, inked contours."""


AXES = ("detail", "temperature", "saturation", "light", "contrast", "grain")
"""The names of the signed axes, in the order that they are shown."""


@dataclass(frozen=True, kw_only=True)
class Axes:
    """A look. Numbers outside of -1..1 are allowed in between; `clamped` is what is applied."""

    detail: float = 0.0
    """Up: more synthesized texture and fine contrast. Down: softer, smoother."""
    temperature: float = 0.0
    """Up: warmer, towards amber. Down: colder, towards blue. Brightness stays."""
    saturation: float = 0.0
    """Up: stronger colours. Down: paler; -1 is grey."""
    light: float = 0.0
    """Up: brighter. Down: darker. Black and white stay where they are."""
    contrast: float = 0.0
    """Up: darks darker and lights lighter. Down: flatter."""
    grain: float = 0.0
    """Up: film grain. Down: cleaner: less of the network that keeps grain."""
    subject: Subject = Subject.ANY
    """What kind of picture; it chooses the network."""

    @property
    def is_neutral(self) -> bool:
        """Whether it changes nothing."""
        return self == NEUTRAL

    def __add__(self, other: Axes) -> Axes:
        """Axis by axis; the right one's subject counts unless it has none."""
        total = {name: getattr(self, name) + getattr(other, name) for name in AXES}
        return Axes(**total, subject=self.subject if other.subject is Subject.ANY else other.subject)

    def __sub__(self, other: Axes) -> Axes:
        """Axis by axis, the other way; what the right one is, this one is not, so its subject goes.

        A drawing that is refused is a photograph: that is the choice there is.
        """
        kept = Subject.ANY if other.subject is self.subject else self.subject
        if kept is Subject.ANY and other.subject not in (Subject.ANY, Subject.PHOTO):
            kept = Subject.PHOTO
        return replace(self + replace(other, subject=Subject.ANY).scaled(-1.0), subject=kept)

    def scaled(self, factor: float) -> Axes:
        """Every axis times `factor`; at 0 the subject goes too, for nothing was said."""
        if factor == 0.0:
            return NEUTRAL
        return replace(self, **{name: getattr(self, name) * factor for name in AXES})

    def clamped(self) -> Axes:
        """Every axis within -1..1."""
        return replace(self, **{name: min(1.0, max(-1.0, getattr(self, name))) for name in AXES})

    def told(self) -> dict[str, float | str]:
        """What to show: the axes that are not zero, to two digits, and the subject if there is one."""
        shown: dict[str, float | str] = {
            name: round(value, 2)
            for name, value in asdict(self).items()
            if name != "subject" and round(value, 2)
        }
        return shown if self.subject is Subject.ANY else {**shown, "subject": str(self.subject)}


NEUTRAL = Axes()
"""Changes nothing."""
