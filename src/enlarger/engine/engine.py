"""The engine: a request and a picture in, a picture out, networks kept warm in between."""

from __future__ import annotations

import numpy as np

from enlarger.engine.fast import upscale_fast
from enlarger.engine.runtimes import CompiledNetwork, Precision, Runtime
from enlarger.imaging.picture import Picture
from enlarger.models import Catalogue, Entry, ModelStore
from enlarger.progress import OnTile, ignore_progress
from enlarger.request import Mode, UpscaleRequest

NETWORKS: dict[Mode, tuple[str, ...]] = {Mode.FAST: ("span-x4-ch48",)}
"""The networks that each mode runs, by their names in the catalogue."""
WARM_SHAPE = (512, 512, 3)


def networks_of(mode: Mode, catalogue: Catalogue) -> list[Entry]:
    """The catalogue's entries that `mode` runs."""
    return [catalogue[name] for name in NETWORKS[mode]]


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
        self._compiled: dict[str, CompiledNetwork] = {}

    def warm(self, mode: Mode) -> None:
        """Load, compile and run once what `mode` needs, so that the first request does not wait.

        The first tile takes about twice the time of the next: memory is touched, kernels are made.
        """
        self.upscale(Picture(np.zeros(WARM_SHAPE, np.uint8)), UpscaleRequest(mode=mode))

    def upscale(
        self,
        picture: Picture,
        request: UpscaleRequest,
        *,
        max_pixels: int | None = None,
        on_tile: OnTile = ignore_progress,
    ) -> Picture:
        """The enlarged picture; equal requests give equal pixels on one machine and version.

        max_pixels  largest result; None for no limit.
        on_tile     told tiles done and tiles in all; may raise to stop.

        Raises PictureTooLarge, ModelMissing, DigestMismatch, Collapsed.
        """
        match request.mode:
            case Mode.FAST:
                [name] = NETWORKS[Mode.FAST]
                return upscale_fast(
                    picture,
                    self._network(name),
                    halo_px=self._catalogue[name].halo_px,
                    factor=request.scale,
                    max_pixels=max_pixels,
                    on_tile=on_tile,
                )

    def _network(self, name: str) -> CompiledNetwork:
        if name not in self._compiled:
            network = self._store.load(self._catalogue[name])
            self._compiled[name] = self._runtime.compile(network, self._precision)
        return self._compiled[name]
