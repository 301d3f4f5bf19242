"""Runs networks on the CPU with OpenVINO, the default runtime.

Chosen by measurement: where the processor has bf16 units its convolutions reach 83 to 98 % of the
machine's own bf16 matrix rate, 1.3 to 1.8 times ncnn's speed, in a half to a sixth of its memory
(docs/explanation/01-engine.md).
"""

# ruff: noqa: E402 (what comes before the import of openvino has to)

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Importing openvino reports the import to an analytics service through this package, where it is
# installed. A module that cannot be imported is a case that openvino foresees: nothing is sent.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino as ov
from openvino import opset15 as op

from enlarger.engine.runtimes import (
    CompiledNetwork,
    Device,
    Precision,
    Samples,
    SampleType,
)
from enlarger.errors import BadWeights, Collapsed, OutOfMemory
from enlarger.models.network import (
    Arithmetic,
    Concat,
    Constant,
    Convolution,
    NearestUpsample,
    Network,
    Operation,
    PixelShuffle,
    PRelu,
    Sigmoid,
    Swish,
    WeightedSum,
)

CHANNELS_LAST = np.array([0, 2, 3, 1], np.int64)
CHANNELS_FIRST = np.array([0, 3, 1, 2], np.int64)
EVERY_AXIS = np.array([0, 1, 2, 3], np.int64)
BYTE_MAX = 255.0
NO_MEMORY = ("alloc", "memory", "broken promise")
"""What OpenVINO's and oneDNN's errors say when the system gives no memory; they have no type for it.
`std::bad_alloc`, `could not allocate`, and most often "Convolution node with name '...' can't alloc";
where another thread had been making the same kernel, its promise of it is broken."""


def build_model(network: Network, samples: SampleType) -> ov.Model:
    """The OpenVINO graph of `network`: (1, h, w, 3) in and out, any height and width.

    A second output is the mean of the network's own values: one number that is not finite as soon
    as any of them is not, and costs next to nothing beside the network. With BYTE the conversions
    are part of the graph; done in NumPy they would take a sixth of a fast upscale.
    """
    is_byte = samples is SampleType.BYTE
    picture = op.parameter(
        ov.PartialShape([1, -1, -1, 3]), ov.Type.u8 if is_byte else ov.Type.f32, "picture"
    )
    values = op.transpose(picture, CHANNELS_FIRST)
    if is_byte:
        values = op.multiply(op.convert(values, "f32"), np.float32(1 / BYTE_MAX))
    blobs: dict[str, Any] = {network.input: values}
    parameters = [picture]
    for extra in network.extras:
        shape = ov.PartialShape([1, -1, -1, extra.channels])
        parameters.append(op.parameter(shape, ov.Type.f32, extra.name))
        blobs[extra.name] = op.transpose(parameters[-1], CHANNELS_FIRST)
    for node in network.nodes:
        inputs = [blobs[name] for name in node.inputs]
        blobs[node.output] = _build(node.operation, inputs)
    values = blobs[network.output]
    mean = op.reduce_mean(values, EVERY_AXIS, False)
    if is_byte:
        values = op.clamp(op.multiply(values, np.float32(BYTE_MAX)), 0.0, BYTE_MAX)
        values = op.convert(op.round(values, "half_to_even"), "u8")
    enlarged = op.transpose(values, CHANNELS_LAST)
    model = ov.Model([enlarged, mean], parameters, network.name)
    # What has no name is called by a number that is counted through the whole process. A compiled network
    # is found again by its names too: after another one it would be compiled and kept anew.
    for index, operation in enumerate(model.get_ordered_ops()):
        operation.set_friendly_name(f"{operation.get_type_name()}_{index}")
    for index, end in enumerate([*model.inputs, *model.outputs]):
        end.get_tensor().set_names({f"end_{index}"})
    return model


def _build(operation: Operation, inputs: list[Any]) -> Any:
    match operation:
        case Convolution(weight=weight, bias=bias, negative_slope=slope):
            margin = [weight.shape[2] // 2, weight.shape[3] // 2]
            result = op.convolution(inputs[0], weight, [1, 1], margin, margin, [1, 1])
            if bias is not None:
                result = op.add(result, bias.reshape(1, -1, 1, 1))
            if slope != 1.0:
                result = op.prelu(result, np.array([slope], np.float32))
            return result
        case PRelu(slope=slopes):
            return op.prelu(inputs[0], slopes)
        case Sigmoid():
            return op.sigmoid(inputs[0])
        case Swish():
            return op.swish(inputs[0])
        case Concat():
            return op.concat(inputs, 1)
        case Arithmetic(operator=operator, scalar=scalar):
            right = inputs[1] if scalar is None else np.float32(scalar)
            return {"+": op.add, "-": op.subtract, "*": op.multiply}[operator](inputs[0], right)
        case WeightedSum(coefficients=coefficients):
            terms = [
                blob if weight == 1.0 else op.multiply(blob, np.float32(weight))
                for blob, weight in zip(inputs, coefficients, strict=True)
            ]
            total = terms[0]
            for term in terms[1:]:
                total = op.add(total, term)
            return total
        case PixelShuffle(block=block):
            return op.depth_to_space(inputs[0], "depth_first", block)
        case NearestUpsample(factor=factor):
            return op.interpolate(
                inputs[0],
                np.array([factor, factor], np.float32),
                mode="nearest",
                shape_calculation_mode="scales",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
                axes=np.array([2, 3], np.int64),
            )
        case Constant(value=value):
            return op.constant(value[np.newaxis])


OPTIONS = {
    # Two tiles at once would double the memory and share the same cores.
    "NUM_STREAMS": 1,
    "PERFORMANCE_HINT": "LATENCY",
    # By default every process binds its threads to the first processors that it finds: two workers of one
    # thread each share one processor then, and take twice the time.
    "ENABLE_CPU_PINNING": False,
}
"""Of every network, beside its precision and its threads."""


class OpenVinoRuntime:
    """OpenVINO on this machine's CPU; satisfies `Runtime`."""

    def __init__(self, *, threads: int | None = None, cache_dir: Path | None = None) -> None:
        """
        threads    processor threads for one network; None takes every core that this process may use.
        cache_dir  where compiled networks are kept between runs; None compiles every time.
        """
        self._core = ov.Core()
        self._threads = threads or len(os.sched_getaffinity(0))
        if cache_dir is not None:
            cache_dir.mkdir(parents=True, exist_ok=True)
            self._core.set_property({"CACHE_DIR": str(cache_dir)})

    @property
    def device(self) -> Device:
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        precisions: tuple[Precision, ...] = (Precision.F32,)
        if "BF16" in capabilities:
            precisions = (Precision.BF16, *precisions)
        name = str(self._core.get_property("CPU", "FULL_DEVICE_NAME"))
        return Device("cpu", name, self._threads, precisions)

    def compile(
        self,
        network: Network,
        precision: Precision = Precision.AUTO,
        samples: SampleType = SampleType.BYTE,
    ) -> CompiledNetwork:
        if precision is Precision.AUTO:
            precision = self.device.precisions[0]
        # Explicit threads: a container's share of a machine is not what the library counts.
        options = {
            "INFERENCE_PRECISION_HINT": str(precision),
            "INFERENCE_NUM_THREADS": self._threads,
            **OPTIONS,
        }

        def make() -> ov.CompiledModel:
            return self._core.compile_model(build_model(network, samples), "CPU", options)

        return _Compiled(make, network, precision, samples)


class _Compiled:
    def __init__(
        self,
        make: Callable[[], ov.CompiledModel],
        network: Network,
        precision: Precision,
        samples: SampleType,
    ) -> None:
        self.scale = network.scale
        self.precision = precision
        self._name = network.name
        self._dtype = np.uint8 if samples is SampleType.BYTE else np.float32
        self._make = make
        self._request = make().create_infer_request()

    def release(self) -> None:
        if self._request is not None:
            self._request.get_compiled_model().release_memory()
            _trim()

    def run(self, tile: Samples, *extras: Samples) -> Samples:
        if tile.dtype != self._dtype:
            # A silent conversion of 0..1 to bytes would be a black picture.
            raise TypeError(f"{self._name} takes {np.dtype(self._dtype)} and was given {tile.dtype}")
        height, width = tile.shape[:2]
        batch = {0: ov.Tensor(np.array(tile, self._dtype, order="C")[np.newaxis], shared_memory=True)}
        for index, extra in enumerate(extras, start=1):
            values = np.ascontiguousarray(extra, np.float32)[np.newaxis]
            batch[index] = ov.Tensor(values, shared_memory=True)
        try:
            if self._request is None:
                self._request = self._make().create_infer_request()
            self._request.infer(batch, share_inputs=True, share_outputs=True)
        except (RuntimeError, MemoryError) as error:
            if not (
                isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY)
            ):
                raise
            # It holds what it had taken, and its shapes are half those of the failed tile.
            self._request = None
            raise OutOfMemory(f"{self._name} found no memory for a tile of {width}x{height}") from error
        if not np.isfinite(self._request.get_output_tensor(1).data):
            raise Collapsed(
                f"{self._name} in {self.precision} gave values that are not numbers"
                f" for a tile of {width}x{height}"
            )
        enlarged: Samples = self._request.get_output_tensor(0).data[0]
        return enlarged


def _trim() -> None:
    """Give what was freed back to the system: glibc keeps two fifths of a tile's memory to itself."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class OnnxNetwork:
    """An auxiliary network from an ONNX file: a sentence embedding, a style, a judge of pictures.

    Always in f32, in which a result does not depend on whether the processor has bf16 units; int8
    weights stay int8. These networks are small, so what bf16 would gain is a few milliseconds.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        """
        path     a file whose digest has been checked: `ModelStore.file`.
        threads  processor threads; None takes every core that this process may use.

        Raises BadWeights if OpenVINO cannot read or compile it.
        """
        options = {
            "INFERENCE_PRECISION_HINT": str(Precision.F32),
            "INFERENCE_NUM_THREADS": threads or len(os.sched_getaffinity(0)),
            **OPTIONS,
        }
        try:
            model = ov.Core().compile_model(path, "CPU", options)
        except RuntimeError as error:
            raise BadWeights(f"OpenVINO cannot read {path}: {error}") from error
        self._name = path.name
        self._request = model.create_infer_request()

    def run(self, *inputs: NDArray[np.float32] | NDArray[np.int64]) -> NDArray[np.float32]:
        """The first output, a copy. Raises Collapsed if a value of it is not finite."""
        self._request.infer(dict(enumerate(inputs)))
        output: NDArray[np.float32] = np.array(self._request.get_output_tensor(0).data, np.float32)
        if not np.isfinite(output).all():
            raise Collapsed(f"{self._name} gave values that are not numbers")
        return output
