"""Pictures that nobody photographed, drawn here: a sprite, a line drawing, a screenshot, a ramp, and what
is hardest for networks: text and lines of full contrast, chequers, dithers."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
PALETTE = {
    ".": (0, 0, 0, 0),
    "#": (24, 20, 37, 255),
    "r": (228, 59, 68, 255),
    "o": (247, 118, 34, 255),
    "y": (254, 231, 97, 255),
    "w": (255, 255, 255, 255),
    "s": (234, 212, 170, 255),
    "b": (18, 78, 137, 255),
}
SPRITE = """
......####......
....##rrrr##....
...#rrwwrrrr#...
..#rrwwwwrrrr#..
.#rrrrwwrrrrrr#.
.#rrrrrrrrwwrr#.
#rwwrrrrrwwwwrr#
#wwwwrrrrrwwrrr#
#rwwrrrrrrrrrrr#
#rrrr######rrrr#
.####ssssss####.
..#ssbssssbss#..
..#ssbssssbss#..
..#ssssooosss#..
...#ssssssss#...
....########....
"""


@cache
def sprite(cell_px: int = 1, tiles: int = 4) -> Pixels:
    """RGBA, hard-edged, 16 * tiles * cell_px pixels a side: a toadstool, again and again."""
    rows = SPRITE.split()
    one = np.array([[PALETTE[letter] for letter in row] for row in rows], np.uint8)
    whole: Pixels = np.tile(one, (tiles, tiles, 1)).repeat(cell_px, axis=0).repeat(cell_px, axis=1)
    whole.setflags(write=False)
    return whole


@cache
def drawing(width: int = 256, height: int = 256) -> Pixels:
    """RGB, inked outlines around flat colours, antialiased as a drawing program does."""
    factor = 4
    image = Image.new("RGB", (width * factor, height * factor), (252, 246, 228))
    draw = ImageDraw.Draw(image)
    unit = min(width, height) * factor // 64

    def at(*units: float) -> list[float]:
        return [unit * value for value in units]

    ink = (20, 18, 24)
    draw.ellipse(at(8, 10, 44, 46), fill=(250, 205, 170), outline=ink, width=unit)
    draw.ellipse(at(17, 22, 22, 29), fill=ink)
    draw.ellipse(at(30, 22, 35, 29), fill=ink)
    draw.arc(at(18, 26, 34, 40), 20, 160, fill=(170, 40, 50), width=unit)
    draw.polygon(at(8, 24, 4, 6, 20, 12), fill=(90, 60, 40), outline=ink, width=unit // 2)
    draw.polygon(at(44, 24, 48, 6, 32, 12), fill=(90, 60, 40), outline=ink, width=unit // 2)
    draw.rectangle(at(46, 40, 62, 60), fill=(70, 130, 180), outline=ink, width=unit // 2)
    for line in range(8):
        draw.line(at(2, 48 + 2 * line, 44, 50 + 1.6 * line), fill=ink, width=max(1, unit // (line + 2)))
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BOX))
    pixels.setflags(write=False)
    return pixels


@cache
def screenshot(width: int = 320, height: int = 200) -> Pixels:
    """RGB, a window of a program with small text, icons and one-pixel lines."""
    image = Image.new("RGB", (width, height), (245, 245, 247))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 22), fill=(52, 58, 70))
    draw.text((8, 5), "Document - Editor", fill=(255, 255, 255), font=ImageFont.load_default(12))
    words = "The quick brown fox jumps over the lazy dog. 0123456789 (a+b)=c; "
    for line, top in enumerate(range(30, height - 14, 13)):
        draw.text(
            (60, top), (words * 2)[line : line + 44], fill=(30, 30, 36), font=ImageFont.load_default(10)
        )
        draw.rectangle((8, top, 18, top + 9), outline=(60, 120, 216), fill=(200, 220, 250))
        draw.text((24, top), f"{line:03d}", fill=(150, 150, 158), font=ImageFont.load_default(10))
    draw.line((52, 23, 52, height), fill=(200, 200, 205))
    pixels = np.asarray(image)
    pixels.setflags(write=False)
    return pixels


@cache
def ramp(width: int = 512, height: int = 48) -> NDArray[np.uint16]:
    """RGB of 16 bits: a slope across through a twentieth of the range, ten levels of 8 bits."""
    levels = np.linspace(30_000, 33_277, width)
    pixels = np.rint(np.broadcast_to(levels[np.newaxis, :, np.newaxis], (height, width, 3)))
    return pixels.astype(np.uint16)


@cache
def text_on_white(size_px: int, width: int = 256, height: int = 160) -> Pixels:
    """RGB, black text on white as a program renders it at `size_px`."""
    image = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    words = "The quick brown fox, (a+b)=c; jumps over 0123456789 lazy dogs! " * 2
    for line, top in enumerate(range(4, height - size_px, size_px + 4)):
        draw.text(
            (4, top), words[3 * line : 3 * line + 60], fill=(0, 0, 0), font=ImageFont.load_default(size_px)
        )
    pixels = np.asarray(image)
    pixels.setflags(write=False)
    return pixels


@cache
def hard_lines(width: int = 256, height: int = 160) -> Pixels:
    """RGB, black lines and shapes on white without antialiasing, of one to four pixels."""
    image = Image.new("RGB", (width, height), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    for line in range(12):
        start = 10 + 12 * line
        draw.line((10, start, width - 16, start + 1.5 * line), fill=(0, 0, 0), width=1 + line % 4)
    draw.ellipse((120, 40, 220, 140), outline=(0, 0, 0), width=3)
    draw.rectangle((20, 60, 100, 140), outline=(0, 0, 0), width=2)
    draw.polygon((150, 20, 200, 5, 240, 60), fill=(0, 0, 0))
    pixels = np.asarray(image)
    pixels.setflags(write=False)
    return pixels


@cache
def chequers(cell_px: int, side: int = 96) -> Pixels:
    """RGB, black and white squares of `cell_px`."""
    rows, columns = np.indices((side, side)) // cell_px
    return _bits((rows + columns) % 2 == 1)


@cache
def dithered_ramp(side: int = 96) -> Pixels:
    """RGB, a slope from black to white in black and white pixels alone, by Bayer's matrix of 4x4."""
    matrix = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16 + 1 / 32
    rows, columns = np.indices((side, side))
    return _bits(columns / (side - 1) > matrix[rows % 4, columns % 4])


@cache
def one_bit_noise(side: int = 96) -> Pixels:
    """RGB, every pixel black or white by the throw of a coin."""
    return _bits(np.random.default_rng(1).random((side, side)) < 0.5)


def _bits(is_white: NDArray[np.bool_]) -> Pixels:
    pixels = np.repeat(np.where(is_white, 255, 0).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    pixels.setflags(write=False)
    return pixels
