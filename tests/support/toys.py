"""Runtimes for tests: one whose network is a few lines, and one that does harm to a real one's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from enlarger.engine.runtimes import CompiledNetwork, Device, Precision, Runtime, Samples, SampleType
from enlarger.models.network import Convolution, Network

Harm = Callable[[Samples, Samples, Precision], Samples]
"""Tile, its answer and the precision in; what the engine is to get instead. May raise."""


def no_harm(tile: Samples, answer: Samples, precision: Precision) -> Samples:
    """The answer as it is."""
    return answer


@dataclass
class Nearest:
    """Every pixel `scale` times along both axes."""

    scale: int
    precision: Precision
    shapes: list[tuple[int, ...]]
    """Of every tile that it was given."""

    def release(self) -> None:
        """It holds nothing."""

    def run(self, tile: Samples, *extras: Samples) -> Samples:
        self.shapes.append(tile.shape)
        return tile.repeat(self.scale, axis=0).repeat(self.scale, axis=1)


@dataclass
class ToyRuntime:
    """Compiles every network to `Nearest`."""

    device: Device = field(default_factory=lambda: Device("toy", "Toy", 1, (Precision.BF16, Precision.F32)))
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        wanted = self.device.precisions[0] if precision is Precision.AUTO else precision
        return Nearest(network.scale, wanted, self.shapes)


@dataclass
class HarmfulRuntime:
    """Another runtime, whose networks' answers pass through `harm`."""

    inner: Runtime
    harm: Harm = no_harm
    tiles: int = 0
    """Tiles that were run so far."""
    pixels: int = 0
    """Of these tiles."""

    @property
    def device(self) -> Device:
        return self.inner.device

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        return _Harmed(self.inner.compile(network, precision, samples), self)


class _Harmed:
    def __init__(self, network: CompiledNetwork, runtime: HarmfulRuntime) -> None:
        self.scale = network.scale
        self.precision = network.precision
        self._network = network
        self._runtime = runtime

    def release(self) -> None:
        self._network.release()

    def run(self, tile: Samples, *extras: Samples) -> Samples:
        answer = self._network.run(tile, *extras).copy()
        self._runtime.tiles += 1
        self._runtime.pixels += tile.shape[0] * tile.shape[1]
        return self._runtime.harm(tile, answer, self.precision)


@dataclass
class PoisonedRuntime:
    """Another runtime, whose networks have a weight that is not a number, but for f32."""

    inner: Runtime

    @property
    def device(self) -> Device:
        return self.inner.device

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        healthy = precision is Precision.F32
        return self.inner.compile(network if healthy else poisoned(network), precision, samples)


def poisoned(network: Network) -> Network:
    """The network with NaN for one of its first weights."""
    nodes = list(network.nodes)
    first = next(index for index, node in enumerate(nodes) if isinstance(node.operation, Convolution))
    operation = nodes[first].operation
    assert isinstance(operation, Convolution)
    weight = operation.weight.copy()
    weight[0, 0, 0, 0] = np.nan
    nodes[first] = replace(nodes[first], operation=replace(operation, weight=weight))
    return replace(network, nodes=tuple(nodes))
