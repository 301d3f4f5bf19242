"""What a result is worth, and when it is not worth giving away.

Every complaint about upscalers (shifted colours, seams, black tiles, a picture moved by a pixel) was
a success as far as the program knew. So each result is scaled down again and compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from enlarger.engine.inspection import Measures
from enlarger.errors import ReceiptFailed


class Verdict(StrEnum):
    """What the measures come to."""

    PASS = "pass"  # noqa: S105 (no password)
    """Like the results that the limits were drawn from."""
    WARN = "warn"
    """Worth a look."""
    FAIL = "fail"
    """Not the picture enlarged; the result is withheld."""


@dataclass(frozen=True)
class Limit:
    """When a measure is worth a look, and when the result fails; their order says which way is worse."""

    warn: float
    fail: float

    def judge(self, value: float) -> Verdict:
        """A value that is not a number fails."""
        sign = 1 if self.fail > self.warn else -1
        if not sign * value < sign * self.fail:
            return Verdict.FAIL
        return Verdict.WARN if sign * value >= sign * self.warn else Verdict.PASS


Limits = dict[str, Limit]
"""Limits by the names of the measures."""
OPACITY_LIMITS: Limits = {"opacity_db": Limit(20.0, 6.0)}
"""For opacity, in every mode. The worst clean ones: a sprite of single pixels 22.1 dB, scattered dots
23.9, noise 23.8; the edge of a cut-out 34 and more. A hole of 12 input pixels in each tile has 19.4,
an edge moved by one pixel 18. Opacity that is dithered becomes what it stands for: 13 for every second
pixel by chance, 6.4 for a chequer, and these are not withheld."""
FAITHFUL_LIMITS: Limits = OPACITY_LIMITS | {
    "consistency_db": Limit(27.5, 26.0),
    "colour_drift": Limit(1.8, 3.0),
    "shift_px": Limit(0.15, 0.35),
    "seam_energy": Limit(1.35, 2.0),
    "clipped_share": Limit(0.12, 0.3),
}
"""For results that are to be the input when scaled down.

`make bench` measures what these were drawn from: warn lies beyond the worst of 18 clean pictures in every
plan at creativity 1 (28.0 dB and 1.55 on a sprite of single pixels; 0.09, 1.22, 0.10), fail between that
and what faults give that were put in on purpose: a black hole of 12 input pixels in each tile 24.2 dB,
ten levels of red 4.1, half a pixel 0.56, tiles four levels apart 2.4, twice the contrast 0.43.
"""
REPAIRED_LIMITS: Limits = FAITHFUL_LIMITS | {
    "consistency_db": Limit(24.0, 18.0),
    "colour_drift": Limit(2.6, 3.6),
}
"""For a damaged input: its blocks, which are taken out, count as lost. The worst clean results have 24.8 dB
(a screenshot) and 2.5 (tissue under a microscope)."""

CREATIVE_LIMITS: Limits = FAITHFUL_LIMITS | {
    "consistency_db": Limit(24.0, 17.0),
    "colour_drift": Limit(2.0, 4.0),
    "seam_energy": Limit(1.6, 2.5),
}
"""For texture that the input does not show; measured before the look is laid on."""
ENGINE = "embedded"
"""The networks that are here: they make texture and looks, and paint nothing that words name."""
NAMED_LIMITS: Limits = OPACITY_LIMITS | {
    "consistency_db": Limit(24.0, 14.0),
    "colour_drift": Limit(2.0, 8.0),
    "seam_energy": Limit(1.35, 4.0),
    "clipped_share": Limit(0.1, 0.4),
}
"""For a network that someone named: that it redraws is what was asked for, so only what is no picture
of the input at all is withheld. No shift: a smooth patch that grew lighter measures as a moved one."""


@dataclass(frozen=True)
class Receipt:
    """The measures of one result."""

    engine: str
    """Which engine made the picture."""
    plan: str
    """How it was made: fast, texture, detail, refine, creative, creative-copy."""
    consistency_db: float
    """PSNR of the result scaled down against the input, over RGB; 99 at most. By bicubic or by means over
    areas, whichever comes nearer: an input may have been made small by either."""
    colour_drift: float
    """Mean CIEDE2000 between means over squares of 8 input pixels; 1 is just visible side by side."""
    shift_px: float
    """How far the result lies from the input, in input pixels."""
    seam_energy: float
    """Steps across the borders of tiles over steps beside them: 1 where no seam can be seen."""
    clipped_share: float
    """Share of the input's samples that are black or white in the result, scaled down, and were not."""
    look: Mapping[str, float | str]
    """What the request's words came to: the axes that moved, -1 to 1, and the subject."""
    repairs: Mapping[str, int]
    """What was done to tiles, and how often: `f32`, `split`, `plain`."""
    notes: tuple[str, ...]
    """What was found in the input, or at its hard edges, and acted on."""
    verdict: Verdict
    reasons: tuple[str, ...]
    """The measures that are not as they should be, with their values and limits; last, if it failed and
    something can be done about it, what."""
    opacity_db: float | None = None
    """PSNR of the result's opacity, scaled down, against the input's; None where a picture has none."""

    def demand(self) -> None:
        """Raise ReceiptFailed if the verdict is FAIL."""
        if self.verdict is Verdict.FAIL:
            raise ReceiptFailed(f"the result is not the picture that went in: {'; '.join(self.reasons)}")


def judge(
    measures: Measures,
    limits: Limits,
    *,
    plan: str,
    repairs: Mapping[str, int],
    look: Mapping[str, float | str],
    notes: tuple[str, ...],
    way_out: str | None = None,
) -> Receipt:
    """The receipt of a result with these measures. Repairs alone are worth a look.

    way_out  what may be done if it fails, in words; the last of the reasons then.
    """
    found = {name: value for name, value in asdict(measures).items() if value is not None}
    verdicts = {name: limit.judge(found[name]) for name, limit in limits.items() if name in found}
    reasons = tuple(
        f"{name} is {found[name]:.3g}, {verdict} from"
        f" {limits[name].fail if verdict is Verdict.FAIL else limits[name].warn:g} on"
        for name, verdict in verdicts.items()
        if verdict is not Verdict.PASS
    )
    reasons += tuple(f"{count} tiles were repaired: {kind}" for kind, count in repairs.items())
    worst = Verdict.WARN if repairs else Verdict.PASS
    for verdict in (Verdict.WARN, Verdict.FAIL):
        if verdict in verdicts.values():
            worst = verdict
    if worst is Verdict.FAIL and way_out is not None:
        reasons += (way_out,)
    return Receipt(
        engine=ENGINE,
        plan=plan,
        **asdict(measures),
        look=dict(look),
        repairs=dict(repairs),
        notes=notes,
        verdict=worst,
        reasons=reasons,
    )
