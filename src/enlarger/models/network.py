"""A network as a value: typed operations on named blobs, weights included, no runtime.

Loaders make it, runtimes compile it, and the engine may add inputs of its own between the two.
This module must never import a runtime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Convolution:
    """2-D convolution, stride 1, zero padding that keeps the size, then an optional leaky ReLU."""

    weight: Weights
    """(out, in, kernel height, kernel width)."""
    bias: Weights | None
    """(out,), or None."""
    negative_slope: float = 1.0
    """What negative results are multiplied with: 1 is no activation, 0 is a plain ReLU."""


@dataclass(frozen=True)
class PRelu:
    """Negative values times a slope of their channel."""

    slope: Weights
    """(channels,)."""


@dataclass(frozen=True)
class Sigmoid:
    """1 / (1 + exp(-x))."""


@dataclass(frozen=True)
class Swish:
    """x * sigmoid(x)."""


@dataclass(frozen=True)
class Concat:
    """Inputs side by side along the channels."""


@dataclass(frozen=True)
class Arithmetic:
    """`left operator right`, elementwise; `right` is the second input or `scalar`."""

    operator: str
    """One of + - *."""
    scalar: float | None = None


@dataclass(frozen=True)
class WeightedSum:
    """Sum of the inputs, each times its coefficient (RRDB's residual scaling)."""

    coefficients: tuple[float, ...]


@dataclass(frozen=True)
class PixelShuffle:
    """(c * block^2, h, w) to (c, h * block, w * block); channel index varies slowest."""

    block: int


@dataclass(frozen=True)
class NearestUpsample:
    """Each pixel repeated `factor` times along both axes."""

    factor: int


@dataclass(frozen=True)
class Constant:
    """A stored value, (channels, 1, 1)."""

    value: Weights


Operation = (
    Convolution
    | PRelu
    | Sigmoid
    | Swish
    | Concat
    | Arithmetic
    | WeightedSum
    | PixelShuffle
    | NearestUpsample
    | Constant
)


@dataclass(frozen=True)
class Node:
    """One operation, the blobs that it reads, and the one that it writes."""

    name: str
    operation: Operation
    inputs: tuple[str, ...]
    output: str


@dataclass(frozen=True)
class Extra:
    """One more input, of the picture's height and width."""

    name: str
    """The blob that holds it."""
    channels: int


@dataclass(frozen=True)
class Network:
    """Nodes in an order in which every blob is written before it is read.

    Input and output are RGB pictures, float32, (channels, height, width), 0..1.
    """

    name: str
    nodes: tuple[Node, ...]
    input: str
    """The blob that holds the picture."""
    output: str
    """The blob that holds the enlarged picture."""
    extras: tuple[Extra, ...] = ()
    """Inputs besides the picture, which the published network does not have."""

    @property
    def scale(self) -> int:
        """Output pixels per input pixel along one axis: a fact about the graph, never a request."""
        return self._trace()[1]

    @property
    def radius_px(self) -> int:
        """How far, in input pixels, a value of the input can move a value of the output.

        A tile with a halo of at least this many pixels gives exactly the whole picture's result.
        """
        return self._trace()[0]

    @property
    def flops_per_px(self) -> int:
        """Multiplications and additions of the convolutions for one pixel of input."""
        scales = self._scales()
        return sum(
            2 * node.operation.weight.size * scales[node.output] ** 2
            for node in self.nodes
            if isinstance(node.operation, Convolution)
        )

    @property
    def weight_bytes(self) -> int:
        """Of the convolutions' weights in f32."""
        return sum(
            node.operation.weight.nbytes for node in self.nodes if isinstance(node.operation, Convolution)
        )

    @property
    def floats_per_px(self) -> int:
        """Most values that are alive at once for one pixel of input, while the nodes run in order.

        A runtime that frees or reuses what nothing reads any more holds about so many; the memory of
        a tile is this times its pixels times the bytes of a value.
        """
        last = {name: index for index, node in enumerate(self.nodes) for name in node.inputs}
        last[self.output] = len(self.nodes)
        sizes = self._floats()
        alive = {self.input, *(extra.name for extra in self.extras)}
        most = 0
        for index, node in enumerate(self.nodes):
            alive.add(node.output)
            most = max(most, sum(sizes[name] for name in alive))
            alive = {name for name in alive if last.get(name, -1) > index}
        return most

    def _floats(self) -> Mapping[str, int]:
        """Values of each blob for one pixel of input."""
        channels = {self.input: 3} | {extra.name: extra.channels for extra in self.extras}
        scales = self._scales()
        for node in self.nodes:
            match node.operation:
                case Convolution(weight=weight):
                    channels[node.output] = weight.shape[0]
                case Constant():
                    channels[node.output] = 0
                case Concat():
                    channels[node.output] = sum(channels[name] for name in node.inputs)
                case PixelShuffle(block=block):
                    channels[node.output] = channels[node.inputs[0]] // block**2
                case _:
                    channels[node.output] = max(channels[name] for name in node.inputs)
        return {name: count * scales[name] ** 2 for name, count in channels.items()}

    def _scales(self) -> Mapping[str, int]:
        scales = {self.input: 1} | {extra.name: 1 for extra in self.extras}
        for node in self.nodes:
            scale = max((scales[name] for name in node.inputs), default=1)
            match node.operation:
                case PixelShuffle(block=factor) | NearestUpsample(factor=factor):
                    scale *= factor
            scales[node.output] = scale
        return scales

    def _trace(self) -> tuple[int, int]:
        """Radius (rounded up) and scale at the output, walking the graph once."""
        scales = self._scales()
        radius: dict[str, float] = {self.input: 0.0}
        for node in self.nodes:
            reach = max((radius.get(name, 0.0) for name in node.inputs), default=0.0)
            if isinstance(node.operation, Convolution):
                kernel = max(node.operation.weight.shape[2:])
                reach += (kernel // 2) / scales[node.output]
            radius[node.output] = reach
        return int(np.ceil(radius[self.output])), scales[self.output]
