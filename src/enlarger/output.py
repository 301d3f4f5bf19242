"""From a result that is being made to a file that is whole: rows as they come, then the receipt."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import BinaryIO

from enlarger.engine.receipt import Receipt
from enlarger.engine.rendering import Rendering, memory_told
from enlarger.imaging import (
    Dpi,
    DpiPolicy,
    Format,
    Layout,
    Metadata,
    MetadataPolicy,
    check_size,
    kept,
    open_writer,
    printed,
    quality_for,
)
from enlarger.recipe import Encoding, Recipe


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a result's file is to be, apart from its pixels."""

    format: Format
    policy: MetadataPolicy = MetadataPolicy.KEEP
    """Of the input's metadata, and of the recipe."""
    quality: int | None = None
    """1 to 100 of lossy formats; None is the format's own measure."""
    dpi: Dpi = DpiPolicy.KEEP
    """Of the pixels per inch that the input states."""

    @property
    def encoding(self) -> Encoding:
        """As a recipe says it: equal where equal bytes come of equal pixels."""
        return Encoding(
            format=str(self.format),
            quality=quality_for(self.format, self.quality),
            metadata=str(self.policy),
            dpi=str(self.dpi) if isinstance(self.dpi, DpiPolicy) else f"{self.dpi:g}",
        )

    def metadata(
        self,
        said: Metadata,
        recipe: Recipe,
        *,
        scale: tuple[float, float] = (1.0, 1.0),
        source_digest: str | None = None,
    ) -> Metadata:
        """What the file says besides its pixels.

        said           by the input.
        scale          result pixels per input pixel, across and down.
        source_digest  SHA-256 of the input's file, in hex.
        """
        own = kept(printed(said, self.dpi, scale), self.policy)
        if self.policy is MetadataPolicy.STRIP:
            return own
        recipe = replace(recipe, encoding=self.encoding)
        if self.policy is MetadataPolicy.PRIVATE:
            # A prompt may say what the picture does not.
            recipe = replace(recipe, request=replace(recipe.request, prompt="", negative_prompt=""))
        return replace(own, xmp=recipe.written_to(own.xmp, source_digest))


@dataclass(frozen=True)
class Written:
    """What became of a file."""

    receipt: Receipt
    encode_s: float
    """Seconds in the encoder; the rest of the time was the engine's."""


@memory_told()
def write(
    rendering: Rendering,
    file: BinaryIO,
    format_: Format,
    *,
    recipe: Recipe,
    policy: MetadataPolicy = MetadataPolicy.KEEP,
    quality: int | None = None,
    dpi: Dpi = DpiPolicy.KEEP,
    source_digest: str | None = None,
) -> Written:
    """Make the result and write it to `file`; what it takes does not grow with the
    picture but in formats whose encoders hold all of it: WebP, AVIF, HEIC, JPEG XL.

    recipe   written into the file's XMP unless the policy strips metadata.

    The rest is as for `Form`.

    Raises PictureTooLarge before any work if the format cannot hold the size, ReceiptFailed if the
    result is not the picture that went in (then `file` must be thrown away), and what making the
    rows raises.
    """
    form = Form(format=format_, policy=policy, quality=quality, dpi=dpi)
    source = rendering.source
    layout = Layout(
        width=rendering.size.width,
        height=rendering.size.height,
        channels=source.channels,
        bits=source.bits,
        icc_profile=source.icc_profile,
        metadata=form.metadata(source.metadata, recipe, scale=rendering.scale, source_digest=source_digest),
    )
    check_size(format_, layout.width, layout.height)
    started = time.perf_counter()
    engine_s = 0.0
    with open_writer(file, format_, layout, quality) as writer:
        asked = time.perf_counter()
        for rows in rendering.rows():
            engine_s += time.perf_counter() - asked
            writer.write(rows)
            asked = time.perf_counter()
    encode_s = time.perf_counter() - started - engine_s
    receipt = rendering.receipt()
    receipt.demand()
    return Written(receipt, encode_s)
