"""A camera of this computer where the system is not Linux, read through OpenCV."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from typing import Final

import cv2

from capture_app.clock import Clock
from capture_app.devices.decode import rgb_of_bgr
from capture_app.devices.freshness import Freshness, Pace
from capture_app.devices.modes import Wish
from capture_app.devices.source import FrameStamp
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.model.camera import CameraMode, OpenedMode
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame

_BAD_READS: Final = 5
_SIZES: Final = ((3840, 2160), (2592, 1944), (1920, 1080), (1280, 720), (640, 480))
"""Tried from the largest on: the system takes the nearest that the camera has."""
_RATE: Final = 30.0


class OpenCvCamera:
    """Reads the camera of that number. See `OpenedSource`. Its pictures come decoded."""

    def __init__(
        self,
        info: DeviceInfo,
        number: str,
        clock: Clock,
        *,
        wish: Wish,
        latency: float = 0.0,
        pace: float | None = None,
    ) -> None:
        self._info = info
        self._number = number
        self._clock = clock
        self._wish = wish
        self._freshness = Freshness(info.device_id, clock, latency, pace)
        self._stamp = FrameStamp(info.device_id, clock)
        self._closed = threading.Event()
        self._opened: OpenedMode | None = None

    @property
    def info(self) -> DeviceInfo:
        return self._info

    @property
    def pace(self) -> float | None:
        return self._freshness.pace

    @property
    def opened(self) -> OpenedMode | None:
        return self._opened

    def frames(self) -> Iterator[Frame]:
        while not self._closed.is_set():
            yield from self._read()

    def _read(self) -> Iterator[Frame]:
        """The frames until it is closed, or has to be opened again."""
        self._freshness.begin()
        if not self._number.isdigit():
            raise DeviceTroubleError(Trouble.NOT_FOUND)
        capture = cv2.VideoCapture(int(self._number), cv2.CAP_ANY)
        try:
            if not capture.isOpened():
                raise DeviceTroubleError(Trouble.NOT_FOUND_OR_IN_USE)
            self._opened = _asked_for(capture, self._wish)
            misses = 0
            pace = Pace(self._clock)
            while not self._closed.is_set():
                there, data = capture.read()
                misses = 0 if there else misses + 1
                if misses >= _BAD_READS:
                    raise DeviceTroubleError(Trouble.STOPPED)
                if not there:
                    self._closed.wait(0.02)
                    continue
                exposure = self._freshness.of(_time_of(capture))
                if exposure is None:
                    return
                if pace.is_due():
                    yield self._stamp.frame(rgb_of_bgr(data), exposure=exposure)
        finally:
            capture.release()

    def renew(self) -> None:
        self._freshness.renew()

    def close(self) -> None:
        self._closed.set()


def _asked_for(capture: cv2.VideoCapture, wish: Wish) -> OpenedMode:
    """Asks for the largest size that is wanted and fast enough; what came of it is told."""
    sizes = [size for size in _SIZES if wish.largest is None or _is_within(size, wish.largest)]
    if wish.largest is not None and wish.largest not in sizes:
        sizes.insert(0, wish.largest)
    capture.set(cv2.CAP_PROP_FPS, _RATE)
    tried: list[OpenedMode] = []
    for columns, rows in sizes:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, columns)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, rows)
        got = _mode_of(capture)
        tried.append(OpenedMode(replace(got, columns=columns, rows=rows, rate=_RATE), got))
        if not got.rate or got.rate >= wish.least_rate - 0.1:
            break
    return tried[-1]


def _is_within(size: tuple[int, int], largest: tuple[int, int]) -> bool:
    return size[0] <= largest[0] and size[1] <= largest[1]


def _mode_of(capture: cv2.VideoCapture) -> CameraMode:
    columns = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
    rows = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    rate = capture.get(cv2.CAP_PROP_FPS)
    return CameraMode("BGR3", int(columns), int(rows), rate if isfinite(rate) else 0.0)


def _time_of(capture: cv2.VideoCapture) -> float | None:
    milliseconds = capture.get(cv2.CAP_PROP_POS_MSEC)
    return milliseconds / 1000 if isfinite(milliseconds) and milliseconds > 0 else None
