"""The Python library: pictures in, pictures out, no server."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from enlarger.engine.engine import Engine, networks_for
from enlarger.engine.plan import Plan
from enlarger.engine.receipt import Receipt
from enlarger.engine.rendering import Rendering
from enlarger.engine.runtimes import Precision
from enlarger.engine.runtimes.openvino import OpenVinoRuntime
from enlarger.errors import BadParameter
from enlarger.files import creating, replacing
from enlarger.imaging import Picture, encode, frames
from enlarger.intake import as_image, as_picture
from enlarger.models import ModelStore, known_assets
from enlarger.models.pull import OnBytes, pull
from enlarger.moving import animate, check_moving
from enlarger.output import Form, write
from enlarger.parameters import (
    format_for,
    parse_choice,
    parse_dpi,
    parse_format,
    parse_metadata,
    parse_mode,
    parse_quality,
)
from enlarger.progress import OnTile, ignore_progress
from enlarger.recipe import Recipe
from enlarger.request import MAX_OUTPUT_PIXELS, Seamless, UpscaleRequest
from enlarger.settings import Settings
from enlarger.target import Size, Target

if TYPE_CHECKING:
    from enlarger.intake import ImageLike

Existing = Literal["replace", "keep"]
"""What becomes of a file that has a result's name when the result is whole."""
FINISHES = {"replace": replacing, "keep": creating}


@dataclass(frozen=True)
class Result:
    """An enlarged picture."""

    picture: Picture
    """The samples, with transparency, colour profile and metadata."""
    receipt: Receipt
    """How it was made, and how it compares with the input."""
    recipe: Recipe
    """Enough to make another like it."""
    scale: tuple[float, float] = (1.0, 1.0)
    """Its pixels per input pixel, across and down."""

    @property
    def image(self) -> Image.Image:
        """The result as a PIL image (L, LA, RGB or RGBA, 8 bits), its colour profile in `info`.

        A picture of 16 bits is rounded to 8, for PIL has no colours of 16; `save` keeps them.
        """
        return as_image(self.picture)

    def save(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        metadata: str = "keep",
        quality: int | None = None,
        dpi: str = "keep",
    ) -> None:
        """Write the result to `path`, which appears whole or not at all.

        format    `png`, `jpeg`, `webp`, `tiff` and the like; None takes it from the path's ending.
        metadata  `keep`, `private` (no place, no serial numbers, no names) or `strip`. The recipe
                  goes into the file unless it is `strip`.
        quality   1 to 100 of lossy formats; None is 95.
        dpi       of the pixels per inch that the input states: `keep` the number, `scale` it as the
                  picture grew, so that a print keeps its size, or a number of your own.

        Raises BadParameter for what is none of these.
        """
        target = Path(path)
        form = form_of(target, format=format, metadata=metadata, quality=quality, dpi=dpi)
        said = form.metadata(self.picture.metadata, self.recipe, scale=self.scale)
        with replacing(target) as file:
            encode(replace(self.picture, metadata=said), file, form.format, form.quality)


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
        scale: float | None = None,
        target: str | None = None,
        prompt: str = "",
        negative_prompt: str = "",
        creativity: float | None = None,
        seed: int = 0,
        model: str | None = None,
        styles: Sequence[ImageLike] = (),
        max_pixels: int | None = MAX_OUTPUT_PIXELS,
        tile_px: int | None = None,
        on_tile: OnTile = ignore_progress,
        **dials: Any,
    ) -> Result:
        """Enlarge one picture.

        mode             `fast`: one small network, nothing invented. `conservative`: fine texture as
                         far as `creativity` says, and scaled down the result is the input again.
                         `creative`: seeded texture that the input does not show, and a look.
        scale            1 to 64, output pixels per input pixel along one axis; 4 if neither this nor
                         `target` is given.
        target           the size in words: `3840w`, `24MP`, `A3@300dpi`; see `enlarger.target`.
        prompt           how the picture shall look, or what it shows, in English: in `creative` it
                         steers the look, in `conservative` it chooses the network for drawings.
        negative_prompt  how it shall not look.
        creativity       0 to 1; more makes more texture. None is the mode's own measure.
        seed             of what is random in `creative`; the others have nothing random.
        styles           pictures whose palette and tonality `creative` takes over.
        model            a network of the catalogue instead of `fast`'s own, such as `realesrgan-x4plus`.
        max_pixels       largest result, 268 million by default; None for no limit.
        tile_px          most input pixels in a tile; None is what the memory allows.
        on_tile          called with tiles done and tiles in all; may raise to stop.
        dials            any other field of `UpscaleRequest` by its name: style_preset, detail,
                         fractality, image_fidelity, prompt_fidelity, refinement, creativity_decay,
                         style_fidelity, tile_style, seamless, override_preset.

        Raises BadParameter, UnsupportedPicture, PictureTooLarge, ModelError, Collapsed,
        OutOfMemory, ReceiptFailed.
        """
        pictures = [as_picture(style) for style in styles]
        request = make_request(
            mode=mode,
            scale=scale,
            target=target,
            prompt=prompt,
            negative_prompt=negative_prompt,
            creativity=creativity,
            seed=seed,
            model=model,
            style_pictures=tuple(digest_of(picture) for picture in pictures),
            **dials,
        )
        rendering = self.render(
            image, request, styles=pictures, max_pixels=max_pixels, tile_px=tile_px, on_tile=on_tile
        )
        picture = rendering.collect()
        receipt = rendering.receipt()
        receipt.demand()
        return Result(picture, receipt, self.recipe(request), rendering.scale)

    def render(
        self,
        image: ImageLike,
        request: UpscaleRequest,
        *,
        styles: Sequence[Picture] = (),
        max_pixels: int | None = MAX_OUTPUT_PIXELS,
        tile_px: int | None = None,
        on_tile: OnTile = ignore_progress,
    ) -> Rendering:
        """The result of `request`, made as its rows are taken; for pictures larger than memory."""
        picture = as_picture(image)
        return self._ready(request).upscale(
            picture, request, styles=styles, max_pixels=max_pixels, tile_px=tile_px, on_tile=on_tile
        )

    def to_file(
        self,
        image: ImageLike,
        path: str | os.PathLike[str],
        request: UpscaleRequest,
        *,
        format: str | None = None,
        metadata: str = "keep",
        quality: int | None = None,
        dpi: str = "keep",
        source_digest: str | None = None,
        existing: Existing = "replace",
        **options: Any,
    ) -> tuple[Size, Receipt]:
        """Enlarge straight into a file, which appears whole or not at all; its size and receipt.

        The memory that it takes does not grow with the picture. `source_digest` is the SHA-256 of the
        input's file, in hex, kept beside the recipe. With `existing="keep"` a file that has the name in
        the end stays, and FileExistsError is raised. `options` are those of `render`; the rest is as for
        `Result.save`.
        """
        place = Path(path)
        form = form_of(place, format=format, metadata=metadata, quality=quality, dpi=dpi)
        rendering = self.render(image, request, **options)
        with FINISHES[existing](place) as file:
            written = write(
                rendering,
                file,
                form.format,
                recipe=self.recipe(request),
                policy=form.policy,
                quality=form.quality,
                dpi=form.dpi,
                source_digest=source_digest,
            )
        return rendering.size, written.receipt

    def animate(
        self,
        source: str | os.PathLike[str] | bytes,
        path: str | os.PathLike[str],
        request: UpscaleRequest,
        *,
        format: str | None = None,
        metadata: str = "keep",
        quality: int | None = None,
        dpi: str = "keep",
        source_digest: str | None = None,
        existing: Existing = "replace",
        on_tile: OnTile = ignore_progress,
        **options: Any,
    ) -> tuple[Size, Receipt]:
        """Enlarge an animated GIF, WebP or PNG into a file; its size and the receipt of its worst picture.

        Durations, loops and transparency are kept; one picture at a time is in memory. The file appears
        whole or not at all. The arguments are those of `to_file`; of metadata, GIF and WebP hold XMP, and
        with it the recipe.

        Raises BadParameter for a format that does not move, and what `__call__` raises.
        """
        place = Path(path)
        form = form_of(place, format=format, metadata=metadata, quality=quality, dpi=dpi)
        check_moving(form.format)
        size = Size(0, 0)

        def render(picture: Picture, on_tile: OnTile) -> Rendering:
            nonlocal size
            rendering = self.render(picture, request, on_tile=on_tile, **options)
            size = rendering.size
            return rendering

        with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as opened:
            animation = frames(opened)
            scaled = request.target.canvas(Size(animation.width, animation.height)).scaled
            scale = scaled.width / animation.width, scaled.height / animation.height
            said = form.metadata(
                animation.metadata, self.recipe(request), scale=scale, source_digest=source_digest
            )
            with FINISHES[existing](place) as file:
                receipt = animate(
                    animation,
                    file,
                    form.format,
                    render,
                    quality=form.quality,
                    metadata=said,
                    on_tile=on_tile,
                )
        return size, receipt

    def plan(
        self,
        size: Size,
        request: UpscaleRequest,
        *,
        has_alpha: bool = False,
        bits: int = 8,
        tile_px: int | None = None,
    ) -> Plan:
        """What `request` would do for a picture of `size`; nothing is run."""
        return self._ready(request).plan(size, request, has_alpha=has_alpha, bits=bits, tile_px=tile_px)

    def speed(self) -> float:
        """Operations a second that this machine reaches in a network, measured now."""
        return self._ready(UpscaleRequest()).speed()

    def recipe(self, request: UpscaleRequest) -> Recipe:
        """What a result of `request` says of itself."""
        return self._made().recipe(request)

    def __enter__(self) -> Upscaler:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engine = None

    def _made(self) -> Engine:
        if self._engine is None:
            self._engine = make_engine(self._settings)
        return self._engine

    def _ready(self, request: UpscaleRequest) -> Engine:
        store = ModelStore(self._settings.models_path)
        missing = [entry for entry in networks_for(request, known_assets()) if not store.has(entry)]
        pull(store, missing, on_bytes=self._on_bytes, offline=self._settings.offline)
        return self._made()


def upscale(image: ImageLike, **options: Any) -> Result:
    """Enlarge one picture; for several, an `Upscaler` keeps the networks loaded between them.

        from enlarger import upscale
        upscale("in.jpg").save("out.png")

    The arguments and what is raised are those of `Upscaler.__call__`. Weights that are missing are
    fetched first, once.
    """
    with Upscaler() as enlarge:
        return enlarge(image, **options)


def form_of(path: Path, *, format: str | None, metadata: str, quality: int | None, dpi: str) -> Form:
    """What a file is to be, from plain values; those of `Result.save`, which say what is raised."""
    return Form(
        format=format_for(path) if format is None else parse_format(format),
        policy=parse_metadata(metadata),
        quality=parse_quality(quality),
        dpi=parse_dpi(dpi),
    )


def digest_of(picture: Picture) -> str:
    """SHA-256 of a picture's colours, in hex: the name of a style picture in a request."""
    return hashlib.sha256(picture.colour.array().tobytes()).hexdigest()


def make_request(
    *,
    mode: str = "fast",
    scale: float | None = None,
    target: str | None = None,
    seamless: str = "none",
    **fields: Any,
) -> UpscaleRequest:
    """A request from plain values.

    Raises BadParameter, also for a field that there is not, and if both `scale` and `target` are given.
    """
    if scale is not None and target is not None:
        raise BadParameter("give scale or target, not both", param="target")
    known = {one.name for one in dataclass_fields(UpscaleRequest)}
    for name in fields.keys() - known:
        raise BadParameter(f"{name} is not one of: {', '.join(sorted(known))}", param=name)
    size = Target.parse(target) if target is not None else Target.factor(4 if scale is None else scale)
    return UpscaleRequest(
        mode=parse_mode(mode), target=size, seamless=parse_choice(Seamless, "seamless", seamless), **fields
    )


def make_engine(settings: Settings) -> Engine:
    """The engine that `settings` describe; nothing is loaded yet."""
    runtime = OpenVinoRuntime(threads=settings.threads or None, cache_dir=settings.cache_path)
    store = ModelStore(settings.models_path)
    return Engine(runtime, store, known_assets(), Precision(settings.precision))
