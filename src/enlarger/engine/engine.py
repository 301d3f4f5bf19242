"""The engine: a request and a picture in, rows of the result out, networks kept warm in between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from enlarger import __version__
from enlarger.engine.bands import BYTE, Bands, like, read_all
from enlarger.engine.conservative import CREATIVITY, conserve
from enlarger.engine.creative.compose import Cast, create
from enlarger.engine.creative.studio import ASSETS, Studio
from enlarger.engine.damage import compression_of, without_blocks
from enlarger.engine.geometry import check_output
from enlarger.engine.inspection import Inspection, OpacityInspection
from enlarger.engine.look.axes import Subject
from enlarger.engine.look.prompt import DRAWING_NETWORK, GRAIN_NETWORK, PHOTO_NETWORK, Resolved
from enlarger.engine.look.small import fit_within
from enlarger.engine.networks import NOISY, Networks
from enlarger.engine.plan import Method, Plan, make_plan
from enlarger.engine.receipt import (
    CREATIVE_LIMITS,
    FAITHFUL_LIMITS,
    NAMED_LIMITS,
    REPAIRED_LIMITS,
    Receipt,
    judge,
)
from enlarger.engine.rendering import (
    Colours,
    Opacity,
    Rendering,
    memory_told,
    one_channel,
    rows_of,
    samples,
    working_type,
)
from enlarger.engine.resample import fitted, fitted_values
from enlarger.engine.runner import Runner
from enlarger.engine.runtimes import Precision, Runtime, SampleType
from enlarger.engine.seamless import margins, widened, widened_canvas
from enlarger.engine.steadying import told, way_out
from enlarger.engine.synthesis import enlarge, enlarge_opacity
from enlarger.errors import BadParameter
from enlarger.imaging.alpha import bleed
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter
from enlarger.models import Asset, AssetCatalogue, ModelStore
from enlarger.progress import OnTile, ignore_progress
from enlarger.recipe import Recipe
from enlarger.request import Mode, Seamless, UpscaleRequest
from enlarger.target import Size

FAITHFUL = "span-x4-ch48"
"""Enlarges in every mode."""
NETWORKS: dict[Mode, tuple[str, ...]] = {
    Mode.FAST: (FAITHFUL,),
    Mode.CONSERVATIVE: (FAITHFUL, GRAIN_NETWORK, PHOTO_NETWORK, DRAWING_NETWORK, *ASSETS),
    Mode.CREATIVE: (FAITHFUL, GRAIN_NETWORK, PHOTO_NETWORK, DRAWING_NETWORK, *ASSETS),
}
"""What each mode may run, by its name in the catalogue."""
WARM_SHAPE = (128, 128, 3)
"""Makes a process ready in a sixth of the time that 512x512 takes, which would spare the first request a
fifth of a second: most of what a first tile costs is its own memory."""
SPEED_SHAPE = (256, 256, 3)
SPEED_RUNS = 2
STYLE_PX = 512
"""Longest side of the copies of style pictures that are kept."""


def networks_of(mode: Mode, assets: AssetCatalogue) -> list[Asset]:
    """The catalogue's entries that `mode` may run."""
    return [assets[name] for name in NETWORKS[mode]]


def networks_for(request: UpscaleRequest, assets: AssetCatalogue) -> list[Asset]:
    """The catalogue's entries that `request` may run.

    Raises BadParameter, listing the networks, if it names one that is not in the catalogue.
    """
    return networks_of(request.mode, assets) if request.model is None else [assets[request.model]]


@dataclass(frozen=True)
class Preparation:
    """What the input and the words showed, and what follows from it."""

    picture: Picture
    """The input, repaired if it had to be."""
    network: str
    """Makes the texture."""
    weight: float = 1.0
    """Of the back-projection."""
    resolved: Resolved = field(default_factory=Resolved)
    notes: tuple[str, ...] = ()


class Engine:
    """Runs requests on one device, one at a time."""

    def __init__(
        self,
        runtime: Runtime,
        store: ModelStore,
        assets: AssetCatalogue,
        precision: Precision = Precision.AUTO,
    ) -> None:
        """
        assets  everything that may be needed: networks, and what helps them.
        """
        self._assets = assets
        self._precision = precision
        self._networks = Networks(runtime, store, assets, precision)
        self._studio = Studio(store, assets)

    def recipe(self, request: UpscaleRequest) -> Recipe:
        """How this engine would make the result of `request`, as the result itself is to say."""
        entries = networks_for(request, self._assets)
        return Recipe(request, {entry.name: entry.digest for entry in entries}, __version__)

    def speed(self) -> float:
        """Operations a second that the device reaches in a network, measured now, in about 0.2 s."""
        network = self._networks.compiled(FAITHFUL, self._precision, SampleType.BYTE)
        tile = np.zeros(SPEED_SHAPE, np.uint8)
        network.run(tile)
        started = time.perf_counter()
        for _ in range(SPEED_RUNS):
            network.run(tile)
        pixels = SPEED_SHAPE[0] * SPEED_SHAPE[1] * SPEED_RUNS
        return self._networks.graph(FAITHFUL).flops_per_px * pixels / (time.perf_counter() - started)

    def warm(self, mode: Mode) -> None:
        """Load, compile and run once what `mode` needs, so that the first request does not wait.

        Kernels are made by the first tile, whatever its size.
        """
        blank = Picture(Raster.of(np.zeros(WARM_SHAPE, np.uint8)))
        self.upscale(blank, UpscaleRequest(mode=mode)).collect()

    def plan(
        self,
        size: Size,
        request: UpscaleRequest,
        *,
        has_alpha: bool = False,
        bits: int = 8,
        max_pixels: int | None = None,
        tile_px: int | None = None,
    ) -> Plan:
        """What a request would do for a picture of `size`; nothing is run.

        has_alpha   whether the picture has transparency, which is enlarged too.
        bits        8 or 16, of its samples.
        max_pixels  largest result; None for no limit.
        tile_px     most input pixels in a tile; None is what the memory allows.

        Raises BadParameter and PictureTooLarge as `check_output` does.
        """
        canvas = check_output(size, request.target, max_pixels)
        margin = margins(size, canvas, request.seamless)
        runs = 1
        texture = None
        if request.mode is not Mode.FAST:
            texture = self._networks.facts(GRAIN_NETWORK, self._precision)
        if request.mode is Mode.CREATIVE:
            runs += request.refinement + (self._studio.resolve(request).grain_share > 0)
        return make_plan(
            Size(size.width + 2 * margin[0], size.height + 2 * margin[1]),
            widened_canvas(size, canvas, margin),
            request.mode,
            self._networks.facts(request.model or FAITHFUL, self._networks.precision_for(bits)),
            texture,
            has_alpha=has_alpha,
            bits=bits,
            runs=runs,
            tile_px=tile_px,
        )

    @memory_told()
    def upscale(
        self,
        picture: Picture,
        request: UpscaleRequest,
        *,
        styles: Sequence[Picture] = (),
        max_pixels: int | None = None,
        tile_px: int | None = None,
        on_tile: OnTile = ignore_progress,
    ) -> Rendering:
        """The enlarged picture, made as its rows are taken.

        Equal requests give equal pixels on one machine and version.

        styles   pictures whose palette and tonality `creative` takes over, as many as the request names.
        on_tile  told tiles done and tiles in all; may raise to stop.

        The rest is as for `plan`. Raises BadParameter, PictureTooLarge, ModelMissing and
        DigestMismatch before any work.
        """
        if len(styles) != len(request.style_pictures):
            raise BadParameter(
                f"style_pictures names {len(request.style_pictures)} pictures and {len(styles)} are here",
                param="style_pictures",
            )
        size = Size(picture.width, picture.height)
        plan = self.plan(
            size,
            request,
            has_alpha=picture.alpha is not None,
            bits=picture.bits,
            max_pixels=max_pixels,
            tile_px=tile_px,
        )
        tick = _counting(plan.tiles, on_tile)
        faithful = self._runner(request.model or FAITHFUL, picture)
        seen = bleed(picture)
        margin = (plan.source.width - size.width) // 2, (plan.source.height - size.height) // 2
        prepared = self._prepare(seen, request)
        wide = widened(seen, request.seamless, margin)
        source, kind = Colours(wide.colour), working_type(wide)
        inspection = Inspection(source, plan.canvas.scaled, plan.seams)
        runners = [faithful]
        if request.mode is Mode.CREATIVE:
            cast = self._cast(prepared.resolved, plan, picture.bits)
            runners += [cast.faithful, cast.noisy, *([] if cast.grainy is None else [cast.grainy])]
            self._networks.rest_others()
            for runner in runners:
                # They take turns, and an earlier request may have left a tile's memory with each.
                runner.release()
            colours = create(
                source,
                request,
                prepared.resolved,
                plan,
                cast,
                styles=[_style(style) for style in styles],
                period=None if request.seamless is Seamless.NONE else size,
                origin=(margin[1], margin[0]),
                watch=inspection.watch,
                on_tile=tick,
            )
            colours = (like(band, kind) for band in colours)
        else:
            colours, more = self._enlarged(wide, prepared, margin, request, plan, faithful, tick)
            runners += more
            self._networks.rest_others()
            colours = inspection.watch(like(band, kind) for band in colours)
        opacity, clearness = None, None
        if wide.alpha is not None:
            clearness = OpacityInspection(Opacity(wide.alpha), plan.canvas.scaled)
            opacity = clearness.watch(self._opacity(Opacity(wide.alpha), plan, faithful, tick))
        rows = samples(rows_of(colours, opacity, plan.canvas, picture), picture.bits)

        def close() -> Receipt:
            repairs: Counter[str] = Counter()
            for runner in runners:
                repairs.update(runner.repairs)
            limits = FAITHFUL_LIMITS if prepared.weight else REPAIRED_LIMITS
            if request.mode is Mode.CREATIVE:
                limits = CREATIVE_LIMITS
            if request.model is not None:
                limits = NAMED_LIMITS
            return judge(
                replace(
                    inspection.measures(),
                    opacity_db=None if clearness is None else clearness.consistency_db(),
                ),
                limits,
                plan=plan.method,
                repairs=repairs,
                look=prepared.resolved.axes.told(),
                notes=(*prepared.notes, *told(runners)),
                way_out=way_out(runners),
            )

        return Rendering(picture, plan, rows, close, lambda: sum(runner.run_s for runner in runners))

    def _prepare(self, picture: Picture, request: UpscaleRequest) -> Preparation:
        if request.mode is Mode.FAST:
            return Preparation(picture, FAITHFUL)
        resolved = self._studio.resolve(request)
        notes = (resolved.note,) if resolved.note != "nothing" else ()
        if request.mode is Mode.CREATIVE:
            return Preparation(picture, resolved.network, resolved=resolved, notes=notes)
        is_drawing = resolved.axes.subject is Subject.DRAWING
        source = Colours(picture.colour)
        compression = compression_of(source) if picture.bits == 8 else None
        if compression is None:
            network = DRAWING_NETWORK if is_drawing else GRAIN_NETWORK
            return Preparation(picture, network, notes=notes)
        writer = RasterWriter(picture.width, picture.height, 3, np.uint8)
        for band in without_blocks(source, compression):
            writer.write(band)
        note = f"the input shows JPEG of quality {compression.quality} or so; its blocks are taken out"
        network = DRAWING_NETWORK if is_drawing else PHOTO_NETWORK
        return Preparation(
            replace(picture, colour=writer.finish()), network, weight=0.0, notes=(*notes, note)
        )

    def _enlarged(
        self,
        wide: Picture,
        prepared: Preparation,
        margin: tuple[int, int],
        request: UpscaleRequest,
        plan: Plan,
        faithful: Runner,
        tick: Callable[[], None],
    ) -> tuple[Bands, list[Runner]]:
        """Fast or conservative: the bands, and the runners besides `faithful`."""
        scaled = plan.canvas.scaled
        if request.mode is Mode.FAST:
            reader = enlarge(Colours(wide.colour), plan.passes, faithful, on_tile=tick)
            return fitted(reader, scaled, working_type(wide)), []
        texture = None
        if plan.method is Method.TEXTURE:
            texture = self._runner(prepared.network, wide, self._precision)
        bands = conserve(
            Colours(widened(prepared.picture, request.seamless, margin).colour),
            scaled,
            plan.passes,
            faithful,
            texture,
            creativity=CREATIVITY if request.creativity is None else request.creativity,
            weight=prepared.weight,
            on_tile=tick,
        )
        return bands, [] if texture is None else [texture]

    def _opacity(self, source: Opacity, plan: Plan, faithful: Runner, tick: Callable[[], None]) -> Bands:
        if not plan.opacity_passes:
            return (band[..., :1] for band in read_all(source))
        reader = enlarge_opacity(source, plan.opacity_passes, faithful, tick)
        return one_channel(fitted_values(reader, plan.canvas.scaled, source.read(0, 1).dtype))

    def _cast(self, resolved: Resolved, plan: Plan, bits: int) -> Cast:
        noisy = resolved.network + NOISY
        floats = SampleType.FLOAT
        grainy = None
        if resolved.grain_share > 0:
            grainy = self._networks.runner(GRAIN_NETWORK, self._precision, floats)
        # What the texture network made of the picture itself goes on in floats.
        is_whole = plan.method is Method.CREATIVE
        kind = floats if is_whole or bits != 8 else SampleType.BYTE
        return Cast(
            faithful=self._networks.runner(FAITHFUL, self._networks.precision_for(bits), kind),
            noisy=self._networks.runner(noisy, self._precision, floats),
            noise_channels=self._networks.graph(noisy).extras[0].channels,
            grainy=grainy,
            style=self._studio.style,
            faces=self._studio.faces,
        )

    def _runner(self, name: str, picture: Picture, precision: Precision | None = None) -> Runner:
        kind = SampleType.BYTE if working_type(picture) == BYTE else SampleType.FLOAT
        return self._networks.runner(name, precision or self._networks.precision_for(picture.bits), kind)


def _style(picture: Picture) -> NDArray[np.float32]:
    colours = picture.colour.array() * np.float32(1 / picture.colour.peak)
    return fit_within(np.asarray(colours, np.float32), STYLE_PX)


def _counting(total: int, on_tile: OnTile) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        on_tile(done, total)

    return tick
