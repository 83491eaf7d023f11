"""What the child of `console_text` does: it finds the lines of a console's banner and reads them.

The model is PP-OCRv4's recogniser (PaddleOCR) as ONNX, run by OpenCV: 48 rows in, the chance of
each character for each eighth column out (connectionist temporal classification).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.errors import TaskRefusedError
from capture_app.sandbox.task import Call, ChildAnswer, Work

_ROWS: Final = 48
_LEAST_ROWS: Final = 8
"""Of a line that can be read."""
_MOST_PARTS: Final = 24
_CONTRAST: Final = 60
_GAP: Final = 1.5
"""Of a line's height: what is further apart is read by itself."""
_CHARACTERS: Final = b"\x0a\x09character\x12"
"""The key among the metadata of the ONNX file, as protobuf writes it, and the tag of its value."""

_Picture = NDArray[np.uint8]


def read_console() -> Work:
    """Answers with the text of a banner, part by part: `model` is a path, the bytes are RGB."""
    cv2.setNumThreads(1)
    models: dict[str, _Reader] = {}

    def work(call: Call) -> Iterator[ChildAnswer]:
        path, rows, columns = (
            call.question["model"],
            call.question["rows"],
            call.question["columns"],
        )
        if path not in models:
            models[path] = _Reader(Path(path).read_bytes())
        pixels = np.frombuffer(call.data, np.uint8, rows * columns * 3)
        texts = [models[path].read(part) for part in _parts(pixels.reshape(rows, columns, 3))]
        yield ChildAnswer({"texts": [text[:200] for text in texts if text]})

    return work


class _Reader:
    def __init__(self, model: bytes) -> None:
        self._characters = ["", *_characters(model), " "]
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        except cv2.error as error:
            raise TaskRefusedError("no-model") from error

    def read(self, part: _Picture) -> str:
        columns = max(_ROWS, round(part.shape[1] * _ROWS / part.shape[0]))
        scaled = cv2.resize(part, (columns, _ROWS), interpolation=cv2.INTER_AREA)
        plane = scaled[:, :, ::-1].astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
        self._net.setInput(plane[np.newaxis])
        best = self._net.forward()[0].argmax(1).tolist()
        told = (now for before, now in zip([0, *best], best, strict=False) if now != before)
        return "".join(self._characters[one] for one in told if one < len(self._characters))


def _characters(model: bytes) -> list[str]:
    """One a line, in the order of the model's outputs. Raises TaskRefusedError."""
    _, _, rest = model.partition(_CHARACTERS)
    length = shift = 0
    for at, byte in enumerate(rest[:5]):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return rest[at + 1 : at + 1 + length].decode("utf-8", "replace").split("\n")
    raise TaskRefusedError("no-model")


def _parts(banner: _Picture) -> Iterator[_Picture]:
    """The words of the banner, line by line, from left to right; groups that stand close as one."""
    grey = cv2.cvtColor(banner, cv2.COLOR_RGB2GRAY)
    steps = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    edges = np.asarray(steps > _CONTRAST)
    found = 0
    for top, bottom in _runs(np.any(edges, axis=1), 2):
        if bottom - top < _LEAST_ROWS:
            continue
        high = bottom - top
        for left, right in _runs(np.any(edges[top:bottom], axis=0), round(high * _GAP)):
            margin = max(2, high // 6)
            found += 1
            if found > _MOST_PARTS:
                return
            yield np.ascontiguousarray(
                banner[
                    max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin
                ]
            )


def _runs(marked: NDArray[np.bool_], gap: int) -> Iterator[tuple[int, int]]:
    """From where to where something is marked, over holes of up to `gap`."""
    at = np.flatnonzero(marked)
    if not at.size:
        return
    breaks = np.flatnonzero(np.diff(at) > gap + 1)
    starts, ends = [at[0], *at[breaks + 1]], [*at[breaks], at[-1]]
    yield from ((int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True))
