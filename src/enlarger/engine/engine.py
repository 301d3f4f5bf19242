"""The engine: a request and a picture in, rows of the result out, networks kept warm in between."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from enlarger import __version__
from enlarger.engine.bands import BYTE, Bands, Reader, like
from enlarger.engine.conservative import CREATIVITY, conserve
from enlarger.engine.damage import compression_of, without_blocks
from enlarger.engine.inspection import Inspection
from enlarger.engine.plan import Facts, Method, Plan, make_plan
from enlarger.engine.receipt import FAITHFUL_LIMITS, NAMED_LIMITS, REPAIRED_LIMITS, Receipt, judge
from enlarger.engine.rendering import Colours, Opacity, one_channel, rows_of, samples, working_type
from enlarger.engine.resample import fitted, fitted_values
from enlarger.engine.runner import Runner
from enlarger.engine.runtimes import CompiledNetwork, Precision, Runtime, SampleType
from enlarger.engine.synthesis import enlarge, enlarge_opacity
from enlarger.imaging.picture import Picture
from enlarger.imaging.raster import Raster, RasterWriter, Samples
from enlarger.models import Catalogue, Entry, ModelStore
from enlarger.models.network import Network
from enlarger.progress import OnTile, ignore_progress
from enlarger.recipe import Recipe
from enlarger.request import Mode, UpscaleRequest
from enlarger.target import Size

FAITHFUL = "span-x4-ch48"
"""Enlarges in every mode."""
TEXTURE = "realsr-df2k-x4"
"""Adds texture to clean photographs."""
REPAIR = "realesrgan-x4plus"
"""Adds texture to damaged ones: it was trained to clean."""
NETWORKS: dict[Mode, tuple[str, ...]] = {
    Mode.FAST: (FAITHFUL,),
    Mode.CONSERVATIVE: (FAITHFUL, TEXTURE, REPAIR),
}
"""The networks that each mode may run, by their names in the catalogue."""
WARM_SHAPE = (512, 512, 3)
SPEED_SHAPE = (256, 256, 3)
SPEED_RUNS = 2


def networks_of(mode: Mode, catalogue: Catalogue) -> list[Entry]:
    """The catalogue's entries that `mode` may run."""
    return [catalogue[name] for name in NETWORKS[mode]]


def networks_for(request: UpscaleRequest, catalogue: Catalogue) -> list[Entry]:
    """The catalogue's entries that `request` may run.

    Raises BadParameter, listing the networks, if it names one that is not in the catalogue.
    """
    return networks_of(request.mode, catalogue) if request.model is None else [catalogue[request.model]]


@dataclass(frozen=True)
class Preparation:
    """What the input showed, and what follows from it."""

    picture: Picture
    """The input, repaired if it had to be."""
    texture: str
    """The texture network."""
    weight: float
    """Of the back-projection."""
    notes: tuple[str, ...] = ()


class Rendering:
    """A result that is made while its rows are taken. They can be taken once."""

    def __init__(
        self, picture: Picture, plan: Plan, rows: Iterator[Samples], close: Callable[[], Receipt]
    ) -> None:
        self.plan = plan
        """What is being done."""
        self.size = plan.canvas.result
        """Of the result."""
        self.source = picture
        """The input, for its colour profile and metadata; channels and bits are the result's too."""
        self._rows = rows
        self._close = close

    def rows(self) -> Iterator[Samples]:
        """Bands of rows, (n, width, channels), uint8 or uint16, top to bottom.

        Raises Collapsed, OutOfMemory, and whatever `on_tile` raises.
        """
        return self._rows

    def receipt(self) -> Receipt:
        """Of all rows; call it after the last."""
        return self._close()

    def collect(self) -> Picture:
        """All rows as a picture."""
        picture = self.source
        colours = RasterWriter(self.size.width, self.size.height, 3, picture.colour.dtype)
        opacity = None
        if picture.alpha is not None:
            opacity = RasterWriter(self.size.width, self.size.height, 1, picture.colour.dtype)
        for band in self._rows:
            own = band[..., :-1] if opacity is not None else band
            colours.write(np.repeat(own, 3, axis=2) if picture.is_grey else own)
            if opacity is not None:
                opacity.write(band[..., -1:])
        return Picture(
            colours.finish(),
            None if opacity is None else opacity.finish(),
            picture.icc_profile,
            picture.metadata,
            picture.is_grey,
        )


class Engine:
    """Runs requests on one device, one at a time."""

    def __init__(
        self,
        runtime: Runtime,
        store: ModelStore,
        catalogue: Catalogue,
        precision: Precision = Precision.AUTO,
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._catalogue = catalogue
        self._precision = precision
        self._graphs: dict[str, Network] = {}
        self._compiled: dict[tuple[str, Precision, SampleType], CompiledNetwork] = {}

    def recipe(self, request: UpscaleRequest) -> Recipe:
        """How this engine would make the result of `request`, as the result itself is to say."""
        entries = networks_for(request, self._catalogue)
        return Recipe(request, {entry.name: entry.digest for entry in entries}, __version__)

    def speed(self) -> float:
        """Operations a second that the device reaches in a network, measured now, in about 0.2 s."""
        network = self._network(FAITHFUL, self._precision, SampleType.BYTE)
        tile = np.zeros(SPEED_SHAPE, np.uint8)
        network.run(tile)
        started = time.perf_counter()
        for _ in range(SPEED_RUNS):
            network.run(tile)
        flops = self._graph(FAITHFUL).flops_per_px * SPEED_SHAPE[0] * SPEED_SHAPE[1] * SPEED_RUNS
        return flops / (time.perf_counter() - started)

    def warm(self, mode: Mode) -> None:
        """Load, compile and run once what `mode` needs, so that the first request does not wait.

        The first tile takes about twice the time of the next: memory is touched, kernels are made.
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
        """What a request would do for a picture of `size`; nothing is run. See `make_plan`."""
        has_texture = request.mode is Mode.CONSERVATIVE
        return make_plan(
            size,
            request,
            self._facts(request.model or FAITHFUL, self._wanted(bits)),
            self._facts(TEXTURE, self._precision) if has_texture else None,
            has_alpha=has_alpha,
            bits=bits,
            max_pixels=max_pixels,
            tile_px=tile_px,
        )

    def upscale(
        self,
        picture: Picture,
        request: UpscaleRequest,
        *,
        max_pixels: int | None = None,
        tile_px: int | None = None,
        on_tile: OnTile = ignore_progress,
    ) -> Rendering:
        """The enlarged picture, made as its rows are taken.

        Equal requests give equal pixels on one machine and version.

        max_pixels  largest result; None for no limit.
        tile_px     most input pixels in a tile; None is what the memory allows. Larger is faster.
        on_tile     told tiles done and tiles in all; may raise to stop.

        Raises BadParameter, PictureTooLarge, ModelMissing, DigestMismatch before any work.
        """
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
        faithful = self._runner(request.model or FAITHFUL, picture, self._wanted(picture.bits))
        prepared = self._prepare(picture, request)
        texture = None
        if plan.method is Method.TEXTURE:
            texture = self._runner(prepared.texture, picture, self._precision)
        source = Colours(prepared.picture.colour)
        colours = self._colours(source, request, plan, prepared, faithful, texture, tick)
        if picture.bits == 8:
            colours = (like(band, BYTE) for band in colours)
        inspection = Inspection(Colours(picture.colour), plan.canvas.scaled, plan.seams)
        opacity = None
        if picture.alpha is not None:
            opacity = self._opacity(Opacity(picture.alpha), plan, faithful, tick)
        rows = samples(rows_of(inspection.watch(colours), opacity, plan.canvas, picture), picture.bits)

        def close() -> Receipt:
            runners = [runner for runner in (faithful, texture) if runner is not None]
            repairs: Counter[str] = Counter()
            for runner in runners:
                repairs.update(runner.repairs)
            limits = FAITHFUL_LIMITS if prepared.weight else REPAIRED_LIMITS
            if request.model is not None:
                limits = NAMED_LIMITS
            return judge(
                inspection.measures(), limits, plan=plan.method, repairs=repairs, notes=prepared.notes
            )

        return Rendering(picture, plan, rows, close)

    def _prepare(self, picture: Picture, request: UpscaleRequest) -> Preparation:
        if request.mode is Mode.FAST:
            return Preparation(picture, TEXTURE, 1.0)
        source = Colours(picture.colour)
        compression = compression_of(source) if picture.bits == 8 else None
        if compression is None:
            return Preparation(picture, TEXTURE, 1.0)
        writer = RasterWriter(picture.width, picture.height, 3, np.uint8)
        for band in without_blocks(source, compression):
            writer.write(band)
        repaired = Picture(
            writer.finish(), picture.alpha, picture.icc_profile, picture.metadata, picture.is_grey
        )
        note = f"the input shows JPEG of quality {compression.quality} or so; its blocks are taken out"
        return Preparation(repaired, REPAIR, 0.0, (note,))

    def _colours(
        self,
        source: Reader,
        request: UpscaleRequest,
        plan: Plan,
        prepared: Preparation,
        faithful: Runner,
        texture: Runner | None,
        tick: Callable[[], None],
    ) -> Bands:
        scaled = plan.canvas.scaled
        if request.mode is Mode.FAST:
            picture = enlarge(source, plan.passes, faithful, on_tile=tick)
            return fitted(picture, scaled, source.read(0, 1).dtype)
        creativity = CREATIVITY if request.creativity is None else request.creativity
        return conserve(
            source,
            scaled,
            plan.passes,
            faithful,
            texture,
            creativity=creativity,
            weight=prepared.weight,
            on_tile=tick,
        )

    def _opacity(self, source: Reader, plan: Plan, faithful: Runner, tick: Callable[[], None]) -> Bands:
        picture = enlarge_opacity(source, plan.passes, faithful, tick)
        return one_channel(fitted_values(picture, plan.canvas.scaled, source.read(0, 1).dtype))

    def _wanted(self, bits: int) -> Precision:
        """16 bits would drown in bf16's own steps: its 8 bits of mantissa are 1/256 near white."""
        return self._precision if bits == 8 else Precision.F32

    def _facts(self, name: str, precision: Precision) -> Facts:
        graph = self._graph(name)
        if precision is Precision.AUTO:
            precision = self._runtime.device.precisions[0]
        return Facts(
            scale=graph.scale,
            halo_px=self._catalogue[name].halo_px,
            flops_per_px=graph.flops_per_px,
            floats_per_px=graph.floats_per_px,
            weight_bytes=graph.weight_bytes,
            value_bytes=2 if precision is Precision.BF16 else 4,
        )

    def _runner(self, name: str, picture: Picture, precision: Precision) -> Runner:
        samples_ = SampleType.BYTE if working_type(picture) == BYTE else SampleType.FLOAT
        return Runner(
            lambda wanted: self._network(name, wanted, samples_), precision, self._catalogue[name].halo_px
        )

    def _graph(self, name: str) -> Network:
        if name not in self._graphs:
            self._graphs[name] = self._store.load(self._catalogue[name])
        return self._graphs[name]

    def _network(self, name: str, precision: Precision, samples_: SampleType) -> CompiledNetwork:
        key = name, precision, samples_
        if key not in self._compiled:
            self._compiled[key] = self._runtime.compile(self._graph(name), precision, samples_)
        return self._compiled[key]


def _counting(total: int, on_tile: OnTile) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        on_tile(done, total)

    return tick
