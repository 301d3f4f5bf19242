"""Colour profiles in bytes: what littleCMS builds itself is sRGB only."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np

WHITE_D50 = (0.9642, 1.0, 0.8249)
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
D65 = (0.3127, 0.3290)
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
ADOBE_RGB = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))


@cache
def display_p3() -> bytes:
    """Display P3 with a plain gamma of 2.2."""
    return _matrix_profile(DISPLAY_P3, 2.2, b"Display P3")


@cache
def adobe_rgb() -> bytes:
    """Adobe RGB (1998), gamma 563/256."""
    return _matrix_profile(ADOBE_RGB, 563 / 256, b"Adobe RGB")


def _matrix_profile(primaries: tuple[tuple[float, float], ...], gamma: float, name: bytes) -> bytes:
    """An ICC v2 display profile of three primaries and one curve (ICC.1:2001-04, section 6.3.1.2)."""
    columns = np.array([_xyz(*point) for point in primaries]).T
    white = _xyz(*D65)
    matrix = columns * np.linalg.solve(columns, white)
    cone = BRADFORD @ WHITE_D50 / (BRADFORD @ white)
    adapted = np.linalg.inv(BRADFORD) @ np.diag(cone) @ BRADFORD @ matrix
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    text = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + b"\0" + bytes(78)
    tags = [(b"desc", text), (b"cprt", b"text" + bytes(4) + b"none\0"), (b"wtpt", _xyz_tag(WHITE_D50))]
    tags += [(b"rgb"[at : at + 1] + b"XYZ", _xyz_tag(adapted[:, at])) for at in range(3)]
    tags += [(b"rgb"[at : at + 1] + b"TRC", curve) for at in range(3)]
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags:
        table += tag + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    head[8:12] = bytes([2, 16, 0, 0])
    head[12:16], head[16:20], head[20:24], head[36:40] = b"mntr", b"RGB ", b"XYZ ", b"acsp"
    head[68:80] = _numbers(WHITE_D50)
    profile = bytes(head) + table + body
    return len(profile).to_bytes(4) + profile[4:]


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1, (1 - x - y) / y])


def _numbers(values: object) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)  # type: ignore[attr-defined]


def _xyz_tag(values: object) -> bytes:
    return b"XYZ " + bytes(4) + _numbers(values)
