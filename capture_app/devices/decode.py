"""From what a device delivers to what is shown. What is kept stays as it came."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.errors import DeviceError
from capture_app.model.words import tr

MAX_PIXELS: Final = 100_000_000
"""A picture that says it is larger is refused before memory is given to it."""

_SHOWN_COLUMNS: Final = 1280
"""Decoding keeps at least this width: more than the window shows."""

_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)
_WITHOUT_SIZE: Final = frozenset({0xC4, 0xC8, 0xCC})
"""DHT, JPG and DAC share the range of the SOF markers (ITU-T T.81 Table B.1)."""


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Rows and columns that a JPEG's frame header tells; (0, 0) where there is none."""
    at = 2
    while data[:2] == b"\xff\xd8" and at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or 0xD0 <= marker <= 0xD8 or marker == 0x01:
            at += 1 if marker == 0xFF else 2
            continue
        if 0xC0 <= marker <= 0xCF and marker not in _WITHOUT_SIZE:
            rows, columns = data[at + 5 : at + 7], data[at + 7 : at + 9]
            return int.from_bytes(rows, "big"), int.from_bytes(columns, "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return (0, 0)


def shown_pixels(jpeg: bytes) -> NDArray[np.uint8]:
    """Decodes a JPEG for display, RGB; a large one at a half, a quarter or an eighth of its size.

    The EXIF orientation is not applied: what is shown is what is kept. Raises DeviceError.
    """
    rows, columns = jpeg_size(jpeg)
    if not 0 < rows * columns <= MAX_PIXELS:
        raise DeviceError(tr("The camera sent a picture that cannot be read."))
    how = next((flag for n, flag in _REDUCED if columns // n >= _SHOWN_COLUMNS), cv2.IMREAD_COLOR)
    coded = np.frombuffer(jpeg, np.uint8)
    pixels = cv2.imdecode(coded, how | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise DeviceError(tr("The camera sent a picture that cannot be read."))
    return rgb_of_bgr(pixels)


def rgb_of_bgr(pixels: object) -> NDArray[np.uint8]:
    """RGB of what OpenCV reads: BGR of any usual shape."""
    bgr = np.asarray(pixels, np.uint8)
    if bgr.ndim == 2:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2RGB), np.uint8)
    if bgr.shape[2] == 4:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGRA2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
