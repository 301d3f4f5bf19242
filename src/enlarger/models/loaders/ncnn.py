"""Reads a network from ncnn's .param (text) and .bin (weights) files.

The format is ncnn's own (its wiki pages "param and model file structure" and "operation param
weight table"). We read the layers that our catalogue's networks use, and refuse every layer,
parameter or trailing byte that we do not understand: a half-read network gives pictures that
look almost right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from enlarger.errors import BadWeights
from enlarger.models.network import (
    Arithmetic,
    Concat,
    Constant,
    Convolution,
    NearestUpsample,
    Network,
    Node,
    Operation,
    PixelShuffle,
    PRelu,
    Sigmoid,
    Swish,
    WeightedSum,
    Weights,
)

MAGIC = "7767517"
TAG_FLOAT16 = 0x01306B47
TAGS_FLOAT32 = (0x00000000, 0x0002C056)
ARRAY_KEY_BASE = -23300
"""A key of -23300 - i holds parameter i as an array: its length, then its values."""

Parameters = dict[int, float | tuple[float, ...]]


def read_ncnn(name: str, param: Path, weights: Path) -> Network:
    """The network in `param` and `weights`.

    Raises BadWeights naming the line or the byte where the files stop making sense; in particular
    when the weights end early or have bytes left over.
    """
    reader = _Weights(weights.read_bytes(), weights.name)
    lines = param.read_text("ascii", errors="replace").split("\n")
    if lines[0].strip() != MAGIC:
        raise BadWeights(f"{param.name} does not begin with ncnn's number {MAGIC}")
    rows = [line.split() for line in lines[2:] if line.strip()]
    try:
        layer_count, blob_count = (int(word) for word in lines[1].split())
    except (IndexError, ValueError) as error:
        raise BadWeights(f"{param.name} line 2 is not the numbers of layers and blobs") from error
    if len(rows) != layer_count:
        raise BadWeights(f"{param.name} announces {layer_count} layers and has {len(rows)}")

    nodes: list[Node] = []
    alias: dict[str, str] = {}
    written: set[str] = set()
    picture = ""
    blobs = 0
    for number, row in enumerate(rows, start=3):
        try:
            kind, layer = row[0], row[1]
            inputs_end = 4 + int(row[2])
            outputs_end = inputs_end + int(row[3])
            inputs = tuple(alias.get(blob, blob) for blob in row[4:inputs_end])
            outputs = row[inputs_end:outputs_end]
            parameters = _parse_parameters(row[outputs_end:])
        except (IndexError, ValueError) as error:
            raise BadWeights(f"{param.name} line {number} is not a layer") from error
        unknown = [blob for blob in inputs if blob not in written]
        if unknown:
            raise BadWeights(f"{param.name} line {number} reads {unknown}, which nothing wrote")
        if len(inputs) != int(row[2]) or len(outputs) != int(row[3]) or not outputs:
            raise BadWeights(f"{param.name} line {number} names other blobs than it announces")
        blobs += len(outputs)
        if kind == "Input":
            picture = outputs[0]
        elif kind == "Split" and len(inputs) == 1:
            # A Split only says that a blob is read several times; in a graph of names it is nothing.
            alias.update(dict.fromkeys(outputs, inputs[0]))
        else:
            make = _LAYERS.get(kind)
            if make is None or len(outputs) != 1:
                raise BadWeights(f"{param.name} line {number}: unknown layer {kind}")
            place = f"{param.name} line {number} ({kind})"
            operation = make(_Layer(place, len(inputs), parameters, reader))
            nodes.append(Node(layer, operation, inputs, outputs[0]))
        written.update(outputs)
    if blobs != blob_count:
        raise BadWeights(f"{param.name} announces {blob_count} blobs and has {blobs}")
    if not picture or not nodes:
        raise BadWeights(f"{param.name} has no input or no layer")
    reader.expect_end()
    return Network(name, tuple(nodes), picture, nodes[-1].output)


class _Weights:
    """A cursor over a .bin file."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data = data
        self._name = name
        self._at = 0

    def float32(self, count: int) -> Weights:
        return np.frombuffer(self._take(4 * count), "<f4").astype(np.float32)

    def tagged(self, count: int) -> Weights:
        """`count` values behind a tag that says how they are stored, as float32."""
        tag = int.from_bytes(self._take(4), "little")
        if tag == TAG_FLOAT16:
            padded = (2 * count + 3) // 4 * 4
            return np.frombuffer(self._take(padded), "<f2")[:count].astype(np.float32)
        if tag in TAGS_FLOAT32:
            return self.float32(count)
        raise BadWeights(f"{self._name} byte {self._at - 4}: storage tag {tag:#010x} is not known")

    def expect_end(self) -> None:
        if self._at != len(self._data):
            left = len(self._data) - self._at
            raise BadWeights(f"{self._name} has {left} bytes that no layer reads")

    def _take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise BadWeights(f"{self._name} ends at byte {len(self._data)}, {size} more were needed")
        self._at += size
        return piece


@dataclass(frozen=True)
class _Layer:
    """One line of the .param file, read by a function of `_LAYERS`; every parameter must be used."""

    place: str
    input_count: int
    parameters: Parameters
    weights: _Weights

    def number(self, key: int, default: float) -> float:
        value = self.parameters.pop(key, default)
        if isinstance(value, tuple):
            raise BadWeights(f"{self.place}: parameter {key} is an array")
        return float(value)

    def integer(self, key: int, default: int) -> int:
        value = self.number(key, default)
        if not value.is_integer():
            raise BadWeights(f"{self.place}: parameter {key} is {value}, not a whole number")
        return int(value)

    def size(self, key: int, default: int = 0) -> int:
        value = self.integer(key, default)
        if value < 1:
            raise BadWeights(f"{self.place}: parameter {key} is {value}; it must be 1 or more")
        return value

    def array(self, key: int) -> tuple[float, ...]:
        value = self.parameters.pop(key, ())
        return value if isinstance(value, tuple) else (value,)

    def require(self, **facts: bool) -> None:
        for fact, holds in facts.items():
            if not holds:
                raise BadWeights(f"{self.place}: {fact.replace('_', ' ')} is not supported")

    def done(self, *, inputs: int | None = 1) -> None:
        """Nothing may be left over. `inputs` is how many blobs the layer reads; None is one or more."""
        if (inputs is None and self.input_count == 0) or inputs not in (None, self.input_count):
            raise BadWeights(f"{self.place}: {self.input_count} inputs make no sense")
        if self.parameters:
            raise BadWeights(f"{self.place}: parameters {sorted(self.parameters)} are not known")


def _parse_parameters(words: list[str]) -> Parameters:
    parameters: Parameters = {}
    for word in words:
        key_text, _, value_text = word.partition("=")
        key = int(key_text)
        if key <= ARRAY_KEY_BASE:
            length, *values = value_text.split(",")
            if int(length) != len(values):
                raise ValueError(word)
            parameters[ARRAY_KEY_BASE - key] = tuple(float(value) for value in values)
        else:
            parameters[key] = float(value_text)
    return parameters


def _convolution(layer: _Layer) -> Operation:
    outputs = layer.size(0)
    width = layer.size(1)
    height = layer.size(11, width)
    pad = layer.integer(4, 0)
    has_bias = layer.integer(5, 0) == 1
    size = layer.size(6)
    activation = layer.integer(9, 0)
    activation_values = layer.array(10)
    layer.require(
        a_dilation=layer.integer(2, 1) == 1,
        a_stride=layer.integer(3, 1) == 1,
        a_padding_that_changes_the_size=2 * pad + 1 == width == height,
        this_activation=activation in (0, 1, 2),
    )
    inputs, remainder = divmod(size, outputs * width * height)
    layer.require(a_weight_count_that_does_not_divide=remainder == 0)
    slope = {0: 1.0, 1: 0.0, 2: activation_values[0] if activation_values else 1.0}[activation]
    weight = layer.weights.tagged(size).reshape(outputs, inputs, height, width)
    bias = layer.weights.float32(outputs) if has_bias else None
    layer.done()
    return Convolution(weight, bias, slope)


def _prelu(layer: _Layer) -> Operation:
    slope = layer.weights.float32(layer.size(0))
    layer.done()
    return PRelu(slope)


def _memory_data(layer: _Layer) -> Operation:
    width, height, channels = (layer.size(key) for key in (0, 1, 2))
    layer.require(a_constant_with_width_or_height=width == height == 1)
    layer.done(inputs=0)
    return Constant(layer.weights.float32(channels).reshape(channels, 1, 1))


def _binary_op(layer: _Layer) -> Operation:
    operator = layer.integer(0, 0)
    layer.require(this_operator=operator in (0, 1, 2))
    has_scalar = layer.integer(1, 0) == 1
    scalar = layer.number(2, 0.0)
    layer.done(inputs=1 if has_scalar else 2)
    return Arithmetic("+-*"[operator], scalar if has_scalar else None)


def _eltwise(layer: _Layer) -> Operation:
    layer.require(an_operator_other_than_sum=layer.integer(0, 0) == 1)
    coefficients = layer.array(1)
    layer.require(a_sum_without_coefficients=len(coefficients) > 0)
    layer.done(inputs=len(coefficients))
    return WeightedSum(coefficients)


def _interp(layer: _Layer) -> Operation:
    nearest = layer.integer(0, 0) == 1
    down, across = layer.number(1, 1.0), layer.number(2, 1.0)
    layer.require(
        a_filter_other_than_nearest=nearest,
        a_factor_that_is_not_whole_and_square=down == across and down.is_integer() and down >= 1,
    )
    layer.done()
    return NearestUpsample(int(down))


def _pixel_shuffle(layer: _Layer) -> Operation:
    block = layer.size(0, 1)
    layer.done()
    return PixelShuffle(block)


def _concat(layer: _Layer) -> Operation:
    layer.require(an_axis_other_than_channels=layer.integer(0, 0) == 0)
    layer.done(inputs=None)
    return Concat()


def _plain(operation: Operation) -> Callable[[_Layer], Operation]:
    def make(layer: _Layer) -> Operation:
        layer.done()
        return operation

    return make


_LAYERS: dict[str, Callable[[_Layer], Operation]] = {
    "BinaryOp": _binary_op,
    "Concat": _concat,
    "Convolution": _convolution,
    "Eltwise": _eltwise,
    "Interp": _interp,
    "MemoryData": _memory_data,
    "PReLU": _prelu,
    "PixelShuffle": _pixel_shuffle,
    "Sigmoid": _plain(Sigmoid()),
    "Swish": _plain(Swish()),
}
