"""Formats that Pillow reads and writes whole, some of them only with an extra installed."""

from __future__ import annotations

import importlib
from typing import Any

from PIL import Image, ImageFile

from enlarger.errors import UnsupportedPicture
from enlarger.imaging.formats import Format

PLUGINS = {
    Format.AVIF: ("PIL.AvifImagePlugin", "AvifImageFile"),
    Format.HEIC: ("pillow_heif.as_plugin", "HeifImageFile"),
    Format.JXL: ("pillow_jxl.JpegXLImagePlugin", "JXLImageFile"),
}


def reader(format_: Format) -> type[ImageFile.ImageFile]:
    """Pillow's decoder of one of these formats.

    Raises UnsupportedPicture, naming the extra, for one that is not installed.
    """
    module, name = PLUGINS[format_]
    found: type[ImageFile.ImageFile] = getattr(_loaded(format_, module), name)
    return found


def _loaded(format_: Format, module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UnsupportedPicture(
            f"{format_} pictures need an extra: pip install 'enlarger[{format_}]'", param="image"
        ) from error


def ready_to_save(format_: Format) -> str:
    """The name under which Pillow saves a format, its plug-in loaded.

    Raises UnsupportedPicture, naming the extra, for one that is not installed.
    """
    if format_ in PLUGINS:
        module = _loaded(format_, PLUGINS[format_][0])
        if format_ is Format.HEIC and "HEIF" not in Image.SAVE:
            module.register_heif_opener()
    return {Format.HEIC: "HEIF"}.get(format_, format_.upper())
