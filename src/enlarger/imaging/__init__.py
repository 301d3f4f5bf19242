"""Bytes to Picture and back: formats, limits, orientation, transparency, colour profiles, metadata.

Everything about files and nothing about networks. A new format is a member of `formats.Format`, a
line in `decode.LOADERS` and one in `encode.WRITERS`.
"""

from enlarger.imaging.alpha import bleed
from enlarger.imaging.animation import Animation, encode_animation, frames, is_animated
from enlarger.imaging.decode import Outline, decode, outlined
from enlarger.imaging.encode import check_size, encode, open_writer, quality_for
from enlarger.imaging.examine import probe
from enlarger.imaging.formats import API_FORMATS, SUFFIXES, Format, Header
from enlarger.imaging.layout import Layout, Writer
from enlarger.imaging.metadata import DPI_MAX, Dpi, DpiPolicy, Metadata, MetadataPolicy, kept, printed
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter

__all__ = [
    "API_FORMATS",
    "DPI_MAX",
    "SUFFIXES",
    "Animation",
    "Dpi",
    "DpiPolicy",
    "Format",
    "Header",
    "Layout",
    "Metadata",
    "MetadataPolicy",
    "Outline",
    "Picture",
    "Raster",
    "RasterWriter",
    "Writer",
    "bleed",
    "check_size",
    "decode",
    "encode",
    "encode_animation",
    "frames",
    "is_animated",
    "kept",
    "open_writer",
    "outlined",
    "printed",
    "probe",
    "quality_for",
]
