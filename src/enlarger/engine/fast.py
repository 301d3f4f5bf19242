"""The fast plan: one small network, as often as the factor needs, then one resample.

It invents nothing. With a network whose catalogue entry says `exact`, the result does not depend
on the tile size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from enlarger.engine.geometry import Size, check_output, pass_count
from enlarger.engine.resample import resample, resample_plane
from enlarger.engine.runtimes import CompiledNetwork
from enlarger.engine.tiling import cut, tile_count
from enlarger.imaging.picture import Picture, Pixels
from enlarger.progress import OnTile, ignore_progress

TILE_PX = 544
"""Longest side of a tile. SPAN takes about 0.5 GiB for it; a 512x512 picture is one tile."""


def upscale_fast(
    picture: Picture,
    network: CompiledNetwork,
    *,
    halo_px: int,
    factor: float,
    max_pixels: int | None = None,
    tile_px: int = TILE_PX,
    on_tile: OnTile = ignore_progress,
) -> Picture:
    """Enlarge `picture` by `factor`, 1 to 64.

    halo_px     the network's, from the catalogue.
    max_pixels  largest result; None for no limit.
    tile_px     longest side of a tile; larger is faster and takes memory with its square.

    Raises PictureTooLarge before any work, Collapsed if the network's values are no picture, and
    whatever `on_tile` raises.
    """
    source = Size(picture.width, picture.height)
    target = check_output(source, factor, max_pixels)
    passes = pass_count(factor, network.scale)
    sizes = [source.times(network.scale**index) for index in range(passes)]
    total = sum(tile_count(size, tile_px, halo_px) for size in sizes)
    done = 0

    def count_tile() -> None:
        nonlocal done
        done += 1
        on_tile(done, total)

    pixels = picture.pixels
    for _ in range(passes):
        pixels = _run_tiles(pixels, network, tile_px, halo_px, count_tile)
    if pixels.shape[:2] != (target.height, target.width):
        pixels = resample(pixels, target)
    alpha = None if picture.alpha is None else resample_plane(picture.alpha, target)
    return Picture(pixels, alpha, picture.icc_profile)


def _run_tiles(
    pixels: Pixels,
    network: CompiledNetwork,
    tile_px: int,
    halo_px: int,
    on_tile: Callable[[], None],
) -> Pixels:
    height, width = pixels.shape[:2]
    scale = network.scale
    enlarged = np.empty((height * scale, width * scale, 3), np.uint8)
    for tile in cut(Size(width, height), tile_px, halo_px):
        down, across = tile.rows, tile.columns
        answer = network.run(pixels[down.start : down.stop, across.start : across.stop])
        enlarged[
            down.keep_start * scale : down.keep_stop * scale,
            across.keep_start * scale : across.keep_stop * scale,
        ] = answer[
            (down.keep_start - down.start) * scale : (down.keep_stop - down.start) * scale,
            (across.keep_start - across.start) * scale : (across.keep_stop - across.start) * scale,
        ]
        on_tile()
    return enlarged
