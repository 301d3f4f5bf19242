"""What a file says besides its pixels: carried, made right for the result, or left out as asked."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image

from enlarger.imaging import Format, Metadata, MetadataPolicy, Picture, decode, encode, kept
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
    element = XMP.replace(b'tiff:Orientation="6"', b"").replace(
        b"</rdf:RDF>", b"<tiff:Orientation>8</tiff:Orientation></rdf:RDF>"
    )
    found = decode(encoded(crop("coffee", 8, 8), "JPEG", xmp=element)).metadata.xmp
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
