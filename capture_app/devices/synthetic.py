"""A device that is not there: drawn skin, or what a probe shows. For practice and tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from math import sin
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.clock import Clock
from capture_app.devices.sector import sector_picture
from capture_app.devices.skin import skin_picture
from capture_app.devices.source import FrameStamp
from capture_app.errors import DeviceError
from capture_app.model.camera import OpenedMode
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame
from capture_app.model.procedure import ImageKind
from capture_app.model.words import tr

DEFAULT_SIZE: Final = (1280, 720)
_SWAY: Final = 1 / 160
"""How far the hand that holds the camera sways, as a part of the width."""
_NOISE_TILES: Final = 4


class SyntheticSource:
    """Delivers RGB frames of the drawn skin; with `jpeg_quality` its own JPEG as well.

    The picture of a given number is the same in every run. `size` is (columns, rows).
    """

    def __init__(
        self,
        info: DeviceInfo,
        clock: Clock,
        *,
        size: tuple[int, int] = DEFAULT_SIZE,
        jpeg_quality: int | None = None,
        frames_per_second: float = 15.0,
    ) -> None:
        self._info = info
        self._size = size
        self._quality = jpeg_quality
        self._interval = 1 / frames_per_second
        self._stamp = FrameStamp(info.device_id, clock)
        self._closed = threading.Event()
        self._number = 0

    @property
    def info(self) -> DeviceInfo:
        return self._info

    @property
    def pace(self) -> float | None:
        return None

    @property
    def opened(self) -> OpenedMode | None:
        return None

    def frames(self) -> Iterator[Frame]:
        columns, rows = self._size
        margin = max(2, round(columns * _SWAY))
        drawn = sector_picture if self._info.image_kind is ImageKind.ULTRASOUND else skin_picture
        around = drawn(columns + 2 * margin, rows + 2 * margin)
        noise = _noise(rows, columns)
        while not self._closed.is_set():
            still = _swayed(around, self._size, margin, self._number)
            grainy = cv2.add(still, noise[self._number % len(noise)], dtype=cv2.CV_8U)
            self._number += 1
            shown = np.asarray(grainy, np.uint8)
            jpeg = None if self._quality is None else _jpeg(shown, self._quality)
            yield self._stamp.frame(shown, jpeg)
            self._closed.wait(self._interval)

    def renew(self) -> None:
        """Nothing: its pictures are made as they are asked for."""

    def close(self) -> None:
        self._closed.set()


def size_and_quality(address: str) -> tuple[tuple[int, int], int | None]:
    """Reads the address of a synthetic device: `[COLUMNSxROWS][,jpeg=QUALITY]`, either may lack.

    Raises DeviceError for anything else.
    """
    size, quality = DEFAULT_SIZE, None
    for part in filter(None, address.replace(" ", "").split(",")):
        name, _, value = part.partition("=")
        across, x, down = part.partition("x")
        if name == "jpeg" and value.isdecimal() and 1 <= int(value) <= 100:
            quality = int(value)
        elif x and across.isdecimal() and down.isdecimal():
            size = (int(across), int(down))
        else:
            raise DeviceError(
                tr("The address of the drawn camera is not of the form 1280x720,jpeg=90.")
            )
    if not (64 <= size[0] <= 8000 and 64 <= size[1] <= 8000):
        raise DeviceError(tr("The drawn camera makes pictures of 64 to 8000 pixels a side."))
    return size, quality


def _swayed(
    around: NDArray[np.uint8], size: tuple[int, int], margin: int, number: int
) -> NDArray[np.uint8]:
    """The part of the larger picture that the camera sees in frame `number`."""
    x = margin + round(margin * 0.9 * sin(number * 0.071))
    y = margin + round(margin * 0.9 * sin(number * 0.053 + 1.0))
    return around[y : y + size[1], x : x + size[0]]


def _noise(rows: int, columns: int) -> list[NDArray[np.int8]]:
    rng = np.random.default_rng(7)
    one = np.clip(rng.standard_normal((rows, columns, 3), np.float32) * 1.6, -6, 6).astype(np.int8)
    return [np.roll(one, (17 * turn, 29 * turn), (0, 1)) for turn in range(_NOISE_TILES)]


def _jpeg(pixels: NDArray[np.uint8], quality: int) -> bytes:
    done, coded = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise DeviceError(tr("The camera sent a picture that cannot be read."))
    return coded.tobytes()
