"""Files that are no pictures, or no longer: each must be refused in words, by every door."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from functools import cache

import numpy as np
from PIL import Image

from tests.support.photos import crop, encoded


@cache
def huge_png() -> bytes:
    """About 100 kB that announce, truthfully, 900 megapixels: all of one value."""
    side = 30_000
    row = b"\0" + bytes(side // 8)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(row * side, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _animated(format_: str) -> bytes:
    frames = [Image.fromarray(np.roll(crop("coffee", 64, 64), shift, axis=1)) for shift in (0, 9, 18)]
    buffer = io.BytesIO()
    frames[0].save(buffer, format_, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _resized(jpeg: bytes, height: int, width: int) -> bytes:
    """The same scan under a frame header that lies about the size."""
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", height, width) + jpeg[at + 4 :]


def _png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 2) -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + _chunk(b"IEND", b"")


def _foreign() -> dict[str, bytes]:
    """The photograph in every format that Pillow writes and no door takes."""
    Image.init()
    found = {}
    for name in sorted(set(Image.SAVE) - TAKEN):
        for image in (Image.fromarray(_PHOTO), Image.fromarray(_PHOTO).convert("L").convert("1")):
            buffer = io.BytesIO()
            try:
                with warnings.catch_warnings():
                    # A format that Pillow will write no longer is one that it writes today.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    image.save(buffer, name)
            except (OSError, ValueError, KeyError, RuntimeError):
                # It takes no picture of this kind, or wants a program that is not here.
                continue
            found[f"picture.{name.lower()}"] = buffer.getvalue()
            break
    return found


TAKEN = {"PNG", "JPEG", "WEBP", "MPO"}
"""MPO begins with a whole JPEG."""
_PHOTO = crop("coffee", 200, 160)
_PNG, _JPEG, _WEBP = encoded(_PHOTO), encoded(_PHOTO, "JPEG"), encoded(_PHOTO, "WEBP")

BROKEN: dict[str, bytes] = {
    "truncated.jpg": _JPEG[: len(_JPEG) // 2],
    "truncated.png": _PNG[: len(_PNG) // 2],
    "truncated.webp": _WEBP[: len(_WEBP) // 2],
    "header-only.jpg": _JPEG[:20],
    "header-only.png": _PNG[:33],
    "signature-only.png": _PNG[:8],
    "bad-checksum.png": _PNG[:60] + bytes([_PNG[60] ^ 255]) + _PNG[61:],
    "no-width.png": _PNG[:16] + bytes(4) + _PNG[20:],
    "no-height.jpg": _resized(_JPEG, 0, 200),
    "huge.jpg": _resized(_JPEG, 65_500, 65_500),
    "only-markers.jpg": b"\xff\xd8" + b"\xff\xe0\x00\x02" * 50_000,
    "no-data.png": _png(64, 64),
    "too-little-data.png": _png(64, 64, _chunk(b"IDAT", zlib.compress(bytes(100)))),
    "no-deflate.png": _png(64, 64, _chunk(b"IDAT", b"this is not compressed")),
    "no-palette.png": _png(64, 64, _chunk(b"IDAT", zlib.compress(bytes(65 * 64))), colour=3),
    "impossible-depth.png": _png(64, 64, _chunk(b"IDAT", zlib.compress(bytes(1000))), depth=7),
    "largest-sides.png": _png(2**31 - 1, 2**31 - 1, _chunk(b"IDAT", zlib.compress(bytes(1000)))),
    "huge-length.png": _PNG[:33] + struct.pack(">I", 2**31 - 1) + _PNG[37:],
    "cut-in-a-header.webp": _WEBP[:18],
    "lying-length.webp": _WEBP[:4] + struct.pack("<I", 2**32 - 10) + _WEBP[8:40],
    "empty-riff.webp": b"RIFF\x04\x00\x00\x00WEBP",
    "animated.gif": _animated("GIF"),
    "animated.png": _animated("PNG"),
    "animated.webp": _animated("WEBP"),
    "text.png": b"This is a text file that somebody called a picture.\n" * 40,
    "html.png": b"<!doctype html><title>404</title><p>Not found",
    "zip.png": b"PK\x03\x04" + bytes(400),
    "zeros.png": bytes(4096),
    "one-byte.png": b"\x89",
    "huge.png": huge_png(),
    **_foreign(),
}
"""Name to content; the names lie about many of them."""
