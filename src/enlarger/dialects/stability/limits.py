"""How large a picture each of Stability's routes takes."""

from __future__ import annotations

from dataclasses import dataclass

from enlarger.dialects.body import BadField
from enlarger.imaging import Header


@dataclass(frozen=True)
class PictureLimits:
    """Bounds of one route, all inclusive, in pixels."""

    min_side: int
    max_side: int
    min_pixels: int
    max_pixels: int

    def check(self, header: Header) -> None:
        """Raise BadField, naming the value and the limit, for a picture outside the bounds."""
        for name, side in (("width", header.width), ("height", header.height)):
            if not self.min_side <= side <= self.max_side:
                raise BadField(
                    "image",
                    f"{name} must be between {self.min_side} and {self.max_side} pixels, got {side}",
                )
        pixels = header.width * header.height
        if not self.min_pixels <= pixels <= self.max_pixels:
            raise BadField(
                "image",
                f"total pixel count must be between {self.min_pixels} and {self.max_pixels}, got {pixels}",
            )


FAST = PictureLimits(min_side=32, max_side=1536, min_pixels=1024, max_pixels=1_048_576)
