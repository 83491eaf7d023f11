"""Network streams and video files, read by OpenCV.

A device that delivers JPEG keeps that JPEG: the FFmpeg backend hands out the packets of an MJPEG
stream as they came (`CAP_PROP_FORMAT = -1`). Every network source is opened and read under a time
limit, so that a dead one is noticed. Each picture is stamped with its exposure, not with its
arrival: see `exposure`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture_app.clock import Clock
from capture_app.devices.decode import rgb_of_bgr, shown_pixels
from capture_app.devices.exposure import Exposure
from capture_app.devices.freshness import Freshness, Pace
from capture_app.devices.polled import content_type_at, pictures_at
from capture_app.devices.source import FrameStamp
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.errors import DeviceError
from capture_app.model.camera import OpenedMode
from capture_app.model.device import DeviceInfo
from capture_app.model.frame import Frame

OPEN_LIMIT_MS: Final = 5_000
READ_LIMIT_MS: Final = 1_500
_MJPG: Final = cv2.VideoWriter.fourcc("M", "J", "P", "G")
_BAD_READS: Final = 5
_MOST_ASPECT: Final = 65_535


def _hush() -> None:
    """Keeps OpenCV's and FFmpeg's own words off the terminal: they may hold an address and its
    password. What happened is told by our own errors.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


class StreamSource:
    """A network camera or grabber: MJPEG, single pictures or a film over HTTP, RTSP.

    `address` is that of a relay on this computer (see `relay`), which speaks to the camera.
    """

    def __init__(
        self,
        info: DeviceInfo,
        address: str,
        clock: Clock,
        *,
        latency: float = 0.0,
        pace: float | None = None,
        open_limit_ms: int = OPEN_LIMIT_MS,
        read_limit_ms: int = READ_LIMIT_MS,
    ) -> None:
        self._info = info
        self._address = address
        self._limits = [
            *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, open_limit_ms),
            *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, read_limit_ms),
        ]
        self._open_limit = open_limit_ms / 1000
        self._read_limit = read_limit_ms / 1000
        self._latency = latency
        self._clock = clock
        self._freshness = Freshness(info.device_id, clock, latency, pace)
        self._stamp = FrameStamp(info.device_id, clock)
        self._closed = threading.Event()

    @property
    def info(self) -> DeviceInfo:
        return self._info

    @property
    def pace(self) -> float | None:
        return self._freshness.pace

    @property
    def opened(self) -> OpenedMode | None:
        return None

    def frames(self) -> Iterator[Frame]:
        _hush()
        while not self._closed.is_set():
            self._freshness.begin()
            if self._address.startswith("http") and self._gives_single_pictures():
                yield from self._polled()
            else:
                yield from self._opened()

    def _gives_single_pictures(self) -> bool:
        return content_type_at(self._address, self._open_limit) == "image/jpeg"

    def _polled(self) -> Iterator[Frame]:
        """One picture for each request: it was exposed after that began."""
        bad = 0
        for picture in pictures_at(self._address, self._read_limit, self._closed, self._clock):
            took = picture.arrived_at - picture.asked_at
            exposure = Exposure(
                arrival=picture.arrived_at,
                not_before=picture.asked_at - self._latency,
                delay=took + self._latency,
                late=took,
            )
            try:
                frame = self._stamp.frame(shown_pixels(picture.jpeg), picture.jpeg, exposure)
            except DeviceError:  # as in a stream
                if (bad := bad + 1) >= _BAD_READS:
                    raise
                continue
            bad = 0
            yield frame

    def _opened(self) -> Iterator[Frame]:
        """The frames until it is closed, or has to be opened again."""
        capture = cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, self._limits)
        try:
            if not capture.isOpened():
                raise DeviceTroubleError(Trouble.NO_ANSWER)
            raw = _raw_jpeg(capture)
            # A multipart stream has no times of its own: FFmpeg makes them up, at 25 a second.
            has_times = not (raw and self._address.startswith("http"))
            pace = Pace(self._clock)
            bad = 0
            while not self._closed.is_set():
                there, data = capture.read()
                if not there:
                    raise DeviceTroubleError(Trouble.STOPPED)
                exposure = self._freshness.of(_time_of(capture) if has_times else None)
                if exposure is None:
                    return
                if not pace.is_due():
                    continue
                try:
                    frame = _frame_of(self._stamp, capture, data, exposure, raw=raw)
                except DeviceError:  # one broken picture is passed over, a row of them is told
                    if (bad := bad + 1) >= _BAD_READS:
                        raise
                    continue
                bad = 0
                yield frame
        finally:
            capture.release()

    def renew(self) -> None:
        self._freshness.renew()

    def close(self) -> None:
        self._closed.set()


class VideoFileSource:
    """A film from a file, over and over, at its own speed."""

    def __init__(self, info: DeviceInfo, path: Path, clock: Clock) -> None:
        self._info = info
        self._path = path
        self._stamp = FrameStamp(info.device_id, clock)
        self._closed = threading.Event()

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
        _hush()
        if not self._path.is_file():
            raise DeviceTroubleError(Trouble.FILE_NOT_FOUND)
        while not self._closed.is_set():
            yield from self._once()

    def _once(self) -> Iterator[Frame]:
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        count = 0
        try:
            rate = capture.get(cv2.CAP_PROP_FPS)
            interval = 1 / rate if 1 <= rate <= 60 else 1 / 25
            raw = capture.isOpened() and _raw_jpeg(capture)
            while not self._closed.wait(interval if count else 0):
                there, data = capture.read()
                if not there:
                    break
                count += 1
                yield _frame_of(self._stamp, capture, data, None, raw=raw)
        finally:
            capture.release()
        if not count and not self._closed.is_set():
            raise DeviceTroubleError(Trouble.NO_FILM)

    def renew(self) -> None:
        """Nothing: its pictures are of now by their nature."""

    def close(self) -> None:
        self._closed.set()


def _raw_jpeg(capture: cv2.VideoCapture) -> bool:
    """Switches an MJPEG stream to its own bytes, and says whether it is one."""
    codec = int(capture.get(cv2.CAP_PROP_FOURCC))
    return codec == _MJPG and capture.set(cv2.CAP_PROP_FORMAT, -1)


def _time_of(capture: cv2.VideoCapture) -> float | None:
    """The device's own time of the picture just read, in seconds: V4L2's stamp, or the stream's."""
    milliseconds = capture.get(cv2.CAP_PROP_POS_MSEC)
    return milliseconds / 1000 if isfinite(milliseconds) and milliseconds > 0 else None


def _pixel_aspect(capture: cv2.VideoCapture) -> tuple[int, int]:
    """Height and width of a pixel; square where the stream does not say."""
    width, height = (capture.get(what) for what in (cv2.CAP_PROP_SAR_NUM, cv2.CAP_PROP_SAR_DEN))
    if not (_is_a_side(width) and _is_a_side(height)):
        return 1, 1
    aspect = Fraction(int(height), int(width))
    return aspect.numerator, aspect.denominator


def _is_a_side(said: float) -> bool:
    return isfinite(said) and 1 <= said <= _MOST_ASPECT


def _frame_of(
    stamp: FrameStamp,
    capture: cv2.VideoCapture,
    data: NDArray[Any],
    exposure: Exposure | None,
    *,
    raw: bool,
) -> Frame:
    aspect = _pixel_aspect(capture)
    if not raw:
        return stamp.frame(rgb_of_bgr(data), exposure=exposure, pixel_aspect=aspect)
    jpeg = np.ascontiguousarray(data, np.uint8).tobytes()
    return stamp.frame(shown_pixels(jpeg), jpeg, exposure, aspect)
