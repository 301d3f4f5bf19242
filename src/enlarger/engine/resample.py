"""Classical resampling of bands: antialiased, to any size, a strip at a time.

Averaging the stored (gamma-encoded) values darkens fine bright detail; averaging light does not.
So what a viewer sees is resampled in light; what is compared with the input is not, because
networks and their benchmarks scale encoded values.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from enlarger.engine.bands import FLOAT, Band, Bands, Reader, as_floats, like, read_all, strips
from enlarger.engine.light import from_light, to_light
from enlarger.target import Size

Floats = NDArray[np.float32]
SUPPORT = {Image.Resampling.LANCZOS: 3.0, Image.Resampling.BICUBIC: 2.0, Image.Resampling.BOX: 0.5}
"""Half width of each kernel in pixels of the smaller picture."""
LEAST_ROWS = 4
"""In a strip: fewer would read more rows for the kernel's margin than for themselves."""
_THREADS = ThreadPoolExecutor(max_workers=3, thread_name_prefix="resample")
"""One channel each: Pillow's filter lets go of the interpreter."""


def resample_light(source: Reader, size: Size, dtype: np.dtype) -> Bands:
    """The picture at `size`, Lanczos-3 in linear light, as `dtype`."""
    return _resample(
        source, size, Image.Resampling.LANCZOS, to_light, lambda light: from_light(light, dtype)
    )


def resample_values(source: Reader, size: Size, dtype: np.dtype = FLOAT) -> Bands:
    """The picture at `size`, bicubic (Keys, a = -0.5) on the values as they are.

    For opacity, which is linear already, and for comparing sizes: the kernel is the one that
    super-resolution networks are trained and measured with.
    """
    return _resample(source, size, Image.Resampling.BICUBIC, as_floats, lambda values: like(values, dtype))


def resample_areas(source: Reader, size: Size) -> Bands:
    """The picture at `size`, the mean of the values over the area of each pixel, as float32."""
    return _resample(source, size, Image.Resampling.BOX, as_floats, lambda values: values)


def _resample(
    source: Reader,
    size: Size,
    kernel: Image.Resampling,
    before: Callable[[Band], Floats],
    after: Callable[[Floats], Band],
) -> Bands:
    ratio = source.size.height / size.height
    margin = int(np.ceil(SUPPORT[kernel] * max(ratio, 1.0))) + 1
    # A row of a small result is many rows of its source: the larger of the two sides is bounded.
    widest = max(size.width, int(source.size.width * ratio))
    for top, bottom in strips(Size(widest, size.height), least=LEAST_ROWS):
        upper, lower = top * ratio, min(bottom * ratio, source.size.height)
        first = max(0, int(upper) - margin)
        last = min(source.size.height, int(np.ceil(lower)) + margin)
        values = before(source.read(first, last))
        box = (0.0, upper - first, float(source.size.width), lower - first)
        yield after(_scale(values, Size(size.width, bottom - top), kernel, box))


def _scale(
    values: Floats, size: Size, kernel: Image.Resampling, box: tuple[float, float, float, float]
) -> Floats:
    def channel(index: int) -> Floats:
        plane = Image.fromarray(np.ascontiguousarray(values[..., index]))
        return np.asarray(plane.resize((size.width, size.height), kernel, box=box))

    return np.stack(list(_THREADS.map(channel, range(values.shape[2]))), axis=-1)


def fitted(source: Reader, size: Size, dtype: np.dtype) -> Bands:
    """The picture at `size` in linear light, or as it is if it has that size."""
    if source.size == size:
        return read_all(source)
    return resample_light(source, size, dtype)


def fitted_values(source: Reader, size: Size, dtype: np.dtype) -> Bands:
    """The picture at `size` by its values, or as it is if it has that size."""
    if source.size == size:
        return read_all(source)
    return resample_values(source, size, dtype)
