"""What the engine asks of something that runs networks: two small Protocols.

A new runtime (torch on CUDA, say) is one module here that satisfies `Runtime`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from enlarger.models.network import Network

Samples = NDArray[np.uint8] | NDArray[np.float32]
"""RGB, (height, width, 3): bytes 0..255, or floats nominally 0..1."""


class Precision(StrEnum):
    """How a network's multiplications are done."""

    AUTO = "auto"
    """bf16 where the processor has units for it, else f32."""
    F32 = "f32"
    """The network as published; about half the speed of bf16 where bf16 exists."""
    BF16 = "bf16"
    """8 bits of mantissa: more than 50 dB from f32, twice as fast."""


class SampleType(StrEnum):
    """What a compiled network takes and gives."""

    BYTE = "byte"
    """uint8 in and out, converted, clipped and rounded by the runtime itself, on all its threads."""
    FLOAT = "float"
    """float32 in and out, neither clipped nor rounded."""


class CompiledNetwork(Protocol):
    """A network that is ready to run on one device."""

    @property
    def scale(self) -> int:
        """Output pixels per input pixel along one axis."""
        ...

    @property
    def precision(self) -> Precision:
        """F32 or BF16: what AUTO became."""
        ...

    def release(self) -> None:
        """Give back the memory that a tile took. The network stays ready."""
        ...

    def run(self, tile: Samples, *extras: Samples) -> Samples:
        """Enlarge one tile to (height * scale, width * scale, 3), samples as it was compiled for.

        extras  the network's further inputs in its order: float32, (height, width, channels).

        The result is memory that the next call overwrites. Raises Collapsed if a value of the
        network's answer is not finite.
        """
        ...


@dataclass(frozen=True)
class Device:
    """One place where networks can run."""

    id: str
    """Stable and lower case: `cpu`."""
    name: str
    """What the maker calls it."""
    threads: int
    """Threads that the runtime uses on it."""
    precisions: tuple[Precision, ...]
    """What it does at full speed, fastest first."""


class Runtime(Protocol):
    """Compiles networks for one device."""

    @property
    def device(self) -> Device:
        """Where this runtime runs."""
        ...

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        """Make `network` ready; seconds for a large one, less from the compilation cache."""
        ...
