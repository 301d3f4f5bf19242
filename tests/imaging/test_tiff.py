"""TIFF of every kind that is read, and in words what is not."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from enlarger.errors import PictureTooLarge, UnsupportedPicture
from enlarger.imaging import API_FORMATS, Format, Picture, decode, encode, probe
from tests.support.files import tiff
from tests.support.photos import crop, flat, psnr

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize(
    "layout", [{}, {"bigtiff": True}, {"tile": (16, 16)}, {"planarconfig": "separate"}]
)
def test_containers_and_compressions(
    dtype: type, compression: str | None, byteorder: str, layout: dict
) -> None:
    samples = RNG.integers(0, np.iinfo(dtype).max, (40, 56, 3), dtype, endpoint=True)
    if layout.get("planarconfig"):
        data = tiff(
            samples.transpose(2, 0, 1),
            photometric="rgb",
            compression=compression,
            byteorder=byteorder,
            **layout,
        )
    else:
        data = tiff(samples, photometric="rgb", compression=compression, byteorder=byteorder, **layout)
    header = probe(data)
    assert (header.format, header.width, header.height) == (Format.TIFF, 56, 40)
    picture = decode(data)
    assert picture.alpha is None
    np.testing.assert_array_equal(flat(picture.colour), samples)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_compressions_of_another_writer(compression: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(crop("coffee", 56, 40)).save(buffer, "TIFF", compression=compression)
    np.testing.assert_array_equal(flat(decode(buffer.getvalue()).colour), crop("coffee", 56, 40))


def test_multiplied_colours_are_divided_and_others_left() -> None:
    colour, alpha = crop("coffee", 64, 48), np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    multiplied = np.rint(colour * (alpha[..., np.newaxis] / 255)).astype(np.uint8)
    data = tiff(np.dstack((multiplied, alpha)), photometric="rgb", extrasamples=["assocalpha"])
    picture = decode(data)
    np.testing.assert_array_equal(flat(picture.alpha), alpha)
    assert np.abs(flat(picture.colour)[:, 32:].astype(int) - colour[:, 32:]).max() <= 2
    plain = decode(tiff(np.dstack((colour, alpha)), photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(flat(plain.colour), colour)


def test_a_saved_selection_is_no_opacity() -> None:
    samples = RNG.integers(0, 256, (8, 8, 5), np.uint8)
    for count, kinds in ((4, ["unspecified"]), (5, ["unspecified", "unspecified"])):
        picture = decode(tiff(samples[..., :count], photometric="rgb", extrasamples=kinds))
        assert picture.alpha is None
        np.testing.assert_array_equal(flat(picture.colour), samples[..., :3])
    picture = decode(tiff(samples, photometric="rgb", extrasamples=["unassalpha", "unspecified"]))
    np.testing.assert_array_equal(flat(picture.alpha), samples[..., 3])


def test_grey_with_alpha_bilevel_palette_and_inverted() -> None:
    grey = RNG.integers(0, 256, (8, 16, 2), np.uint8)
    picture = decode(tiff(grey, photometric="minisblack", extrasamples=["unassalpha"]))
    assert picture.is_grey
    np.testing.assert_array_equal(flat(picture.colour)[..., 2], grey[..., 0])
    np.testing.assert_array_equal(flat(picture.alpha), grey[..., 1])

    bits = RNG.integers(0, 2, (8, 16)).astype(bool)
    buffer = io.BytesIO()
    Image.fromarray(bits).save(buffer, "TIFF", compression="group4")
    np.testing.assert_array_equal(flat(decode(buffer.getvalue()).colour)[..., 0], bits * 255)

    inverted = decode(tiff(grey[..., 0], photometric="miniswhite"))
    np.testing.assert_array_equal(flat(inverted.colour)[..., 0], 255 - grey[..., 0])

    palette = Image.fromarray(crop("coffee", 32, 32)).quantize(16)
    buffer = io.BytesIO()
    palette.save(buffer, "TIFF")
    np.testing.assert_array_equal(
        flat(decode(buffer.getvalue()).colour), np.asarray(palette.convert("RGB"))
    )


def test_thirty_two_bits_become_sixteen() -> None:
    samples = np.array([[0, 65537, 2**31, 2**32 - 1]], np.uint32)
    picture = decode(tiff(samples, photometric="minisblack"))
    np.testing.assert_array_equal(flat(picture.colour)[0, :, 0], [0, 1, 32768, 65535])


@pytest.mark.parametrize(
    ("samples", "words"),
    [(np.zeros((8, 8, 3), np.float32), "floating-point"), (np.zeros((8, 8), np.int16), "signed")],
)
def test_what_would_be_guessed_is_refused(samples: np.ndarray, words: str) -> None:
    with pytest.raises(UnsupportedPicture, match=words):
        decode(tiff(samples, photometric="rgb" if samples.ndim == 3 else "minisblack"))


def test_a_compression_that_is_not_read_is_named() -> None:
    buffer = io.BytesIO()
    Image.fromarray(crop("coffee", 56, 40)).save(buffer, "TIFF", compression="zstd")
    with pytest.raises(UnsupportedPicture, match="method 50000"):
        decode(buffer.getvalue())


def test_several_pages_are_refused_but_a_thumbnail_is_no_page() -> None:
    import tifffile

    for kind, pages in ((0, 3), (1, 1)):
        buffer = io.BytesIO()
        with tifffile.TiffWriter(buffer) as writer:
            writer.write(crop("coffee", 32, 24), photometric="rgb")
            for _ in range(2):
                writer.write(crop("coffee", 16, 12), photometric="rgb", subfiletype=kind)
        if pages == 1:
            assert decode(buffer.getvalue()).width == 32
        else:
            with pytest.raises(UnsupportedPicture, match="the tiff has 3 frames"):
                decode(buffer.getvalue())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_tag_is_applied(orientation: int) -> None:
    pixels = crop("coffee", 40, 24)
    data = tiff(pixels, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    with Image.open(io.BytesIO(data)) as image:
        from PIL import ImageOps

        expected = np.asarray(ImageOps.exif_transpose(image))
    header, picture = probe(data), decode(data)
    assert (header.width, header.height) == (picture.width, picture.height)
    np.testing.assert_array_equal(flat(picture.colour), expected)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turning_goes_in_bands(orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from enlarger.imaging import Raster, turning

    samples = RNG.integers(0, 256, (50, 37, 3), np.uint8)
    expected = turning.turned(Raster.of(samples), orientation).array()
    monkeypatch.setattr(turning, "BAND_ROWS", 7)
    monkeypatch.setattr(turning, "SPOOL_BYTES", 1000)
    np.testing.assert_array_equal(turning.turned(Raster.of(samples), orientation).array(), expected)


def test_the_doors_do_not_read_tiff_and_limits_hold() -> None:
    data = tiff(crop("coffee", 40, 24), photometric="rgb")
    with pytest.raises(UnsupportedPicture, match="not a PNG, JPEG or WebP picture"):
        probe(data, formats=API_FORMATS)
    with pytest.raises(PictureTooLarge, match="40x24 = 960"):
        decode(data, max_pixels=900)


def test_a_directory_that_leads_back_to_itself_ends() -> None:
    data = bytearray(tiff(crop("coffee", 8, 8), photometric="rgb"))
    first = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[first : first + 2], "little")
    data[first + 2 + 12 * count :][:4] = data[4:8]
    data[first + 2 + 12 * count : first + 6 + 12 * count] = data[4:8]
    assert probe(bytes(data)).width == 8


def test_a_file_on_disk_is_read_where_it_lies(tmp_path: Path) -> None:
    for format_ in (Format.PNG, Format.JPEG, Format.WEBP, Format.TIFF):
        path = tmp_path / f"picture{format_.ending}"
        with path.open("w+b") as file:
            encode(Picture.of(crop("coffee", 300, 200)), file, format_)
        with path.open("rb") as file:
            file.read(5)
            file.seek(0)
            assert psnr(flat(decode(file).colour), crop("coffee", 300, 200)) > 35
