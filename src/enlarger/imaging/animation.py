"""Moving pictures: GIF, animated WebP and APNG, as one whole picture after another.

Each picture is what a viewer shows at that moment, so that whoever enlarges them need not know how
the file composes them. They come and go one at a time; nothing holds them all.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import ImageFile
from PIL.WebPImagePlugin import WebPImageFile

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import gif
from enlarger.imaging.encode import check_size
from enlarger.imaging.examine import examine, opened, reader
from enlarger.imaging.formats import ALL_FORMATS, Format, guarded
from enlarger.imaging.layout import Layout, eight_bits
from enlarger.imaging.metadata import NOTHING, Metadata
from enlarger.imaging.picture import Picture
from enlarger.imaging.pipe import VipsWriter
from enlarger.imaging.png import Chunks, Sink, as_bytes, filtered_up
from enlarger.imaging.splice import Spliced
from enlarger.imaging.webp import EFFORT, QUALITY

MOVING = (Format.GIF, Format.WEBP, Format.PNG)
"""Formats that hold animations."""
DEFAULT_MS = 100
"""What viewers make of a picture that is to be shown for no time."""
FRAMES_MAX = 10_000
OPAQUE = 255


@dataclass(frozen=True)
class Animation:
    """What a file shows, and for how long."""

    format: Format
    width: int
    height: int
    loops: int
    """How often it is played; 0 is for ever."""
    durations_ms: tuple[int, ...]
    """One for each picture."""
    icc_profile: bytes | None = field(repr=False)
    metadata: Metadata = field(repr=False)
    """What the file says besides."""
    pictures: Iterator[Picture] = field(repr=False)
    """The pictures in order, once, 8 bits. Raises UnsupportedPicture where the file is damaged."""


def is_animated(source: bytes | BinaryIO, *, formats: frozenset[Format] = ALL_FORMATS) -> bool:
    """Whether a file holds several pictures that are shown one after another. Raises like `probe`."""
    examined = examine(source, max_pixels=None, formats=formats)
    return examined.header.format in MOVING and examined.frames > 1


def frames(
    source: bytes | BinaryIO,
    *,
    max_pixels: int | None = None,
    max_frames: int = FRAMES_MAX,
    formats: frozenset[Format] = ALL_FORMATS,
) -> Animation:
    """Open an animation, or a single picture in one of these formats as one of one frame.

    max_pixels  of one picture.

    Raises UnsupportedPicture for what is none, and PictureTooLarge for more than is allowed.
    """
    file = opened(source)
    examined = examine(file, max_pixels=max_pixels, formats=formats)
    format_, count = examined.header.format, examined.frames
    if format_ not in MOVING:
        raise UnsupportedPicture(f"a {format_} is no animation", param="image")
    if count > max_frames:
        raise PictureTooLarge(
            f"the {format_} has {count} frames; at most {max_frames} are allowed", param="image"
        )
    with guarded(format_):
        durations = tuple(_duration(image) for image in _shown(file, format_))
        file.seek(0)
        with _reader(format_)(file) as first:
            loops = _loops(format_, first)
            size = first.size
    return Animation(
        format_,
        *size,
        loops,
        durations,
        examined.icc_profile,
        examined.metadata,
        _pictures(file, format_, examined.icc_profile),
    )


def encode_animation(
    pictures: Iterable[Picture],
    durations_ms: Sequence[int],
    file: BinaryIO,
    format_: Format,
    *,
    loops: int = 0,
    quality: int | None = None,
    metadata: Metadata = NOTHING,
) -> None:
    """Write pictures of one size, as many as durations, as an animation.

    format_  GIF (256 colours a picture, opacity all or nothing), WebP or PNG (APNG).
    loops    how often it is played; 0 is for ever.
    quality  of WebP, 1 to 100.
    metadata  XMP in all of them, the rest in PNG alone.

    Raises UnsupportedPicture for a format that holds no animation, PictureTooLarge for a size that it
    does not hold, and ValueError if the pictures differ in size or number from what was announced.
    """
    if format_ not in MOVING:
        raise UnsupportedPicture(f"{format_} holds no animation", param="output_format")
    upcoming = iter(pictures)
    first = next(upcoming, None)
    if first is None or not durations_ms:
        raise ValueError("an animation has one picture at least")
    check_size(format_, first.width, first.height)
    rows = _rgba(first, upcoming, len(durations_ms))
    if format_ is Format.PNG:
        _write_apng(rows, first, durations_ms, file, loops, metadata)
    else:
        _write_with_vips(rows, first, durations_ms, file, format_, loops, quality, metadata.xmp)


def _reader(format_: Format) -> Callable[[BinaryIO], ImageFile.ImageFile]:
    return WebPImageFile if format_ is Format.WEBP else reader(format_)


def _shown(file: BinaryIO, format_: Format) -> Iterator[ImageFile.ImageFile]:
    """The image at each of its frames, decoded."""
    file.seek(0)
    with _reader(format_)(file) as image:
        # An APNG may begin with a picture for those who do not know APNG.
        start = 1 if image.info.get("default_image") else 0
        for number in range(start, getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            yield image


def _pictures(file: BinaryIO, format_: Format, icc_profile: bytes | None) -> Iterator[Picture]:
    with guarded(format_):
        for image in _shown(file, format_):
            samples = np.asarray(image.convert("RGBA"))
            alpha = np.ascontiguousarray(samples[..., 3])
            yield Picture.of(
                np.ascontiguousarray(samples[..., :3]),
                None if alpha.min() == OPAQUE else alpha,
                icc_profile,
            )


def _duration(image: ImageFile.ImageFile) -> int:
    return round(image.info.get("duration", 0)) or DEFAULT_MS


def _loops(format_: Format, image: ImageFile.ImageFile) -> int:
    """GIF says how often it is played again, and nothing where it is not."""
    said = image.info.get("loop")
    if format_ is Format.GIF:
        return 1 if said is None else said + 1 if said else 0
    return int(said or 0)


def _rgba(first: Picture, others: Iterator[Picture], count: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures as (height, width, 4), checked to be `count` of one size."""
    number = 0
    picture: Picture | None = first
    while picture is not None:
        number += 1
        if number > count or (picture.width, picture.height) != (first.width, first.height):
            raise ValueError(f"picture {number} of {count}: {picture.width}x{picture.height}")
        whole = np.full((picture.height, picture.width, 4), OPAQUE, np.uint8)
        whole[..., :3] = eight_bits(picture.colour.array())
        if picture.alpha is not None:
            whole[..., 3:] = eight_bits(picture.alpha.array())
        yield whole
        picture = next(others, None)
    if number != count:
        raise ValueError(f"{number} pictures of {count}")


def _write_with_vips(
    rows: Iterator[NDArray[np.uint8]],
    first: Picture,
    durations_ms: Sequence[int],
    file: Sink,
    format_: Format,
    loops: int,
    quality: int | None,
    xmp: bytes | None,
) -> None:
    """As one tall picture, which is how libvips has animations."""
    layout = Layout(width=first.width, height=first.height * len(durations_ms), channels=4)
    fields: list[tuple[str, str, object]] = [
        ("array_int_type", "delay", list(durations_ms)),
        ("gint_type", "loop", loops),
        ("gint_type", "page-height", first.height),
    ]
    options: dict[str, object] = {"page_height": first.height}
    if format_ is Format.WEBP:
        options |= {"Q": QUALITY if quality is None else quality, "effort": EFFORT}
        if first.icc_profile is not None:
            fields.append(("blob_type", "icc-profile-data", first.icc_profile))
        if xmp is not None:
            fields.append(("blob_type", "xmp-data", xmp))
    elif xmp is not None:
        file = Spliced(file, gif.extension(xmp), gif.behind_colours)
    saver = "gifsave_target" if format_ is Format.GIF else "webpsave_target"
    with VipsWriter(layout, file.write, saver, fields=fields, **options) as writer:
        for whole in rows:
            writer.write(whole)


def _write_apng(
    rows: Iterator[NDArray[np.uint8]],
    first: Picture,
    durations_ms: Sequence[int],
    file: Sink,
    loops: int,
    metadata: Metadata,
) -> None:
    """Every picture whole, replacing the one before (PNG specification, third edition, section 11.3.5)."""
    layout = Layout(
        width=first.width, height=first.height, channels=4, icc_profile=first.icc_profile, metadata=metadata
    )
    chunks = Chunks(file, layout)
    chunks.describe(layout)
    chunks.write(b"acTL", struct.pack(">II", len(durations_ms), loops))
    sequence = 0
    above = np.zeros((1, layout.stride), np.uint8)
    for number, whole in enumerate(rows):
        delay = struct.pack(">HH", min(durations_ms[number], 65_535), 1000)
        place = struct.pack(">IIIII", sequence, first.width, first.height, 0, 0)
        chunks.write(b"fcTL", place + delay + b"\0\0")
        sequence += 1
        data = isal_zlib.compress(filtered_up(as_bytes(whole), above), 1, isal_zlib.MAX_WBITS)
        if number == 0:
            chunks.write(b"IDAT", data)
        else:
            chunks.write(b"fdAT", struct.pack(">I", sequence) + data)
            sequence += 1
    chunks.write(b"IEND", b"")
