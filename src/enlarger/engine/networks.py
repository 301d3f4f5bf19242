"""The networks of the engine: from their names to something that runs, each loaded and compiled once."""

from __future__ import annotations

from enlarger.engine.creative.graph import with_noise
from enlarger.engine.plan import Facts
from enlarger.engine.runner import Runner
from enlarger.engine.runtimes import CompiledNetwork, Precision, Runtime, SampleType
from enlarger.engine.steadying import SteadyRunner
from enlarger.errors import BadParameter
from enlarger.models import AssetCatalogue, Entry, ModelStore
from enlarger.models.network import Network

NOISY = "+noise"
"""Behind a name: the network with noise inputs."""
UNSTEADY = frozenset({"span-x4-ch48"})
"""Networks that run away at hard edges and give the input again everywhere else. The others redraw: they
depart from the input as far, and mean it."""

Key = tuple[str, Precision, SampleType]


class Networks:
    """Loads from a store, compiles with a runtime, and keeps what it made while requests ask for it.

    Of the memory that a compiled network takes, tiles included, a good part stays with it when it rests.
    So before another one is made, those that the request of the moment has not asked for are let go:
    what a process holds is what one request needs, whatever was asked of it before.
    """

    def __init__(
        self, runtime: Runtime, store: ModelStore, assets: AssetCatalogue, precision: Precision
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._assets = assets
        self._precision = precision
        self._graphs: dict[str, Network] = {}
        self._compiled: dict[Key, CompiledNetwork] = {}
        self._asked: set[Key] = set()

    def begin(self) -> None:
        """Another request begins."""
        self._asked.clear()

    def precision_for(self, bits: int) -> Precision:
        """16 bits would drown in bf16's own steps: its 8 bits of mantissa are 1/256 near white."""
        return self._precision if bits == 8 else Precision.F32

    def graph(self, name: str) -> Network:
        """The network as a value; with NOISY behind its name, with noise inputs."""
        if name not in self._graphs:
            if name.endswith(NOISY):
                self._graphs[name] = with_noise(self.graph(name.removesuffix(NOISY)))
            else:
                self._graphs[name] = self._store.load(self._entry(name))
        return self._graphs[name]

    def facts(self, name: str, precision: Precision) -> Facts:
        """What planning needs to know of it."""
        graph = self.graph(name)
        if precision is Precision.AUTO:
            precision = self._runtime.device.precisions[0]
        return Facts(
            scale=graph.scale,
            halo_px=self._halo(name),
            flops_per_px=graph.flops_per_px,
            floats_per_px=graph.floats_per_px,
            weight_bytes=graph.weight_bytes,
            value_bytes=2 if precision is Precision.BF16 else 4,
        )

    def runner(self, name: str, precision: Precision, samples: SampleType) -> Runner:
        """The network, ready to run tiles, with repairs of its own to count."""
        kind = SteadyRunner if name in UNSTEADY else Runner
        return kind(lambda wanted: self.compiled(name, wanted, samples), precision, self._halo(name))

    def compiled(self, name: str, precision: Precision, samples: SampleType) -> CompiledNetwork:
        """Made at the first call; seconds for a large one."""
        key = name, precision, samples
        self._asked.add(key)
        if key not in self._compiled:
            for unasked in self._compiled.keys() - self._asked:
                self._compiled.pop(unasked, None)
            self._compiled[key] = self._runtime.compile(self.graph(name), precision, samples)
        return self._compiled[key]

    def _halo(self, name: str) -> int:
        return self._entry(name.removesuffix(NOISY)).halo_px

    def _entry(self, name: str) -> Entry:
        """Raises BadParameter, listing the networks, for a name that is none's."""
        entry = self._assets[name]
        if not isinstance(entry, Entry):
            known = ", ".join(other.name for other in self._assets.values() if isinstance(other, Entry))
            raise BadParameter(f"model {name!r} is not one of: {known}", param="model")
        return entry
