"""Files that are no pictures, or no longer: each must be refused in words, by every door."""

from __future__ import annotations

import io
import struct
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
    "picture.gif": encoded(_PHOTO, "GIF"),
    "picture.bmp": encoded(_PHOTO, "BMP"),
    "picture.tiff": encoded(_PHOTO, "TIFF"),
    "animated.gif": _animated("GIF"),
    "animated.png": _animated("PNG"),
    "animated.webp": _animated("WEBP"),
    "text.png": b"This is a text file that somebody called a picture.\n" * 40,
    "html.png": b"<!doctype html><title>404</title><p>Not found",
    "zip.png": b"PK\x03\x04" + bytes(400),
    "zeros.png": bytes(4096),
    "one-byte.png": b"\x89",
    "huge.png": huge_png(),
}
"""Name to content; the names lie about many of them."""
