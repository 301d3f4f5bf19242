"""Bytes to Picture and back: formats, limits, orientation, transparency, colour profiles.

Everything about files and nothing about networks. A new format is a line in `formats.READERS`
and one function in `encode`.
"""

from enlarger.imaging.decode import decode
from enlarger.imaging.encode import encode
from enlarger.imaging.formats import SUFFIXES, Format, Header, probe
from enlarger.imaging.picture import Picture

__all__ = ["SUFFIXES", "Format", "Header", "Picture", "decode", "encode", "probe"]
