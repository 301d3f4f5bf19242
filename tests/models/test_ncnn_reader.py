"""Reading weights: every byte is used or the file is refused, and the refusal says where."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from enlarger.errors import BadWeights
from enlarger.models.loaders.ncnn import TAG_FLOAT16, read_ncnn
from enlarger.models.network import Arithmetic, Convolution, Network

PARAM = """7767517
3 3
Input  in    0 1 data
Convolution conv 1 1 data a 0=2 1=3 4=1 5=1 6=54 9=2 -23310=1,2.000000e-01
BinaryOp add 1 1 a output 0=0 1=1 2=5.000000e-01
"""
WEIGHT = np.arange(54, dtype=np.float32) / 64
BIAS = np.array([0.25, -0.5], np.float32)


def half_weights() -> bytes:
    return struct.pack("<I", TAG_FLOAT16) + WEIGHT.astype("<f2").tobytes() + BIAS.tobytes()


def full_weights() -> bytes:
    return struct.pack("<I", 0) + WEIGHT.tobytes() + BIAS.tobytes()


def read(folder: Path, param: str = PARAM, weights: bytes | None = None) -> Network:
    (folder / "net.param").write_text(param)
    (folder / "net.bin").write_bytes(half_weights() if weights is None else weights)
    return read_ncnn("net", folder / "net.param", folder / "net.bin")


@pytest.mark.parametrize("weights", [half_weights(), full_weights()], ids=["fp16", "fp32"])
def test_reads_both_ways_of_storing_weights(tmp_path: Path, weights: bytes) -> None:
    network = read(tmp_path, weights=weights)
    convolution = network.nodes[0].operation
    assert isinstance(convolution, Convolution)
    assert convolution.bias is not None
    np.testing.assert_array_equal(convolution.weight, WEIGHT.reshape(2, 3, 3, 3))
    np.testing.assert_array_equal(convolution.bias, BIAS)
    assert convolution.negative_slope == pytest.approx(0.2)
    assert network.nodes[1].operation == Arithmetic("+", 0.5)
    assert (network.scale, network.radius_px) == (1, 1)


def test_an_odd_number_of_halves_is_padded_to_four_bytes(tmp_path: Path) -> None:
    param = "7767517\n2 2\nInput in 0 1 data\nConvolution conv 1 1 data output 0=1 1=1 6=3\n"
    halves = np.array([1, 2, 3], "<f2").tobytes() + b"\0\0"
    network = read(tmp_path, param, struct.pack("<I", TAG_FLOAT16) + halves)
    assert network.nodes[0].operation.weight.ravel().tolist() == [1, 2, 3]


@pytest.mark.parametrize("cut", [0, 3, 4, 50, -1])
def test_a_file_that_ends_early_is_refused(tmp_path: Path, cut: int) -> None:
    with pytest.raises(BadWeights, match=r"net\.bin ends at byte"):
        read(tmp_path, weights=half_weights()[:cut])


def test_bytes_left_over_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="4 bytes that no layer reads"):
        read(tmp_path, weights=half_weights() + b"\0\0\0\0")


def test_an_unknown_storage_tag_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="byte 0: storage tag 0x000d4b38"):
        read(tmp_path, weights=struct.pack("<I", 0x000D4B38) + half_weights()[4:])


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("7767517", "7767516", "does not begin with"),
        ("3 3\n", "4 3\n", "announces 4 layers and has 3"),
        ("3 3\n", "3 4\n", "announces 4 blobs and has 3"),
        ("BinaryOp", "Softmax", "unknown layer Softmax"),
        ("1 1 a output", "1 1 b output", "reads .'b'., which nothing wrote"),
        ("4=1 ", "", "a padding that changes the size is not supported"),
        ("4=1 ", "4=1 3=2 ", "a stride is not supported"),
        ("4=1 ", "4=1 2=2 ", "a dilation is not supported"),
        ("4=1 ", "4=1 8=1 ", r"parameters \[8\] are not known"),
        ("6=54", "6=55", "a weight count that does not divide is not supported"),
        ("9=2", "9=4", "this activation is not supported"),
        ("0=0 1=1", "0=3 1=1", "this operator is not supported"),
        ("0=0 1=1", "zero=0", "line 5 is not a layer"),
        ("3 3\n", "foo bar\n", "line 2 is not the numbers"),
        ("3 3\n", "3\n", "line 2 is not the numbers"),
        ("0=2 ", "0=0 ", "parameter 0 is 0; it must be 1 or more"),
        ("0=2 ", "0=inf ", "parameter 0 is inf, not a whole number"),
        ("0=2 ", "0=nan ", "parameter 0 is nan, not a whole number"),
        (
            "BinaryOp add 1 1 a output 0=0 1=1",
            "BinaryOp add 1 1 a output 0=0 1=0",
            "1 inputs make no sense",
        ),
        (
            "BinaryOp add 1 1 a output 0=0 1=1 2=5.000000e-01",
            "Concat add 0 1 output",
            "0 inputs make no sense",
        ),
        ("BinaryOp add 1 1 a output 0=0 1=1 2=5.000000e-01", "Split add 0 1 output", "unknown layer Split"),
        (
            "BinaryOp add 1 1 a output 0=0 1=1 2=5.000000e-01",
            "PixelShuffle add 1 1 a output 0=0",
            "must be 1 or",
        ),
        ("Input  in    0 1 data", "Input in 0 2 data", "line 3 names other blobs than it announces"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in PARAM
    with pytest.raises(BadWeights, match=complaint):
        read(tmp_path, PARAM.replace(old, new, 1))
