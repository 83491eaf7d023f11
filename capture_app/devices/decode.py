"""From what a device delivers to what is shown. What is kept stays as it came."""

from __future__ import annotations

from io import BytesIO
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


def shown_other(data: bytes) -> NDArray[np.uint8]:
    """Decodes a file of another format for display: RGB, upright, its first picture.

    What may not be kept of it is said when it is to be kept. Raises DeviceError.
    """
    # Only here: cameras need neither.
    import pi_heif  # noqa: PLC0415
    from PIL import AvifImagePlugin, Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the walls of a child allow no more
    pi_heif.options.DECODE_THREADS = 1
    try:
        whole: Image.Image
        try:
            whole = Image.open(BytesIO(data))
            _require_size(*whole.size)
            ImageOps.exif_transpose(whole, in_place=True)
        except UnidentifiedImageError:
            heic = pi_heif.open_heif(BytesIO(data))
            _require_size(*heic.size)
            whole = heic.to_pillow()
        rgb = whole.convert("RGB")
        rgb.thumbnail((2 * _SHOWN_COLUMNS, 2 * _SHOWN_COLUMNS))
    except (
        OSError,
        SyntaxError,
        ValueError,
        RuntimeError,
        Image.DecompressionBombError,
    ) as error:
        raise _unreadable() from error
    return np.asarray(rgb, np.uint8)


def _require_size(columns: int, rows: int) -> None:
    if not 0 < rows * columns <= MOST_PIXELS:
        raise _unreadable()


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
