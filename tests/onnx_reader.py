"""A recogniser that reads colours instead of letters: a real ONNX model of one convolution.

Of each eighth column of 48 rows it says one of eight characters by which of red, green and blue
are bright; black is the blank. Written by hand as protobuf (onnx.proto3), for no library here
writes it.
"""

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

LETTERS: Final = "~HANSEO"
"""The first is blue, which is too dark to be seen."""
_COLORS: Final = list(product((0, 1), repeat=3))
"""Black first: the blank."""


def banner(words: str, *, rows: int = 60) -> NDArray[np.uint8]:
    """A banner that the model reads as these words: a coloured bar for each letter."""
    painted = np.zeros((rows, 40 + 24 * len(words), 3), np.uint8)
    for number, letter in enumerate(words):
        color = _COLORS[1 + LETTERS.index(letter)]
        left = 20 + 24 * number
        painted[6 : rows - 6, left : left + 16] = np.array(color, np.uint8) * 255
    return painted


def reader_model() -> bytes:
    """The model's file."""
    weights = np.zeros((8, 3, 48, 8), np.float32)
    for number, color in enumerate(_COLORS):
        for plane, is_on in enumerate(reversed(color)):  # blue first, as the model it stands for
            weights[number, plane] = 1 if is_on else -1
    graph = b"".join(
        (
            _field(1, _node("Conv", ["x", "w"], "a", kernel_shape=[48, 8], strides=[48, 8])),
            _field(1, _node("Squeeze", ["a"], "b", axes=[2])),
            _field(1, _node("Transpose", ["b"], "y", perm=[0, 2, 1])),
            _field(2, b"colours"),
            _field(5, _tensor("w", weights)),
            _field(11, _value("x", [1, 3, 48, -1])),
            _field(12, _value("y", [1, -1, 8])),
        )
    )
    characters = _field(1, b"character") + _field(2, "\n".join(LETTERS).encode())
    opset = _field(8, _number(2, 11))
    return _number(1, 7) + opset + _field(7, graph) + _field(14, characters)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _node(kind: str, inputs: list[str], output: str, **lists: list[int]) -> bytes:
    told = b"".join(_field(1, name.encode()) for name in inputs)
    told += _field(2, output.encode()) + _field(3, kind.encode()) + _field(4, kind.encode())
    for name, numbers in lists.items():
        each = b"".join(_number(8, number) for number in numbers)
        told += _field(5, _field(1, name.encode()) + each + _number(20, 7))
    return told


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    dims = b"".join(_number(1, size) for size in values.shape)
    return dims + _number(2, 1) + _field(8, name.encode()) + _field(9, values.tobytes())


def _value(name: str, sizes: list[int]) -> bytes:
    dims = b"".join(_field(1, _number(1, size) if size >= 0 else _field(2, b"n")) for size in sizes)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, 1) + _field(2, dims)))
