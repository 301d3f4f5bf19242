"""The seventeen style presets of Stability's API, as parts of a look.

A preset steers the axes, the network, how much grain the networks keep and where texture is allowed,
and may add one finish. It paints nothing: `origami` folds no paper, it gives a paper-like tooth and
clean, bright planes. Each declares a statistic that it moves on any photograph, and which way, and a
test holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from enlarger.engine.look.axes import Axes, Subject
from enlarger.engine.look.grade import Finish
from enlarger.engine.look.statistics import Statistic
from enlarger.errors import BadParameter


@dataclass(frozen=True)
class Preset:
    """What a style preset adds to a request."""

    name: str
    """As in Stability's `style_preset`."""
    axes: Axes
    moves: Statistic
    """The statistic that it declares to move..."""
    up: bool
    """...and whether upwards."""
    finishes: tuple[Finish, ...] = ()
    grain_share: float = 0.0
    """Added to the share of RealSR DF2K, the network that keeps grain; -1 to 1. Up: more of it."""
    texture_floor: float = 0.0
    """Least texture on flat areas, 0..1: 0 leaves walls and skies clean, up gives them a tooth."""


def preset_of(name: str) -> Preset:
    """Raises BadParameter, listing the names, where there is no such preset."""
    try:
        return PRESETS[name]
    except KeyError:
        known = ", ".join(PRESETS)
        raise BadParameter(
            f"style_preset is {name!r}; it must be one of: {known}", param="style_preset"
        ) from None


def _look(subject: Subject = Subject.ANY, **axes: float) -> Axes:
    return Axes(**axes, subject=subject)


_ALL = (
    Preset(
        "3d-model",
        _look(Subject.RENDER, detail=-0.25, saturation=-0.15, light=0.15, grain=-0.6),
        *(Statistic.SATURATION, False),
        grain_share=-0.5,
    ),
    Preset(
        "analog-film",
        _look(Subject.PHOTO, detail=-0.1, temperature=0.3, saturation=-0.1, grain=0.35),
        *(Statistic.GRAIN, True),
        finishes=(Finish.FADED,),
        grain_share=0.25,
        texture_floor=0.15,
    ),
    Preset(
        "anime",
        _look(Subject.DRAWING, saturation=0.35, light=0.15, grain=-0.5),
        *(Statistic.SATURATION, True),
    ),
    Preset(
        "cinematic",
        _look(Subject.PHOTO, saturation=-0.1, light=-0.15, contrast=0.45, grain=0.1),
        *(Statistic.LIGHT, False),
        finishes=(Finish.CINEMA,),
    ),
    Preset(
        "comic-book",
        _look(Subject.DRAWING, saturation=0.4, contrast=0.4, grain=-0.5),
        *(Statistic.TONES, False),
        finishes=(Finish.FLAT,),
    ),
    Preset(
        "digital-art",
        _look(Subject.DRAWING, detail=0.25, saturation=0.25, contrast=0.15),
        *(Statistic.SATURATION, True),
    ),
    Preset(
        "enhance",
        _look(detail=0.35, saturation=0.1, contrast=0.2, grain=-0.2),
        *(Statistic.CONTRAST, True),
    ),
    Preset(
        "fantasy-art",
        _look(Subject.PAINTING, detail=0.3, temperature=0.15, saturation=0.4, contrast=0.1),
        *(Statistic.SATURATION, True),
        grain_share=-0.25,
    ),
    Preset(
        "isometric",
        _look(Subject.RENDER, detail=0.1, saturation=0.15, light=0.2, contrast=-0.1, grain=-0.6),
        *(Statistic.LIGHT, True),
        grain_share=-0.5,
    ),
    Preset(
        "line-art",
        _look(Subject.DRAWING, detail=0.2, saturation=-1.0, light=0.2, contrast=0.8, grain=-1.0),
        *(Statistic.SATURATION, False),
        finishes=(Finish.PAPER,),
    ),
    Preset(
        "low-poly",
        _look(Subject.DRAWING, detail=-0.7, saturation=0.15, grain=-1.0),
        *(Statistic.TONES, False),
        finishes=(Finish.FLAT,),
    ),
    Preset(
        "modeling-compound",
        _look(Subject.PAINTING, detail=-0.4, temperature=0.35, saturation=0.1, contrast=-0.25, grain=-0.6),
        *(Statistic.WARMTH, True),
        grain_share=-0.5,
    ),
    Preset(
        "neon-punk",
        _look(Subject.RENDER, saturation=0.5, light=-0.15, contrast=0.3),
        *(Statistic.GREEN, False),
        finishes=(Finish.NEON,),
        grain_share=-0.25,
    ),
    Preset(
        "origami",
        _look(Subject.RENDER, detail=0.15, saturation=0.2, light=0.3, contrast=-0.2),
        *(Statistic.LIGHT, True),
        texture_floor=0.25,
    ),
    Preset(
        "photographic",
        _look(Subject.PHOTO, detail=0.15, contrast=0.1, grain=0.1),
        *(Statistic.GRAIN, True),
        grain_share=0.25,
    ),
    Preset(
        "pixel-art",
        _look(Subject.DRAWING, detail=-0.3, saturation=0.3, contrast=0.2, grain=-1.0),
        *(Statistic.TONES, False),
        finishes=(Finish.BLOCKY,),
    ),
    Preset(
        "tile-texture",
        _look(Subject.PHOTO, detail=0.4, contrast=-0.35),
        *(Statistic.CONTRAST, False),
        grain_share=0.15,
        texture_floor=0.35,
    ),
)
PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})
"""By name, in the alphabet's order."""
