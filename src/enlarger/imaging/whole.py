"""Files that are read and written whole, by Pillow: formats of which few are large, and Lab of 8 bits."""

from __future__ import annotations

from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from enlarger.imaging import extras, gif, vips
from enlarger.imaging.examine import EXIF_PREFIX, Examined, reader
from enlarger.imaging.formats import Format
from enlarger.imaging.layout import Layout, Rows, eight_bits
from enlarger.imaging.raster import Raster, RasterWriter, Samples
from enlarger.imaging.splice import Spliced

GREY_MODES = ("1", "L", "LA", "La")
QUALITY = 90
"""AVIF, HEIC and JPEG XL are seen as the original at lower numbers than JPEG."""


def decoded(file: BinaryIO, examined: Examined) -> tuple[Raster, Raster | None, bytes | None, bool]:
    """Colours, opacity, the profile and whether it is grey; not yet upright. 8 bits a sample."""
    file.seek(0)
    with reader(examined.header.format)(file) as image:
        image.load()
        is_grey = image.mode in GREY_MODES
        if image.has_transparency_data:
            samples = np.asarray(image.convert("RGBA"))
            alpha = Raster.of(np.ascontiguousarray(samples[..., 3]))
        else:
            samples, alpha = np.asarray(image.convert("RGB")), None
    profile = None if is_grey else examined.icc_profile
    return Raster.of(np.ascontiguousarray(samples[..., :3])), alpha, profile, is_grey


def lab8(file: BinaryIO) -> Any:
    """The Lab samples of a TIFF of 8 bits, as libvips has them: L 0 to 100, a and b around 0."""
    file.seek(0)
    with TiffImageFile(file) as tiff:
        image: Image.Image = tiff
        if image.mode != "LAB":
            raise ValueError(f"Lab is {image.mode}")
        samples = np.asarray(image)
    # a and b are signed bytes, which Pillow hands on as they are.
    lab = np.dstack((samples[..., 0] * np.float32(100 / 255), samples[..., 1:].view(np.int8)))
    return vips.loaded().Image.new_from_array(lab.astype(np.float32), interpretation="lab")


class WholeWriter:
    """Gathers the rows of one file and has Pillow write it. A context manager.

    16 bits are rounded to 8. Profile, Exif and XMP are written as far as the format has them.
    """

    def __init__(self, file: BinaryIO, format_: Format, layout: Layout, quality: int | None = None) -> None:
        """Raises UnsupportedPicture, naming the extra, if the format needs one that is not installed."""
        self._name = extras.ready_to_save(format_)
        self._file = file
        self._format = format_
        self._layout = layout
        self._quality = QUALITY if quality is None else quality
        self._rows = Rows(layout)
        self._gathered = RasterWriter(layout.width, layout.height, layout.channels, np.uint8)

    def write(self, rows: Samples) -> None:
        """Append rows, (count, width, channels)."""
        self._rows.take(rows)
        self._gathered.write(eight_bits(rows))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        self._rows.finish()
        layout, said = self._layout, self._layout.metadata
        samples = self._gathered.finish().array()
        image = Image.fromarray(samples[..., 0] if layout.channels == 1 else samples)
        options: dict[str, Any] = {"quality": self._quality}
        if layout.icc_profile is not None:
            options["icc_profile"] = layout.icc_profile
        if said.exif is not None:
            options["exif"] = EXIF_PREFIX + said.exif
        if said.xmp is not None:
            options["xmp"] = said.xmp
        file: Any = self._file
        if said.xmp is not None and self._format is Format.GIF:
            file = Spliced(file, gif.extension(said.xmp), gif.behind_colours)
        image.save(file, self._name, **options)
