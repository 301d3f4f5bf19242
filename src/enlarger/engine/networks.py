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

RESTING_WEIGHT_BYTES = 160 * 1024 * 1024
"""Weights in f32 of compiled networks that a request does not need and finds: two RRDBs. They take twice
as much. To compile one again takes 1.3 s."""

Key = tuple[str, Precision, SampleType]


class Networks:
    """Loads from a store, compiles with a runtime, and keeps what it made for later requests."""

    def __init__(
        self, runtime: Runtime, store: ModelStore, assets: AssetCatalogue, precision: Precision
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._assets = assets
        self._precision = precision
        self._graphs: dict[str, Network] = {}
        self._compiled: dict[Key, CompiledNetwork] = {}
        """In the order of their last use."""
        self._asked: set[Key] = set()
        """Since others were last laid to rest."""
        self._awake: set[Key] = set()
        """Those that may hold a tile's memory."""

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
        network = self._compiled.pop(key, None)
        if network is None:
            network = self._runtime.compile(self.graph(name), precision, samples)
        self._compiled[key] = network
        self._asked.add(key)
        return network

    def rest_others(self) -> None:
        """A request has asked for all that it needs: the rest gives the memory of its tiles back.

        Of the rest, those that were used last stay compiled, RESTING_WEIGHT_BYTES of them. What a
        process holds is so what one request needs, and little more, whatever was asked of it before.
        """
        needed, awake = self._asked, self._awake
        self._asked, self._awake = set(), needed
        room = RESTING_WEIGHT_BYTES
        for key in [key for key in reversed(self._compiled) if key not in needed]:
            room -= self.graph(key[0]).weight_bytes
            if room < 0:
                self._compiled.pop(key, None)
            elif key in awake:
                self._compiled[key].release()

    def _halo(self, name: str) -> int:
        return self._entry(name.removesuffix(NOISY)).halo_px

    def _entry(self, name: str) -> Entry:
        """Raises BadParameter, listing the networks, for a name that is none's."""
        entry = self._assets[name]
        if not isinstance(entry, Entry):
            known = ", ".join(other.name for other in self._assets.values() if isinstance(other, Entry))
            raise BadParameter(f"model {name!r} is not one of: {known}", param="model")
        return entry
