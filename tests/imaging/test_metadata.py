"""What a file says besides its pixels: carried, made right for the result, or left out as asked."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from enlarger.imaging import (
    Dpi,
    DpiPolicy,
    Format,
    Metadata,
    MetadataPolicy,
    Picture,
    decode,
    encode,
    kept,
    printed,
    xmp,
)
from tests.support.files import IPTC, PRIVATE, XMP, phone_exif, phone_jpeg
from tests.support.photos import crop, encoded

ALL = Metadata(exif=None, xmp=b"<x/>", iptc=IPTC, dpi=(300.0, 150.0), comments=(("comment", "héllo"),))


def written(metadata: Metadata, format_: Format) -> bytes:
    file = io.BytesIO()
    picture = Picture.of(crop("coffee", 64, 48))
    encode(Picture(picture.colour, metadata=metadata), file, format_)
    return file.getvalue()


def exif_of(data: bytes) -> dict[Any, Any]:
    """As Pillow sees them, the directories below merged in."""
    with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
        warnings.simplefilter("error")
        exif = image.getexif()
        place = {("gps", tag): value for tag, value in exif.get_ifd(0x8825).items()}
        found = {**exif, **exif.get_ifd(0x8769), **place}
        return {tag: value for tag, value in found.items() if tag not in (0x8769, 0x8825)}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("format_", [Format.PNG, Format.JPEG, Format.WEBP, Format.TIFF, Format.AVIF])
def test_exif_survives_into_every_format_and_fits_the_result(format_: Format, order: str) -> None:
    metadata = decode(phone_jpeg(order)).metadata
    data = written(metadata, format_)
    found = exif_of(data)
    assert found[0x010F] == "Acme"
    assert found[0x9003] == "2024:05:06 07:08:09"
    assert found[0x829A] == pytest.approx(1 / 250)
    assert found["gps", 2] == (52.0, 31.0, 12.0)
    assert found.get(0x0112, 1) == 1
    assert 0xA002 not in found
    again = decode(data).metadata
    assert exif_of(written(again, Format.JPEG)) == exif_of(written(metadata, Format.JPEG))


def test_the_thumbnail_is_left_behind() -> None:
    exif = decode(phone_jpeg()).metadata.exif
    assert exif is not None
    assert b"thumbnail" in phone_exif()
    assert b"thumbnail" not in exif


def test_the_packet_says_upright_too() -> None:
    found = decode(phone_jpeg()).metadata.xmp
    assert found == XMP.replace(b'tiff:Orientation="6"', b'tiff:Orientation="1"')
    packet = XMP.replace(b'tiff:Orientation="6"', b"").replace(
        b"</rdf:RDF>", b"<tiff:Orientation>8</tiff:Orientation></rdf:RDF>"
    )
    found = decode(encoded(crop("coffee", 8, 8), "JPEG", xmp=packet)).metadata.xmp
    assert found is not None
    assert b"<tiff:Orientation>1</tiff:Orientation>" in found


@pytest.mark.parametrize(
    "xmp", [b"\xff\xfe broken", XMP.replace(b"tiff:Make", b"hdrgm:Version"), b"x" * 60_000_0]
)
def test_a_packet_that_no_longer_holds_is_left_out(xmp: bytes) -> None:
    # A PNG carries packets of any size.
    picture = decode(encoded(crop("coffee", 8, 8)))
    file = io.BytesIO()
    encode(Picture(picture.colour, metadata=Metadata(xmp=xmp)), file, Format.PNG)
    found = decode(file.getvalue()).metadata.xmp
    assert found == (xmp if xmp.startswith(b"xx") else None)


@pytest.mark.parametrize(
    ("format_", "fields"),
    [
        (Format.PNG, {"xmp", "dpi", "comments"}),
        (Format.JPEG, {"xmp", "iptc", "dpi", "comments"}),
        (Format.WEBP, {"xmp"}),
        (Format.TIFF, {"xmp", "iptc", "dpi"}),
    ],
)
def test_every_format_carries_what_it_has_a_place_for(format_: Format, fields: set[str]) -> None:
    found = decode(written(ALL, format_)).metadata
    for name in ("xmp", "iptc", "comments"):
        assert getattr(found, name) == (getattr(ALL, name) if name in fields else getattr(Metadata(), name))
    assert found.dpi == (pytest.approx((300, 150), abs=0.02) if "dpi" in fields else None)


@pytest.mark.parametrize("format_", [Format.PNG, Format.JPEG, Format.TIFF])
def test_other_readers_see_the_resolution(format_: Format) -> None:
    with Image.open(io.BytesIO(written(ALL, format_))) as image:
        assert tuple(map(float, image.info["dpi"])) == pytest.approx((300, 150), abs=0.02)


def test_exif_says_the_resolution_where_the_file_does_not() -> None:
    assert decode(phone_jpeg()).metadata.dpi == (144.0, 144.0)
    assert decode(encoded(crop("coffee", 8, 8), "JPEG")).metadata.dpi is None


@pytest.mark.parametrize(
    ("dpi", "wanted"),
    [
        (DpiPolicy.KEEP, (144, 144)),
        (DpiPolicy.SCALE, (288, 216)),
        (300.0, (300, 300)),
        (72.5, (72.5, 72.5)),
    ],
)
@pytest.mark.parametrize("format_", [Format.PNG, Format.JPEG, Format.TIFF, Format.WEBP])
def test_the_resolution_is_what_was_asked_for_in_every_place(
    format_: Format, dpi: Dpi, wanted: tuple[float, float]
) -> None:
    metadata = printed(decode(phone_jpeg()).metadata, dpi, (2, 1.5))
    data = written(metadata, format_)
    found = exif_of(data)
    if format_ is not Format.TIFF:  # there the tags are the file's own
        assert (float(found[0x011A]), float(found[0x011B]), found[0x0128]) == (*wanted, 2)
    # JFIF has whole numbers.
    assert decode(data).metadata.dpi == pytest.approx(wanted, abs=0.51 if format_ is Format.JPEG else 0.02)


def test_what_states_no_resolution_has_none_that_grows() -> None:
    assert printed(Metadata(), DpiPolicy.SCALE, (4, 4)) == Metadata()
    assert printed(Metadata(), 300.0, (4, 4)) == Metadata(dpi=(300, 300))


def test_private_drops_who_and_where_and_keeps_how() -> None:
    metadata = decode(phone_jpeg()).metadata
    assert metadata.exif is not None
    assert all(secret in metadata.exif for secret in PRIVATE)
    private = kept(metadata, MetadataPolicy.PRIVATE)
    assert private.exif is not None
    assert not any(secret in private.exif for secret in PRIVATE)
    assert (private.xmp, private.iptc, private.comments) == (None, None, ())
    assert private.dpi == metadata.dpi
    found = exif_of(written(private, Format.JPEG))
    assert found[0x0110] == "Phone 12"
    assert found[0x829A] == pytest.approx(1 / 250)
    assert found[0x8298] == "(c) Jane"
    assert not any(isinstance(tag, tuple) for tag in found)


def test_keep_keeps_and_strip_leaves_the_resolution() -> None:
    metadata = decode(phone_jpeg()).metadata
    assert kept(metadata, MetadataPolicy.KEEP) == metadata
    assert kept(metadata, MetadataPolicy.STRIP) == Metadata(dpi=(144.0, 144.0))


def test_damaged_exif_never_costs_the_picture_and_never_its_time() -> None:
    block = phone_exif()
    rng = np.random.default_rng(11)
    from enlarger.imaging.metadata import upright

    for _ in range(3000):
        broken = bytearray(block)
        for place in rng.integers(0, len(block), rng.integers(1, 12)):
            broken[place] = rng.integers(0, 256)
        result = upright(Metadata(exif=bytes(broken[: rng.integers(1, len(block) + 1)])))
        kept(result, MetadataPolicy.PRIVATE)


def test_text_of_a_png_is_carried_in_any_script() -> None:
    texts = (("Title", "Kaffee"), ("Author", "Ωμέγα"))
    assert decode(written(Metadata(comments=texts), Format.PNG)).metadata.comments == texts


def packet_of(*sizes: int) -> bytes:
    """A packet with a description of each size in bytes, about."""
    inner = "".join(
        f'<rdf:Description rdf:about=""><dc:p{number}>{"é" * (size // 2)}</dc:p{number}></rdf:Description>'
        for number, size in enumerate(sizes)
    )
    start = (
        XMP[: XMP.index(b"<rdf:Description")]
        .decode()
        .replace("<rdf:RDF", '<rdf:RDF xmlns:dc="http://purl.org/dc/elements/1.1/"')
    )
    return f'<?xpacket begin="\ufeff"?>{start}{inner}</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'.encode()


def properties(packet: bytes | None) -> dict[str, str | None]:
    """What an XML parser finds, by full names."""
    assert packet is not None
    return {
        element.tag: element.text
        for element in ElementTree.fromstring(packet).iter()  # noqa: S314 (our own)
        if "purl.org" in element.tag
    }


@pytest.mark.parametrize(
    "sizes", [(100,), (65_000,), (70_000,), (70_000, 300), (40_000, 40_000, 90_000, 8)]
)
def test_a_packet_of_any_size_survives_a_jpeg(sizes: tuple[int, ...]) -> None:
    packet = packet_of(*sizes)
    data = written(Metadata(xmp=packet), Format.JPEG)
    assert properties(decode(data).metadata.xmp) == properties(packet)
    again = written(decode(data).metadata, Format.JPEG)
    assert properties(decode(again).metadata.xmp) == properties(packet)


def test_the_second_packet_is_as_adobe_has_it() -> None:
    """Told apart by hand, and the digest computed anew: other programs join it by these."""
    with Image.open(io.BytesIO(written(Metadata(xmp=packet_of(70_000, 300)), Format.JPEG))) as image:
        blocks = [data for name, data in image.applist if name == "APP1"]  # type: ignore[attr-defined]
    prefix = b"http://ns.adobe.com/xmp/extension/\0"
    first = next(data for data in blocks if data.startswith(b"http://ns.adobe.com/xap/1.0/\0"))
    portions = [data[len(prefix) :] for data in blocks if data.startswith(prefix)]
    whole = b"".join(portion[40:] for portion in portions)
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    assert b'xmpNote:HasExtendedXMP="' + digest + b'"' in first
    assert [portion[:36] for portion in portions] == [digest + struct.pack(">I", len(whole))] * len(
        portions
    )
    assert set(properties(whole)) == {"{http://purl.org/dc/elements/1.1/}p0"}
    assert max(map(len, blocks)) <= 65_533


@pytest.mark.parametrize("fault", ["missing", "other"])
def test_a_second_packet_that_is_not_whole_costs_nothing_but_itself(fault: str) -> None:
    parts = xmp.segments(packet_of(200_000, 300))
    if fault == "missing":
        del parts[2]
    else:
        parts[2:] = [part.replace(part[35:67], b"0" * 32) for part in parts[2:]]
    first = parts[0].removeprefix(xmp.PREFIX)
    found = xmp.joined(first, parts[1:], 10**6)
    assert found == first
    assert b"HasExtendedXMP" not in (xmp.upright(found, 10**6) or b"HasExtendedXMP")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0" encoding="UTF-16"?>'])
def test_a_packet_in_another_encoding_is_read(encoding: str, declaration: str) -> None:
    packet = packet_of(100)
    # A TIFF hands on whatever bytes its tag has.
    data = written(Metadata(xmp=(declaration + packet.decode()).encode(encoding)), Format.TIFF)
    assert decode(data).metadata.xmp == packet


@pytest.mark.parametrize(
    "block", [b"<!DOCTYPE a>" + packet_of(70_000), b"<a>" + b"x" * 70_000, b"\0" * 70_000]
)
def test_a_large_packet_that_is_no_xml_is_left_out_of_a_jpeg(block: bytes) -> None:
    assert xmp.segments(block) == []
