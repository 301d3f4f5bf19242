"""Real photographs, from scikit-image's wheel, and encodings of them."""

from __future__ import annotations

import io
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image, ImageCms

from enlarger.imaging import Raster

DATA = Path(skimage.data.__file__).parent
MOSAIC = (
    "astronaut",
    "coffee",
    "chelsea",
    "rocket",
    "motorcycle_left",
    "hubble_deep_field",
    "camera",
    "ihc",
    "grass",
    "brick",
    "gravel",
)
MOSAIC_PX = 256


@cache
def photo(name: str) -> NDArray[np.uint8]:
    """RGB: `astronaut` 512x512, `coffee` 600x400, `chelsea` (a cat) 451x300, `rocket` 640x427,
    `motorcycle_left` 741x497, `retina` 1411x1411, `hubble_deep_field` 1000x872, `ihc` (tissue)
    512x512.

    Grey, as RGB: `camera` 512x512; `grass`, `brick` and `gravel` 512x512; scans of print: `page`
    384x191, `text` 448x172.
    """
    [path] = DATA.glob(f"{name}.*")
    with Image.open(path) as image:
        pixels: NDArray[np.uint8] = np.array(image.convert("RGB"))
    pixels.setflags(write=False)
    return pixels


def crop(name: str, width: int, height: int) -> NDArray[np.uint8]:
    """The middle of a photograph."""
    pixels = photo(name)
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


@cache
def mosaic(width: int, height: int) -> NDArray[np.uint8]:
    """A large real picture: squares of MOSAIC's photographs at their own resolution, side by side."""
    squares = []
    for name in MOSAIC:
        pixels = photo(name)
        squares.append(
            [
                pixels[top : top + MOSAIC_PX, left : left + MOSAIC_PX]
                for top in range(0, pixels.shape[0] - MOSAIC_PX + 1, MOSAIC_PX)
                for left in range(0, pixels.shape[1] - MOSAIC_PX + 1, MOSAIC_PX)
            ]
        )
    rows = []
    number = 0
    for _ in range(-(-height // MOSAIC_PX)):
        row = []
        for _ in range(-(-width // MOSAIC_PX)):
            turn, which = divmod(number, len(squares))
            row.append(squares[which][turn % len(squares[which])])
            number += 1
        rows.append(np.concatenate(row, axis=1))
    whole = np.ascontiguousarray(np.concatenate(rows)[:height, :width])
    whole.setflags(write=False)
    return whole


def scaled(name: str, width: int, height: int) -> NDArray[np.uint8]:
    """A photograph at another size."""
    return np.asarray(Image.fromarray(photo(name)).resize((width, height), Image.Resampling.BICUBIC))


def encoded(pixels: NDArray[np.uint8], format: str = "PNG", **options: object) -> bytes:
    """A file with these pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


@cache
def large_profile(space: str = "sRGB") -> bytes:
    """A real colour profile of more than 100 kB: sRGB with a long private tag behind it.

    An ICC file's first four bytes are its length; readers pass over what no tag points to.
    """
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]
    noise = np.random.default_rng(0).integers(0, 256, 120_000, np.uint8).tobytes()
    return (len(profile) + len(noise)).to_bytes(4) + profile[4:] + noise


@cache
def grey_profile() -> bytes:
    """A profile for grey pictures: the sRGB one, made over into one with a grey curve alone."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0233) + bytes(2)
    white = b"XYZ " + bytes(4) + struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78)
    tags = [(b"desc", text), (b"wtpt", white), (b"kTRC", curve)]
    offset = 128 + 4 + 12 * len(tags)
    table = struct.pack(">I", len(tags))
    body = b""
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", offset + len(body), len(data))
        body += data
    head = bytearray(128)
    head[8:12] = bytes([2, 16, 0, 0])
    head[12:16], head[16:20], head[20:24], head[36:40] = b"mntr", b"GRAY", b"XYZ ", b"acsp"
    head[68:80] = struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)
    profile = bytes(head) + table + body
    return len(profile).to_bytes(4) + profile[4:]


def flat(samples: Raster | None) -> NDArray[Any]:
    """All samples of a raster; without a third axis if it has one channel."""
    assert samples is not None
    array = samples.array()
    return array[..., 0] if array.shape[2] == 1 else array


def psnr(left: NDArray[np.generic], right: NDArray[np.generic], peak: float = 255.0) -> float:
    """Peak signal-to-noise ratio in dB; infinite for equal pictures."""
    error = np.mean((left.astype(np.float64) - right.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))
