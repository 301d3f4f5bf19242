"""Files of the kinds that people complain about, made here so that what is in them is known."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlarger.imaging.ifd import Entry, Structure, serialised
from tests.support.photos import crop

SERIAL, OWNER, UNIQUE = b"SN-12345678\0", b"Jane Doe\0", b"0123456789abcdef0123456789abcdef\0"
COMMENT, LENS_SERIAL, NOTE = b"ASCII\0\0\0at home", b"LENS-777\0", b"a maker's note, 24 bytes"
PRIVATE = (SERIAL[:-1], OWNER[:-1], UNIQUE[:-1], b"at home", LENS_SERIAL[:-1], NOTE)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Make="Acme"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
IPTC = b"\x1c\x02\x19\x00\x05happy"


def phone_exif(order: str = "<", orientation: int = 6) -> bytes:
    """The block of a phone's photograph: a place, serial numbers, a name, a note, a thumbnail."""
    shape = Structure(order)

    def text(value: bytes) -> Entry:
        return Entry(2, len(value), value)

    def ratios(*values: int) -> Entry:
        return Entry(5, len(values) // 2, struct.pack(f"{order}{len(values)}I", *values))

    inner = {
        0x829A: ratios(1, 250),
        0x9003: text(b"2024:05:06 07:08:09\0"),
        0x927C: Entry(7, len(NOTE), NOTE),
        0x9286: Entry(7, len(COMMENT), COMMENT),
        0xA001: shape.shorts(1),
        0xA002: shape.number(4032),
        0xA003: shape.number(3024),
        0xA420: text(UNIQUE),
        0xA430: text(OWNER),
        0xA431: text(SERIAL),
        0xA435: text(LENS_SERIAL),
    }
    place = {
        1: text(b"N\0"),
        2: ratios(52, 1, 31, 1, 12, 1),
        3: text(b"E\0"),
        4: ratios(13, 1, 24, 1, 18, 1),
    }
    main = {
        0x010F: text(b"Acme\0"),
        0x0110: text(b"Phone 12\0"),
        0x0112: shape.shorts(orientation),
        0x011A: ratios(144, 1),
        0x011B: ratios(144, 1),
        0x0128: shape.shorts(2),
        0x8298: text(b"(c) Jane\0"),
        0x8769: inner,
        0x8825: place,
    }
    start = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    block = start + serialised(main, 8, shape)  # type: ignore[arg-type]
    # The thumbnail's directory, linked from behind the first one's entries.
    link = 8 + 2 + 12 * len(main)
    thumbnail = serialised({0x0201: shape.number(0), 0x0202: shape.number(9)}, len(block), shape)
    return (
        block[:link] + struct.pack(order + "I", len(block)) + block[link + 4 :] + thumbnail + b"thumbnail"
    )


def phone_jpeg(order: str = "<") -> bytes:
    """A photograph lying on its side, 64x48 upright 48x64, with all blocks that a JPEG can have."""
    buffer = io.BytesIO()
    Image.fromarray(crop("coffee", 64, 48)).save(
        buffer, "JPEG", quality=95, exif=b"Exif\0\0" + phone_exif(order), xmp=XMP, comment="a comment"
    )
    data = buffer.getvalue()
    resource = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC
    return data[:2] + struct.pack(">HH", 0xFFED, len(resource) + 2) + resource + data[2:]


def tiff(samples: NDArray[Any], **options: Any) -> bytes:
    """A TIFF of any kind, by another writer than ours."""
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **options)
    return buffer.getvalue()


def cmyk_jpeg(samples: NDArray[np.uint8], is_ycck: bool = False, **options: Any) -> bytes:
    """A CMYK JPEG as Adobe writes it, inverted; converted to YCCK if asked for."""
    buffer = io.BytesIO()
    image = Image.fromarray(samples, "CMYK")
    image.save(buffer, "JPEG", quality=98, subsampling="4:4:4", **options)
    data = buffer.getvalue()
    if not is_ycck:
        return data
    # The same planes named YCCK: for grey inks (C = M = Y) Y is K's twin and both chromas are 128.
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\x02" + data[at + 12 :]
