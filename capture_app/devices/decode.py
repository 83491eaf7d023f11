"""From what a device delivers to what is shown. What is kept stays as it came."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.dicom.jpeg_stream import frame_size
from capture_app.errors import DeviceError, ImageError
from capture_app.model.encoded_image import MOST_PIXELS

_SHOWN_COLUMNS: Final = 1280
"""Decoding keeps at least this width: more than the window shows."""

_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


def shown_pixels(jpeg: bytes) -> NDArray[np.uint8]:
    """Decodes a JPEG for display, RGB; a large one at a half, a quarter or an eighth of its size.

    Upright, as EXIF says that it is turned: so it is kept. Raises DeviceError.
    """
    try:
        rows, columns = frame_size(jpeg)
    except ImageError as error:
        raise _unreadable() from error
    if not 0 < rows * columns <= MOST_PIXELS:
        raise _unreadable()
    how = next((flag for n, flag in _REDUCED if columns // n >= _SHOWN_COLUMNS), cv2.IMREAD_COLOR)
    coded = np.frombuffer(jpeg, np.uint8)
    pixels = cv2.imdecode(coded, how)
    if pixels is None:
        raise _unreadable()
    return rgb_of_bgr(pixels)


def rgb_of_bgr(pixels: object) -> NDArray[np.uint8]:
    """RGB of what OpenCV reads: BGR of any usual shape."""
    bgr = np.asarray(pixels, np.uint8)
    if bgr.ndim == 2:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2RGB), np.uint8)
    if bgr.shape[2] == 4:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGRA2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _unreadable() -> DeviceError:
    return DeviceTroubleError(Trouble.UNREADABLE_PICTURE)
