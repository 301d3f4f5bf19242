"""How large a picture Stability's tools take and make, whichever dialect offers them."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.dialects.body import BadField
from enlarger.imaging import Header
from enlarger.target import Target

MEGAPIXEL = 1_048_576
UNBOUNDED = 1_000_000_000


@dataclass(frozen=True)
class PictureLimits:
    """Bounds of one tool, all inclusive, in pixels."""

    min_side: int
    min_pixels: int
    max_pixels: int
    max_side: int = UNBOUNDED
    max_aspect: float | None = None
    """How many times as long as the other a side may be; None is any."""

    def check(self, header: Header, field: str = "image", *, is_rounded: bool = False) -> None:
        """Raise BadField, naming the value and the limit, for a picture outside the bounds.

        field       what the dialect calls the picture.
        is_rounded  whether its client shrinks pictures to the most pixels and rounds each side by
                    itself: what exceeds them by the two roundings alone is within the bounds then.
        """
        for name, side in (("width", header.width), ("height", header.height)):
            if side < self.min_side or side > self.max_side:
                bounds = (
                    f"at least {self.min_side}"
                    if self.max_side == UNBOUNDED
                    else f"between {self.min_side} and {self.max_side}"
                )
                raise BadField(field, f"{name} must be {bounds} pixels, got {side}")
        pixels = header.width * header.height
        fewest = (header.width - 0.5) * (header.height - 0.5) if is_rounded else pixels
        if pixels < self.min_pixels or fewest > self.max_pixels:
            raise BadField(
                field,
                f"total pixel count must be between {self.min_pixels} and {self.max_pixels}, got {pixels}",
            )
        long, short = max(header.width, header.height), min(header.width, header.height)
        if self.max_aspect is not None and long > self.max_aspect * short:
            raise BadField(
                field,
                f"aspect ratio must be between 1:{self.max_aspect:g} and {self.max_aspect:g}:1,"
                f" got {header.width}:{header.height}",
            )


FAST = PictureLimits(min_side=32, max_side=1536, min_pixels=1024, max_pixels=MEGAPIXEL)
CONSERVATIVE = PictureLimits(min_side=64, min_pixels=4096, max_pixels=9 * MEGAPIXEL, max_aspect=2.5)
CREATIVE = PictureLimits(min_side=64, min_pixels=4096, max_pixels=MEGAPIXEL)
ABOUT_PIXELS = Target.about(4 * MEGAPIXEL)
"""What conservative and creative make: 4 megapixels, in the input's shape and never smaller than it."""
