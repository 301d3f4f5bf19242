"""From a result that is being made to a file that is whole: rows as they come, then the receipt."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import BinaryIO

from enlarger.engine.receipt import Receipt
from enlarger.engine.rendering import Rendering
from enlarger.imaging import (
    Format,
    Layout,
    Metadata,
    MetadataPolicy,
    check_size,
    kept,
    open_writer,
    quality_for,
)
from enlarger.recipe import Encoding, Recipe


@dataclass(frozen=True)
class Written:
    """What became of a file."""

    receipt: Receipt
    encode_s: float
    """Seconds in the encoder; the rest of the time was the engine's."""


def write(
    rendering: Rendering,
    file: BinaryIO,
    format_: Format,
    *,
    recipe: Recipe,
    policy: MetadataPolicy = MetadataPolicy.KEEP,
    quality: int | None = None,
    source_digest: str | None = None,
) -> Written:
    """Make the result and write it to `file`; what it takes does not grow with the
    picture but in formats whose encoders hold all of it: WebP, AVIF, HEIC, JPEG XL.

    recipe   written into the file's XMP unless the policy strips metadata.
    quality  1 to 100 of lossy formats; None is 95.
    source_digest  SHA-256 of the input's file, in hex; written beside the recipe.

    Raises PictureTooLarge before any work if the format cannot hold the size, ReceiptFailed if the
    result is not the picture that went in (then `file` must be thrown away), and what making the
    rows raises.
    """
    source = rendering.source
    layout = Layout(
        width=rendering.size.width,
        height=rendering.size.height,
        channels=source.channels,
        bits=source.bits,
        icc_profile=source.icc_profile,
        metadata=metadata_for(
            source.metadata,
            policy,
            replace(recipe, encoding=encoding(format_, policy, quality)),
            source_digest,
        ),
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


def encoding(format_: Format, policy: MetadataPolicy, quality: int | None) -> Encoding:
    """How a file is written, as its recipe says it: equal where equal bytes come of equal pixels."""
    return Encoding(format=str(format_), quality=quality_for(format_, quality), metadata=str(policy))


def metadata_for(
    metadata: Metadata, policy: MetadataPolicy, recipe: Recipe, source_digest: str | None = None
) -> Metadata:
    """What a result says besides its pixels; `recipe` has the encoding of the file."""
    own = kept(metadata, policy)
    if policy is MetadataPolicy.STRIP:
        return own
    if policy is MetadataPolicy.PRIVATE:
        # A prompt may say what the picture does not.
        recipe = replace(recipe, request=replace(recipe.request, prompt="", negative_prompt=""))
    return replace(own, xmp=recipe.written_to(own.xmp, source_digest))
