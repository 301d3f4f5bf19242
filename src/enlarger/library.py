"""The Python library: pictures in, pictures out, no server."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from enlarger.engine.engine import Engine, networks_of
from enlarger.engine.runtimes import Precision
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.errors import BadParameter
from enlarger.files import replacing
from enlarger.imaging import SUFFIXES, Format, Picture, decode, encode
from enlarger.models import ModelStore, known_networks
from enlarger.models.pull import OnBytes, pull
from enlarger.progress import OnTile, ignore_progress
from enlarger.request import MAX_OUTPUT_PIXELS, Mode, UpscaleRequest
from enlarger.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ImageLike = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
    """A path, an encoded file's bytes, a PIL image, or RGB(A) or grey uint8 (height, width[, c])."""


PNG_MODES = ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA")
"""Pillow's modes that a PNG holds as they are."""


@dataclass(frozen=True)
class Result:
    """An enlarged picture."""

    picture: Picture
    """The pixels, with transparency and colour profile."""

    @property
    def image(self) -> Image.Image:
        """The result as a PIL image, RGB or RGBA, with its colour profile in `info`."""
        picture = self.picture
        pixels = picture.pixels
        if picture.alpha is not None:
            pixels = np.dstack((pixels, picture.alpha))
        image = Image.fromarray(pixels)
        if picture.icc_profile is not None:
            image.info["icc_profile"] = picture.icc_profile
        return image

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the result to `path`, which appears whole or not at all.

        format  `png`, `jpeg` or `webp`; None takes it from the path's ending.

        Raises BadParameter for an ending or a format that is not one of these.
        """
        target = Path(path)
        chosen = format_for(target) if format is None else parse_format(format)
        with replacing(target) as file:
            encode(self.picture, file, chosen)


class Upscaler:
    """Keeps networks warm between pictures. A context manager: leaving it frees them.

    with Upscaler() as enlarge:
        for path in paths:
            enlarge(path, scale=4).save(...)
    """

    def __init__(
        self,
        *,
        settings: Settings | None = None,
        on_bytes: OnBytes = lambda package, done, total: None,
    ) -> None:
        """
        settings  None reads them from the environment.
        on_bytes  told how the fetching of missing weights goes.

        Nothing is loaded or fetched before the first picture.
        """
        self._settings = settings or Settings()
        self._on_bytes = on_bytes
        self._engine: Engine | None = None

    def __call__(
        self,
        image: ImageLike,
        *,
        mode: str = "fast",
        scale: float = 4.0,
        seed: int = 0,
        max_pixels: int | None = MAX_OUTPUT_PIXELS,
        on_tile: OnTile = ignore_progress,
    ) -> Result:
        """Enlarge one picture.

        mode        `fast`: one small network, nothing invented.
        scale       1 to 64, output pixels per input pixel along one axis; needs not be whole.
        seed        kept with the result; in `fast` no pixel depends on it.
        max_pixels  largest result, 268 million by default; None for no limit but the machine's.
        on_tile     called with tiles done and tiles in all; may raise to stop.

        Raises BadParameter, UnsupportedPicture, PictureTooLarge, ModelError, Collapsed.
        """
        request = UpscaleRequest(mode=parse_mode(mode), scale=scale, seed=seed)
        picture = as_picture(image)
        engine = self._ready(request.mode)
        return Result(engine.upscale(picture, request, max_pixels=max_pixels, on_tile=on_tile))

    def __enter__(self) -> Upscaler:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engine = None

    def _ready(self, mode: Mode) -> Engine:
        if self._engine is None:
            self._engine = make_engine(self._settings)
        store = ModelStore(self._settings.models_path)
        missing = [entry for entry in networks_of(mode, known_networks()) if not store.has(entry)]
        pull(store, missing, on_bytes=self._on_bytes, offline=self._settings.offline)
        return self._engine


def upscale(
    image: ImageLike,
    *,
    mode: str = "fast",
    scale: float = 4.0,
    seed: int = 0,
    max_pixels: int | None = MAX_OUTPUT_PIXELS,
    on_tile: OnTile = ignore_progress,
) -> Result:
    """Enlarge one picture; for several, an `Upscaler` keeps the networks loaded between them.

        from enlarger import upscale
        upscale("in.jpg").save("out.png")

    The arguments and what is raised are those of `Upscaler.__call__`. Weights that are missing are
    fetched first, once.
    """
    with Upscaler() as enlarge:
        return enlarge(image, mode=mode, scale=scale, seed=seed, max_pixels=max_pixels, on_tile=on_tile)


def make_engine(settings: Settings) -> Engine:
    """The engine that `settings` describe; nothing is loaded yet."""
    runtime = OpenVinoRuntime(threads=settings.threads or None, cache_dir=settings.cache_path)
    store = ModelStore(settings.models_path)
    return Engine(runtime, store, known_networks(), Precision(settings.precision))


def parse_mode(text: str) -> Mode:
    """Raises BadParameter, listing the modes, for anything else."""
    try:
        return Mode(text)
    except ValueError:
        known = ", ".join(Mode)
        raise BadParameter(f"mode is {text!r}; it must be one of: {known}", param="mode") from None


def parse_format(text: str) -> Format:
    """Raises BadParameter, listing the formats, for anything else. `jpg` is `jpeg`."""
    wanted = SUFFIXES.get(f".{text.lower()}")
    if wanted is None:
        known = ", ".join(Format)
        raise BadParameter(f"format is {text!r}; it must be one of: {known}", param="format")
    return wanted


def format_for(path: Path) -> Format:
    """The format that a file name's ending asks for; BadParameter if it asks for none we write."""
    if path.suffix.lower() not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise BadParameter(f"{path.name} must end in one of: {known}", param="output")
    return SUFFIXES[path.suffix.lower()]


def as_picture(image: ImageLike) -> Picture:
    """Any kind of picture that the library takes, decoded.

    Raises BadParameter for an array that is no picture, UnsupportedPicture for a file that is none.
    """
    if isinstance(image, bytes):
        return decode(image)
    if isinstance(image, str | os.PathLike):
        with Path(image).open("rb") as file:
            return decode(file)
    if not isinstance(image, Image.Image | np.ndarray):
        kind = type(image).__name__
        raise BadParameter(
            f"a {kind} is no image; give a path, bytes, a PIL image or an array", param="image"
        )
    pil = image if isinstance(image, Image.Image) else _from_array(image)
    if 0 in pil.size:
        raise BadParameter(f"the image has no pixels: {pil.width}x{pil.height}", param="image")
    upright = ImageOps.exif_transpose(pil.convert("LA") if pil.mode == "La" else pil)
    if upright.mode not in PNG_MODES:
        upright = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    # The one decoder knows palettes, depths and profiles; a detour of milliseconds keeps it the one.
    buffer = io.BytesIO()
    upright.save(buffer, "PNG", compress_level=0, icc_profile=pil.info.get("icc_profile"))
    return decode(buffer.getvalue())


def _from_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_picture = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if array.dtype != np.uint8 or not is_picture or 0 in array.shape:
        raise BadParameter(
            f"an array of {array.dtype} {array.shape} is no picture; it must be uint8, (height, width),"
            " (height, width, 1), (height, width, 3) or (height, width, 4)",
            param="image",
        )
    return Image.fromarray(array)
