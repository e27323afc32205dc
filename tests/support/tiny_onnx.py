"""A face detector and a descriptor in the ONNX form of YuNet and SFace, for tests.

The detector takes every white 32 px square on a 32 px grid for a face; the descriptor is a coarse
copy of the face. Written field by field (onnx.proto), because no other test needs the onnx package.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SIDE, CELL = 640, 32  # px
# Eyes, nose, corners of the mouth: x, y in cells from the cell's corner.
POINTS = (0.3, 0.35, 0.7, 0.35, 0.5, 0.55, 0.35, 0.75, 0.65, 0.75)
FLOAT, INT64 = 1, 7


def detector(path: Path) -> Path:
    """YuNet: cls, obj, bbox and kps at strides 8, 16, 32; only the last ever finds anything. Boxes
    are offset and logarithm of the size."""
    heads = {"cls": (0,), "obj": (0,), "bbox": (0.5, 0.5, 0, 0), "kps": POINTS}
    return _detector(path, heads, anchors=1, gain=1 / 255, batch=True)


def scrfd(path: Path) -> Path:
    """insightface's SCRFD with two boxes a place, for pixels in -1..1. Boxes are the distances of
    the edges."""
    heads = {"score": (0.5,), "bbox": (0, 0, 1, 1), "kps": POINTS}
    return _detector(path, heads, anchors=2, gain=0.5, batch=False)


def _detector(
    path: Path, heads: dict[str, Sequence[float]], anchors: int, gain: float, batch: bool
) -> Path:
    """Heads of one number see brightness at the last stride; the others say the same everywhere."""
    nodes, weights, outputs = [], [], []
    for name, bias in heads.items():
        for stride in (8, 16, CELL):
            seeing = stride == CELL and len(bias) == 1
            label, channels = f"{name}_{stride}", len(bias)
            kernel = np.full(
                (channels * anchors, 3, stride, stride),
                gain / (3 * stride**2) if seeing else 0.0,
                np.float32,
            )
            level = bias if seeing or channels > 1 else (0,)
            shape = [1, -1, channels] if batch else [-1, channels]
            weights += [
                _tensor(f"{label}_w", kernel),
                _tensor(f"{label}_b", np.array([*level] * anchors, np.float32)),
                _tensor(f"{label}_s", np.array(shape, np.int64)),
            ]
            nodes += [
                _node("Conv", ["input", f"{label}_w", f"{label}_b"], f"{label}_c", stride=stride),
                _node("Transpose", [f"{label}_c"], f"{label}_t", perm=(0, 2, 3, 1)),
                _node("Reshape", [f"{label}_t", f"{label}_s"], label),
            ]
            rows = (SIDE // stride) ** 2 * anchors
            outputs.append((label, (1, rows, channels) if batch else (rows, channels)))
    return _model(path, nodes, weights, ("input", (1, 3, SIDE, SIDE)), outputs)


def descriptor(path: Path) -> Path:
    """112 px face -> 147 numbers: means of 16 px squares, a channel each."""
    kernel = np.zeros((3, 3, 16, 16), np.float32)
    for channel in range(3):
        kernel[channel, channel] = 1 / 256
    weights = [_tensor("w", kernel), _tensor("b", np.full(3, -90, np.float32))]
    nodes = [
        _node("Conv", ["data", "w", "b"], "c", stride=16),
        _node("Flatten", ["c"], "fc1"),
    ]
    return _model(path, nodes, weights, ("data", (1, 3, 112, 112)), [("fc1", (1, 147))])


def _model(path: Path, nodes: list, weights: list, entry: tuple, outputs: list) -> Path:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"tiny")
    graph += b"".join(_field(5, tensor) for tensor in weights)
    graph += _field(11, _value(*entry)) + b"".join(_field(12, _value(*out)) for out in outputs)
    opset = _field(1, b"") + _number(2, 13)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_number(1, 8) + _field(7, graph) + _field(8, opset))
    return path


def _node(kind: str, inputs: Sequence[str], output: str, stride: int = 0, perm=()) -> bytes:
    out = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    out += _field(3, output.encode()) + _field(4, kind.encode())
    if stride:
        out += _field(5, _integers("strides", (stride, stride)))
        out += _field(5, _integers("kernel_shape", (stride, stride)))
    return out + (_field(5, _integers("perm", perm)) if perm else b"")


def _integers(name: str, values: Sequence[int]) -> bytes:
    numbers = b"".join(_number(8, value) for value in values)
    return _field(1, name.encode()) + numbers + _number(20, 7)


def _tensor(name: str, array: np.ndarray) -> bytes:
    kind = INT64 if array.dtype == np.int64 else FLOAT
    dims = b"".join(_number(1, size) for size in array.shape)
    return dims + _number(2, kind) + _field(8, name.encode()) + _field(9, array.tobytes())


def _value(name: str, shape: Sequence[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, size)) for size in shape)
    tensor = _number(1, FLOAT) + _field(2, dims)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = []
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return struct.pack(f"{len(out) + 1}B", *out, value)
