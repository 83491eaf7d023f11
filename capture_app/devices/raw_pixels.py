"""From the uncoded formats of cameras and grabbers to RGB, in the colours that the driver says.

Nothing is smoothed and no value invented: a colour that two pixels share is given to both.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.devices import v4l2_abi as abi
from capture_app.devices.raw_format import RawFormat
from capture_app.devices.trouble import DeviceTroubleError, Trouble

_PACKED: Final = {"YUYV": (0, 1, 3), "YVYU": (0, 3, 1), "UYVY": (1, 0, 2), "VYUY": (1, 2, 0)}
"""Where in four bytes the first brightness, Cb and Cr lie (the second brightness two further)."""
_OF_RGB: Final = {"RGB3": (3, (0, 1, 2)), "BGR3": (3, (2, 1, 0))} | dict.fromkeys(
    ("BGR4", "XR24", "AR24"), (4, (2, 1, 0))
)
"""Bytes of a pixel, and where red, green and blue lie."""
_RED_AND_BLUE: Final = {
    abi.YCBCR_601: (0.299, 0.114),
    abi.YCBCR_XV601: (0.299, 0.114),
    abi.YCBCR_709: (0.2126, 0.0722),
    abi.YCBCR_XV709: (0.2126, 0.0722),
    abi.YCBCR_2020: (0.2627, 0.0593),
}
"""How much of red and of blue is in brightness (ITU-R BT.601, BT.709, BT.2020)."""


def rgb_of(data: bytes, form: RawFormat) -> NDArray[np.uint8]:
    """The picture as (rows, columns, 3) RGB.

    Raises DeviceTroubleError for fewer bytes than its size needs.
    """
    code, columns, rows = form.mode.format, form.mode.columns, form.mode.rows
    try:
        if code in _OF_RGB:
            width, order = _OF_RGB[code]
            lines = _lines(data, rows, columns * width, form.bytes_per_line)
            rgb = lines.reshape(rows, columns, width)[:, :, order]
            return _full_range(rgb) if form.quantization == abi.LIMITED_RANGE else _own(rgb)
        if code == "GREY":
            grey = _lines(data, rows, columns, form.bytes_per_line)
            return _own(np.repeat(grey[:, :, None], 3, axis=2))
        if code in _PACKED:
            bright, blue, red = _packed(data, form)
        else:
            bright, blue, red = _planes(data, form)
    except ValueError as error:
        raise DeviceTroubleError(Trouble.UNREADABLE_PICTURE) from error
    return _rgb(np.dstack((bright, blue, red)), form)


def _lines(data: bytes, rows: int, used: int, per_line: int, at: int = 0) -> NDArray[np.uint8]:
    """Rows of bytes without what the driver leaves at their ends. Raises ValueError."""
    stride = max(per_line, used)
    flat = np.frombuffer(data, np.uint8, count=stride * (rows - 1) + used, offset=at)
    if stride == used:
        return flat.reshape(rows, used)
    return np.lib.stride_tricks.as_strided(flat, (rows, used), (stride, 1), writeable=False)


def _packed(data: bytes, form: RawFormat) -> tuple[NDArray[np.uint8], ...]:
    columns, rows = form.mode.columns, form.mode.rows
    lines = _lines(data, rows, (columns + 1) // 2 * 4, form.bytes_per_line)
    first, blue, red = _PACKED[form.mode.format]
    bright = lines[:, first::2][:, :columns]
    return (bright, *(np.repeat(lines[:, at::4], 2, axis=1)[:, :columns] for at in (blue, red)))


def _planes(data: bytes, form: RawFormat) -> tuple[NDArray[np.uint8], ...]:
    """NV12, NV21: colours in one plane by pairs; YU12, YV12: in two."""
    code, columns, rows = form.mode.format, form.mode.columns, form.mode.rows
    stride = max(form.bytes_per_line, columns)
    bright = _lines(data, rows, columns, stride)
    down, across = (rows + 1) // 2, (columns + 1) // 2
    if code in ("NV12", "NV21"):
        pairs = _lines(data, down, 2 * across, stride, at=stride * rows)
        colours = pairs[:, 0::2], pairs[:, 1::2]
    else:
        half = (stride + 1) // 2
        first = _lines(data, down, across, half, at=stride * rows)
        colours = first, _lines(data, down, across, half, at=stride * rows + half * down)
    blue, red = colours if code in ("NV12", "YU12") else colours[::-1]
    wide = (np.repeat(np.repeat(plane, 2, 0), 2, 1)[:rows, :columns] for plane in (blue, red))
    return (bright, *wide)


def _rgb(ycc: NDArray[np.uint8], form: RawFormat) -> NDArray[np.uint8]:
    """`ycc` is (rows, columns, 3): brightness, Cb, Cr."""
    of_red, of_blue = _RED_AND_BLUE[_matrix(form)]
    of_green = 1 - of_red - of_blue
    is_full = form.quantization == abi.FULL_RANGE or (
        not form.quantization and form.colorspace == abi.COLORSPACE_JPEG
    )
    bright, colour, black = (1.0, 1.0, 0) if is_full else (255 / 219, 255 / 224, 16)
    red, blue = 2 * (1 - of_red) * colour, 2 * (1 - of_blue) * colour
    back = np.array(
        [
            (bright, 0, red),
            (bright, -blue * of_blue / of_green, -red * of_red / of_green),
            (bright, blue, 0),
        ]
    )
    shift = -back @ (black, 128, 128)
    return np.asarray(cv2.transform(ycc, np.column_stack((back, shift))), np.uint8)


def _matrix(form: RawFormat) -> int:
    """As the driver says; where it says nothing, as the colour space has it by definition."""
    if form.ycbcr in _RED_AND_BLUE:
        return form.ycbcr
    by_space = {abi.COLORSPACE_REC709: abi.YCBCR_709, abi.COLORSPACE_BT2020: abi.YCBCR_2020}
    return by_space.get(form.colorspace, abi.YCBCR_601)


def _full_range(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = 255 / 219
    table = np.clip((np.arange(256) - 16) * scale + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(table[rgb], np.uint8)


def _own(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.array(pixels, np.uint8, order="C")
